"""A service that answers every GET with the name of its node. Run as a script: `named.py NAME PORT`."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    request_queue_size = 256


def handler(name: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"this is {name}\n".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 named by the base class
            """A hundred requests a second are no news."""

    return Handler


if __name__ == "__main__":
    Server(("0.0.0.0", int(sys.argv[2])), handler(sys.argv[1])).serve_forever()
