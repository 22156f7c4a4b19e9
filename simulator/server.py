"""A small threaded HTTP/1.1 server for the simulator.

It differs from ordinary WSGI servers in one thing: it can break a connection in the
middle of an answer when the application asks for it, which no WSGI call can do.
Meant for 127.0.0.1 and tests, not for the open network.
"""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote

from simulator.app import (
    CUT_BEFORE,
    CUT_BODY,
    CUT_HEADERS,
    CUT_KEY,
    Config,
    SimulatorApp,
)

# Idle keep-alive connections are dropped after this long.
IDLE_SECONDS = 75
MAX_REQUEST_BYTES = 8 * 1024**2


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "simulator"
    sys_version = ""
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: the application has its own log, without secret links."""

    def _serve(self) -> None:
        environ = self._environ()
        if environ is None:
            self.send_error(411)
            self.close_connection = True
            return
        started: dict[str, Any] = {}

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: object = None
        ) -> None:
            started["status"], started["headers"] = status, headers

        result = self.server.app(environ, start_response)
        try:
            self._answer(environ, started, result)
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()

    def _environ(self) -> dict[str, Any] | None:
        if self.headers.get("Transfer-Encoding"):
            return None
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_REQUEST_BYTES:
            return None
        path, _, query = self.path.partition("?")
        host, port = self.server.server_address[:2]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            # WSGI wants the bytes of the path as latin-1.
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": str(host),
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.rfile.read(length)),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = "HTTP_" + name.upper().replace("-", "_")
            if key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
                environ[key] = value
        return environ

    def _answer(
        self, environ: dict[str, Any], started: dict[str, Any], body: Iterable[bytes]
    ) -> None:
        cut = environ.get(CUT_KEY)
        if cut in (CUT_BEFORE, CUT_HEADERS):
            if cut == CUT_HEADERS:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
                self.wfile.flush()
            self.close_connection = True
            return
        code, _, reason = started["status"].partition(" ")
        self.send_response(int(code), reason)
        length = 0
        for name, value in started["headers"]:
            self.send_header(name, value)
            if name.lower() == "content-length":
                length = int(value)
        self.end_headers()
        if self.command == "HEAD":
            return
        # Cut halfway; of an answer of one byte nothing is left.
        left = length // 2 if cut == CUT_BODY else length
        for piece in body:
            self.wfile.write(piece[:left])
            left -= min(left, len(piece))
            if not left:
                break
        self.wfile.flush()
        if cut == CUT_BODY:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _serve


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], app: SimulatorApp) -> None:
        self.app = app
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        self._workers: set[threading.Thread] = set()
        super().__init__(address, _Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
            self._workers.add(threading.current_thread())
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._open_lock:
                self._open.discard(request)
                self._workers.discard(threading.current_thread())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print an error of a request, unless the client only hung up."""
        import sys

        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def drop_connections(self) -> None:
        """Close what is still open, so that every thread ends."""
        with self._open_lock:
            connections, workers = list(self._open), list(self._workers)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the other side was quicker
        for worker in workers:
            worker.join(timeout=5)


class SimulatorServer:
    """The simulator on a real port, in threads of this process.

    ``with SimulatorServer(Config(players=3)) as vendor:`` gives ``vendor.url``,
    ``vendor.world`` (read and change the data), ``vendor.log`` (requests seen) and
    ``vendor.app`` (switches and faults).
    """

    def __init__(
        self, config: Config | None = None, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.app = SimulatorApp(config or Config())
        self._server = _Server((host, port), self.app)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Return the address under which the simulator answers."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def world(self) -> Any:
        """Return the invented data, so that a test can change them."""
        return self.app.world

    @property
    def log(self) -> Any:
        """Return the log of requests."""
        return self.app.log

    def start(self) -> SimulatorServer:
        """Answer in a thread of this process; returns the server itself."""
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="simulator",
            daemon=True,
        )
        self._thread.start()
        return self

    def serve_forever(self) -> None:
        """Answer until the process is stopped."""
        self._server.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        """Stop answering and close all connections."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.drop_connections()
        self._server.server_close()
        self.app.close()

    def __enter__(self) -> SimulatorServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
