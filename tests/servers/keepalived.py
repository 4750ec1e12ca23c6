"""A real keepalived on a host of its own, without systemd: a script starts it, stops it and says whether it runs."""

from __future__ import annotations

import time

from tests.servers.namespaces import NetHost

_CONFIG = """\
global_defs {{
  router_id {name}
  vrrp_version 3
  vrrp_garp_master_delay 1
}}
vrrp_instance service {{
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority {priority}
  advert_int 0.1
  virtual_ipaddress {{
    {vip}/24 dev eth0
  }}
}}
"""

# As `systemctl` would: stop returns when it is over, is-active prints a word.
_CONTROL = """\
#!/bin/sh
running() {{ [ -s {folder}/keepalived.pid ] && kill -0 "$(cat {folder}/keepalived.pid)" 2>/dev/null; }}
case "$1" in
  start)
    running && exit 0
    setsid keepalived -n -l -f {folder}/keepalived.conf -p {folder}/keepalived.pid -r {folder}/vrrp.pid \\
      -c {folder}/check.pid </dev/null >>{folder}/keepalived.log 2>&1 & ;;
  stop)
    running || exit 0
    kill "$(cat {folder}/keepalived.pid)"
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do running || exit 0; sleep 0.1; done
    exit 1 ;;
  is-active)
    running && echo active && exit 0
    echo inactive; exit 3 ;;
esac
"""


class Keepalived:
    """Two of them with the same address elect who holds it; the higher priority wins."""

    def __init__(self, host: NetHost, *, vip: str, priority: int) -> None:
        self.host = host
        self.vip = vip
        self.control = host.folder / "keepalivedctl"
        config = host.folder / "keepalived.conf"
        config.write_text(_CONFIG.format(name=host.name, vip=vip, priority=priority))
        config.chmod(0o600)
        self.control.write_text(_CONTROL.format(folder=host.folder))
        self.control.chmod(0o755)

    def start(self) -> None:
        self.host.run(str(self.control), "start")

    def stop(self) -> None:
        self.host.run(str(self.control), "stop")

    def is_active(self) -> bool:
        return self.host.run(str(self.control), "is-active").strip() == "active"

    def holds(self) -> bool:
        return self.vip in self.host.addresses()

    def wait_until_it_holds(self, within: float = 15.0) -> None:
        """Raises TimeoutError when it does not take the address in time."""
        until = time.monotonic() + within
        while not self.holds():
            if time.monotonic() > until:
                raise TimeoutError(f"{self.host.name} does not hold {self.vip} after {within:g} s")
            time.sleep(0.05)
