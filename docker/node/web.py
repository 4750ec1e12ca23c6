"""The web service of a demonstration node: a page, and numbers about itself for Prometheus."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import gethostname

STARTED_AT = time.time()

METRICS = """\
# HELP web_pages_total Pages served since the start.
# TYPE web_pages_total counter
web_pages_total {pages}
# HELP web_start_time_seconds When the service was started.
# TYPE web_start_time_seconds gauge
web_start_time_seconds {started_at}
"""


class Handler(BaseHTTPRequestHandler):
    pages = 0

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer(METRICS.format(pages=Handler.pages, started_at=STARTED_AT))
        else:
            Handler.pages += 1
            self._answer(f"{gethostname()} is at work\n")

    def _answer(self, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    # Every address of the container; who reaches it is decided by the network of docker-compose.yml.
    ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()  # noqa: S104
