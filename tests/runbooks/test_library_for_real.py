"""Shipped runbooks, unchanged, on a real host with real servers, disks and mounts."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from responder.domain.runbook import RunOutcome
from tests.runbooks.stage import Stage
from tests.servers.ports import free_port
from tests.servers.sshd import SSHD

pytestmark = pytest.mark.needs(SSHD, "mount namespaces")

# What systemd would say and do, where it does not run: for the one unit nginx.service, on the real nginx.
SYSTEMCTL = r"""
pid() { cat "$here/nginx.pid" 2>/dev/null; }
runs() { p=$(pid) && kill -0 "$p" 2>/dev/null; }
case $1 in
  show)
    runs && state=active || { state=failed; p=0; }
    printf 'LoadState=loaded\nActiveState=%s\nSubState=%s\nMainPID=%s\nInvocationID=%s\n' $state $state "$p" "of-$p"
    at=$(cat "$here/reloaded" 2>/dev/null) || at=n/a
    printf 'ExecReload={ path=/usr/sbin/nginx ; start_time=[%s] ; pid=1 }\n' "$at" ;;
  reload-or-restart)
    if runs; then date +%s.%N >"$here/reloaded"; nginx -s reload; else nginx; fi ;;
  restart)
    ! runs || env kill -KILL -- "-$p"
    rm -f "$here/nginx.pid"; nginx ;;
esac
"""
NGINX = """
pid {here}/nginx.pid;
error_log {here}/nginx.log;
worker_processes 1;
events {{}}
http {{
  access_log off;
  client_body_temp_path {here}/body; proxy_temp_path {here}/proxy; fastcgi_temp_path {here}/fastcgi;
  uwsgi_temp_path {here}/uwsgi; scgi_temp_path {here}/scgi;
  server {{ {listen} location / {{ return {answer}; }} }}
}}
"""
# What a certificate authority would give, after the same questions.
CERTBOT = r"""
case "$*" in "renew --non-interactive --no-random-sleep-on-renew --cert-name shop.example.org") ;; *) exit 2 ;; esac
cd /etc/letsencrypt/live/shop.example.org && echo renewed >>"$here/renewals" && "$here/tools/issue" 90
"""
ISSUE = r"""
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=shop.example.org -days "$1" \
  -keyout privkey.pem -out cert.pem 2>/dev/null
"""
LOOSE = "worker_proceses 1;"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path / "stage") as ready:
        yield ready


# --- nginx -----------------------------------------------------------------------------------------


class Nginx:
    """The stage's own nginx, down at first."""

    def __init__(self, stage: Stage, *, tls: bool = False) -> None:
        self.stage = stage
        self.port = free_port()
        self._tls = tls
        stage.tool("systemctl", SYSTEMCTL)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def configure(self, *, answer: int = 204, broken: str = "") -> None:
        folder = "/etc/letsencrypt/live/shop.example.org"
        keys = f"ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/privkey.pem;" if self._tls else ""
        listen = f"listen 127.0.0.1:{self.port}{' ssl' if self._tls else ''}; {keys}"
        text = NGINX.format(here=self.stage.directory, listen=listen, answer=answer) + broken
        (self.stage.directory / "nginx.conf").write_text(text)
        await self.stage.sh(f"cp {self.stage.directory}/nginx.conf /etc/nginx/nginx.conf")

    @property
    def pid(self) -> str:
        return (self.stage.directory / "nginx.pid").read_text().strip()


@pytest.fixture
async def nginx(stage: Stage) -> Nginx:
    made = Nginx(stage)
    await made.configure()
    return made


@pytest.mark.needs("nginx", "curl")
async def test_an_nginx_that_is_down_is_started_and_answers(stage: Stage, nginx: Nginx) -> None:
    played = await stage.play("restart-nginx", {"nginx_url": nginx.url})
    assert (played.outcome, played.acts) == (RunOutcome.HELPED, ("systemctl reload-or-restart -- nginx.service",))
    assert await stage.sh(f"curl -so /dev/null -w '%{{http_code}}' {nginx.url}") == "204"


@pytest.mark.needs("nginx", "curl")
async def test_an_nginx_with_a_broken_configuration_is_not_touched(stage: Stage, nginx: Nginx) -> None:
    await stage.sh("nginx")
    before = nginx.pid
    await nginx.configure(broken=LOOSE)
    played = await stage.play("restart-nginx", {"nginx_url": nginx.url})
    assert (played.outcome, played.acts, nginx.pid) == (RunOutcome.REFUSED, (), before)
    assert "worker_proceses" in played.sentence


