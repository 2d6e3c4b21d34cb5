"""A small threaded HTTP server for the REST stand-in, so that tests have a ``TWILIO_API_URL``."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from simulator.rest import Answering


class RestServer:
    """Serves ``answering`` on a port of this machine until it is closed."""

    def __init__(self, answering: Answering, port: int = 0) -> None:
        self._stop = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(answering, self._stop))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving, also those answers that still hang."""
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(answering: Answering, stop: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = answering(self.command, self.path, headers, body)
            if reply.hangs:
                stop.wait(reply.hangs)
            content = reply.content
            try:
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                self.close_connection = True  # the client gave up, as it should

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 (the library's names)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: the transcript has it."""

    return Handler
