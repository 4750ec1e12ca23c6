"""The service that dies: a page and metrics over HTTP, and a configuration that can be broken.

Run by supervisord as a script: `webapp.py PORT FOLDER`.
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TEXT = "webapp answers"
REFUSAL = "webapp: config line 7: unknown option 'listn'"

_METRICS = """\
# HELP webapp_requests_total Requests answered.
# TYPE webapp_requests_total counter
webapp_requests_total {requests}
"""


class Webapp(BaseHTTPRequestHandler):
    requests = 0

    def do_GET(self) -> None:
        Webapp.requests += 1
        if self.path == "/metrics":
            self._answer("text/plain; version=0.0.4; charset=utf-8", _METRICS.format(requests=Webapp.requests))
        else:
            self._answer("text/plain; charset=utf-8", f"{TEXT}\n")

    def _answer(self, content_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 named by the base class
        """The scrapes of every second are no news."""


def serve(port: int, folder: Path) -> None:
    if (folder / "broken").exists():
        sys.exit(REFUSAL)
    print(f"webapp: listening on {port}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", port), Webapp).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
