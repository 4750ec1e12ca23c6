#!/usr/bin/env bash
# Installs the real servers that the tests use, where that is possible: root on Debian or Ubuntu.
# Anywhere else the tests that need a missing server skip by name (with CI=true they fail).
set -euo pipefail
declare -A packages=(
  [prometheus]=prometheus [prometheus-alertmanager]=prometheus-alertmanager [amtool]=prometheus-alertmanager
  [/usr/sbin/sshd]=openssh-server [supervisord]=supervisor
  [keepalived]=keepalived [haproxy]=haproxy [ip]=iproute2
  [/usr/lib/dovecot/imap]=dovecot-imapd [/usr/lib/dovecot/lmtp]=dovecot-lmtpd
  [/usr/sbin/exim4]=exim4-daemon-light
  [nginx]=nginx-light [logrotate]=logrotate [curl]=curl [openssl]=openssl
  [chromium]=chromium
)
missing=()
for program in "${!packages[@]}"; do
  command -v "$program" >/dev/null 2>&1 || missing+=("${packages[$program]}")
done
compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || missing+=(postgresql)
compgen -G "/usr/share/fonts/opentype/noto/NotoSansCJK*" >/dev/null || missing+=(fonts-noto-cjk)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "servers: not installed here: ${missing[*]}; the tests that need them will skip by name" >&2
  exit 0
fi
echo "servers: installing ${missing[*]}" >&2
# No service may start by being installed: the tests start their own, on loopback, and end them.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq >/dev/null
# Ubuntu has Chromium as a snap only, which does not run here: its tests then say by name what is missing.
known=()
for package in "${missing[@]}"; do
  if apt-cache show "$package" >/dev/null 2>&1; then known+=("$package"); else echo "servers: no package $package" >&2; fi
done
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${known[@]}" >/dev/null