@pytest.mark.needs("nginx", "curl")
async def test_an_nginx_that_hangs_is_restarted_because_the_reload_does_not_help(stage: Stage, nginx: Nginx) -> None:
    await stage.sh("nginx")
    before = nginx.pid
    os.killpg(int(before), signal.SIGSTOP)
    played = await stage.play("restart-nginx", {"nginx_url": nginx.url})
    assert played.outcome is RunOutcome.HELPED, played.sentence
    assert played.acts == ("systemctl reload-or-restart -- nginx.service", "systemctl restart -- nginx.service")
    assert nginx.pid != before


@pytest.mark.needs("nginx", "curl")
async def test_errors_of_the_servers_behind_nginx_fail_the_run(stage: Stage, nginx: Nginx) -> None:
    await nginx.configure(answer=502)
    played = await stage.play("restart-nginx", {"nginx_url": nginx.url})
    assert (played.outcome, len(played.acts)) == (RunOutcome.FAILED, 1)
    assert "502" in played.sentence


# --- disks -----------------------------------------------------------------------------------------


async def test_a_full_disk_is_emptied_of_rotated_logs_oldest_first_and_no_further_than_needed(stage: Stage) -> None:
    await stage.sh(
        "cd /var/log && mkdir shop && head -c 6m /dev/zero >shop/app.log && touch -d '-9 days' shop/app.log;"
        "for n in 1 2 3 4 5 6 7 8 9; do"
        "  head -c 6m /dev/zero >shop/app.log.$n; touch -d -$((n + 4))days shop/app.log.$n; "
        "done"
    )
    played = await stage.play("clean-disk", mountpoint="/var/log")
    assert played.outcome is RunOutcome.HELPED, played.sentence
    left = (await stage.sh("ls /var/log/shop")).split()
    assert left == ["app.log", *(f"app.log.{n}" for n in range(1, 8))]
    assert "/var/log" in played.kept["df -hP"]


async def test_a_full_disk_without_old_logs_is_for_a_person(stage: Stage) -> None:
    await stage.sh("head -c 60m /dev/zero >/var/log/app.log")
    played = await stage.play("clean-disk", mountpoint="/var/log")
    assert (played.outcome, played.acts) == (RunOutcome.FAILED, ())
    assert "20% shall be free, but /var/log has 6" in played.sentence


async def test_another_disk_than_that_of_the_logs_is_left_alone(stage: Stage) -> None:
    await stage.sh("head -c 60m /dev/zero >/var/log/old.log.1 && touch -d '-9 days' /var/log/old.log.1")
    played = await stage.play("clean-disk", mountpoint="/var")
    assert played.outcome is RunOutcome.REFUSED
    assert await stage.sh("ls /var/log") == "old.log.1\n"


async def test_old_temporary_files_are_deleted_where_inodes_run_out(stage: Stage) -> None:
    await stage.sh(
        "cd /var/tmp && for n in $(seq 1000 1899); do : >sess_$n; done; touch -d '-4 days' sess_1[0-7]*; : >precious.db"
    )
    played = await stage.play("free-inodes", mountpoint="/var/tmp")
    assert played.outcome is RunOutcome.HELPED, played.sentence
    left = (await stage.sh("ls /var/tmp")).split()
    assert left == ["precious.db", *(f"sess_{n}" for n in range(1800, 1900))]


async def test_where_inodes_are_not_scarce_nothing_is_deleted(stage: Stage) -> None:
    await stage.sh("cd /var/tmp && : >sess_1 && touch -d '-40 days' sess_1")
    played = await stage.play("free-inodes", mountpoint="/var/tmp")
    assert played.outcome is RunOutcome.REFUSED
    assert await stage.sh("ls /var/tmp") == "sess_1\n"


# --- logs ------------------------------------------------------------------------------------------

ROTATION = "/var/log/app.log {\\n rotate 3\\n missingok\\n nodateext\\n create\\n}\\n"


@pytest.mark.needs("logrotate")
async def test_a_large_log_is_rotated_by_its_own_configuration(tmp_path: Path) -> None:
    with Stage(tmp_path / "stage", more="mount -o remount,size=200m /var/log") as stage:
        await stage.sh(f"printf '{ROTATION}' >/etc/logrotate.d/shop && head -c 120m /dev/zero >/var/log/app.log")
        played = await stage.play("rotate-logs", logrotate="shop", log="/var/log/app.log")
        assert played.outcome is RunOutcome.HELPED, played.sentence
        assert await stage.sh("cd /var/log && stat -c '%n %s' app.log*") == f"app.log 0\napp.log.1 {120 * 1024**2}\n"
        again = await stage.play("rotate-logs", logrotate="shop", log="/var/log/app.log")
        assert (again.outcome, again.acts) == (RunOutcome.HELPED, ())


