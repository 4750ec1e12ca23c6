#!/bin/sh
# Makes the secrets of docker-compose.yml, each in the folder of the one who needs it. What is there stays as it is.
set -eu
umask 077
cd "${SECRETS:-/secrets}"

random() { head -c 33 /dev/urandom | base64 | tr '+/' '-_'; }

# Moved into place when it is whole: a start that was interrupted leaves no half a secret.
once() {
  if [ -s "$1" ]; then
    cat > /dev/null
  else
    cat > "$1.new"
    mv "$1.new" "$1"
  fi
}

ssh_key() { [ -s "$1" ] || ssh-keygen -q -t ed25519 -N '' -C "$2" -f "$1"; }

ssh_key responder/id_ed25519 responder
for node in node1 node2; do
  ssh_key "$node/ssh_host_ed25519_key" "$node"
  cp responder/id_ed25519.pub "$node/authorized_keys"
  # sshd reads the list of keys as the user who logs in.
  chmod 755 "$node"
  chmod 644 "$node/authorized_keys"
done

random | once responder/secret.key
random | once responder/alertmanager.token
random | once postgres/password
random | once grafana/password
cp responder/alertmanager.token alertmanager/responder-token
echo "postgres:5432:responder:responder:$(cat postgres/password)" > responder/pgpass

# The host keys are known only now, and responder connects to no host whose key is not pinned.
host_key() { cut -d ' ' -f 1,2 "$1/ssh_host_ed25519_key.pub"; }
cat > responder/inventory.yml <<EOF
# Made by docker/secrets/make.sh, since the host keys differ from one installation to the next.
defaults:
  user: responder
  key_file: /run/responder/id_ed25519
targets:
  - {name: node1, groups: [web], host_key: "$(host_key node1)"}
  - {name: node2, groups: [web], host_key: "$(host_key node2)"}
EOF

# The numbers that the images run as.
chown -R 10001:10001 responder
chown -R 65534:65534 alertmanager
chown -R 999:999 postgres
chown -R 472:0 grafana
chown -R 0:0 node1 node2
echo "secrets: all there"