@pytest.mark.needs("logrotate")
@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        (ROTATION.replace("rotate", "rotat"), "unknown option 'rotat'"),
        (ROTATION.replace("rotate 3", "rotate three"), "bad rotation count"),
        (ROTATION.replace("rotate 3", "rotate 0"), "no old logs will be kept"),
        (ROTATION.replace("app.log", "web.log"), "it is not for /var/log/app.log"),
    ],
)
async def test_a_configuration_that_would_lose_logs_is_refused(stage: Stage, configuration: str, said: str) -> None:
    await stage.sh(f"printf '{configuration}' >/etc/logrotate.d/shop && echo x >/var/log/app.log")
    played = await stage.play("rotate-logs", logrotate="shop", log="/var/log/app.log")
    assert (played.outcome, played.acts) == (RunOutcome.REFUSED, ())
    assert said in played.sentence


# --- certificates ----------------------------------------------------------------------------------


async def with_certificate(stage: Stage, days: int) -> Nginx:
    """An nginx that serves a certificate which is good for so many days."""
    stage.tool("issue", ISSUE)
    stage.tool("certbot", CERTBOT)
    nginx = Nginx(stage, tls=True)
    await stage.sh(f"mkdir -p /etc/letsencrypt/live/shop.example.org && cd /etc/letsencrypt/live/* && issue {days}")
    await nginx.configure()
    await stage.sh("nginx")
    return nginx


def inventory_of(nginx: Nginx) -> dict[str, str]:
    return {"certificate": "shop.example.org", "tls_address": f"127.0.0.1:{nginx.port}"}


async def served(stage: Stage, nginx: Nginx) -> str:
    """The fingerprint of what is served."""
    return await stage.sh(
        f"openssl s_client -connect 127.0.0.1:{nginx.port} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint"
    )


@pytest.mark.needs("nginx", "openssl")
async def test_a_certificate_near_its_end_is_renewed_loaded_and_served(stage: Stage) -> None:
    nginx = await with_certificate(stage, days=10)
    before = await served(stage, nginx)
    played = await stage.play("renew-certificate", inventory_of(nginx))
    assert played.outcome is RunOutcome.HELPED, played.sentence
    assert await served(stage, nginx) != before
    assert (stage.directory / "renewals").read_text() == "renewed\n"


@pytest.mark.needs("nginx", "openssl")
async def test_a_certificate_that_was_renewed_and_never_loaded_is_only_loaded(stage: Stage) -> None:
    nginx = await with_certificate(stage, days=10)
    await stage.sh("cd /etc/letsencrypt/live/* && issue 90")
    played = await stage.play("renew-certificate", inventory_of(nginx))
    assert (played.outcome, played.acts) == (RunOutcome.HELPED, ("systemctl reload-or-restart -- nginx.service",))


@pytest.mark.needs("nginx", "openssl")
async def test_a_renewal_that_brings_another_short_one_is_for_a_person(stage: Stage) -> None:
    nginx = await with_certificate(stage, days=10)
    stage.tool("certbot", CERTBOT.replace('issue" 90', 'issue" 2'))
    played = await stage.play("renew-certificate", inventory_of(nginx))
    assert (played.outcome, len(played.acts)) == (RunOutcome.FAILED, 1)


# --- mounts ----------------------------------------------------------------------------------------

# A file system whose server has the connection and never says a word.
HUNG = """
mkdir /mnt/share
exec 3<>/dev/fuse
mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 nas-1:/export /mnt/share
sleep 100 >/dev/null 2>&1 & echo $! >"$here/hung.pid"
exec 3>&-
"""


@pytest.mark.needs("/dev/fuse")
async def test_a_mount_that_hangs_is_found_out_about_and_handed_over(tmp_path: Path) -> None:
    with Stage(tmp_path / "stage", more=HUNG) as stage:
        played = await stage.play("diagnose-stuck-mount", mountpoint="/mnt/share")
    assert (played.outcome, played.acts) == (RunOutcome.DIAGNOSED, ())
    assert "(it answers)" in played.sentence
    assert "nas-1:/export" in played.kept["cat /proc/self/mountinfo"]
    assert "COMMAND" in played.kept["ps -eo stat,pid,ppid,user,wchan:32,etimes,comm"]


async def test_a_mount_that_answers_is_no_trouble(stage: Stage) -> None:
    played = await stage.play("diagnose-stuck-mount", mountpoint="/var/log")
    assert (played.outcome, played.acts) == (RunOutcome.DIAGNOSED, ())
