"""The web server's worker, in which a slow client holds no thread.

gunicorn's own worker with threads gives a connection to a thread at its first byte and
sets no end to the rest: as many slow clients as there are threads stop the whole site,
for as long as they like (docs/decisions/0008-slow-clients.md). Here the worker's one
loop, which never waits for anybody, collects a request and sends an answer. A thread
has a connection only in between: while the application works.

    arriving -> working (a thread) -> sending -> kept for the next request, or closed
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from reboot_site.env import Env
from reboot_site.webconnection import TURN, Connection, allowed_s

HEAD_MAX = 64 * 1024
#: Of all requests that are arriving in one process.
ARRIVING_MAX = 64 * 1024 * 1024
LINGER_S = 2.0

_TOO_SLOW = "408 Request Timeout"
_TOO_LARGE_HEAD = "431 Request Header Fields Too Large"
_TOO_MUCH = "503 Service Unavailable"


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # untyped there
    """Collects requests and sends answers without threads, each within its time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        env = Env(os.environ)
        self.patience_s = env.integer("WEB_PATIENCE_SECONDS", 20, low=1, high=600)
        # Connections that the loop looks after, with what it does when they are ready.
        # Not those that a thread has, nor those that are kept for a next request.
        self._watched: dict[Connection, str] = {}
        self._next_look = 0.0
        self._stopped_at: float | None = None

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Raise `ValueError` for settings that this worker cannot serve."""
        super().check_config(cfg, log)
        if cfg.is_ssl or cfg.http2_cleartext != "off":
            raise ValueError(
                "This worker speaks plain HTTP/1.1: leave TLS and HTTP/2 to the proxy "
                "in front of it."
            )

    # Arriving.

    def accept(self, listener: Any) -> None:
        """Take a new client and begin to read its request."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self.log.warning(
                    "This process cannot open more files, so a client waits. Raise the "
                    "limit of open files (ulimit -n)."
                )
                self._make_room()
            elif error.errno not in (
                *(errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED),
            ):
                raise
            return
        self.nr_conns += 1
        server = listener.getsockname()
        conn = Connection(self.cfg, client, address, server, s=self.patience_s)
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        self._arrive(conn)

    def on_client_socket_readable(self, conn: Connection, client: Any) -> None:
        """Begin to read the next request of a client that stayed."""
        if conn not in self.keepalived_conns:
            return  # closed within this round
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._arrive(conn)

    def _arrive(self, conn: Connection) -> None:
        conn.begin()
        conn.deadline = time.monotonic() + self.patience_s
        if not self._collect(conn):
            self._watch(conn, selectors.EVENT_READ, "arriving", self._on_arriving)

    def _on_arriving(self, conn: Connection) -> None:
        self._collect(conn)

    def _collect(self, conn: Connection) -> bool:
        """Read what has arrived; return whether the request needs no more reading."""
        while True:
            if conn.wanted is None and conn.look_at_head():
                size = (conn.wanted or 0) - len(conn.arrived)
                conn.deadline = time.monotonic() + allowed_s(self.patience_s, size)
            if conn.wanted is not None and len(conn.arrived) >= conn.wanted:
                self._unwatch(conn)
                conn.take_request()
                conn.data_ready = True
                self.enqueue_req(conn)
                return True
            if conn.wanted is None and len(conn.arrived) > HEAD_MAX:
                self._refuse(conn, _TOO_LARGE_HEAD)
                return True
            try:
                data = conn.sock.receive()
            except BlockingIOError:
                return False
            except OSError:
                data = b""
            if not data:
                self._drop(conn)
                return True
            conn.arrived += data
            if len(conn.arrived) > HEAD_MAX:
                self._bound_memory()
                if self._watched.get(conn, "arriving") != "arriving":
                    return True

    def _bound_memory(self) -> None:
        arriving = [c for c, state in self._watched.items() if state == "arriving"]
        if sum(len(conn.arrived) for conn in arriving) > ARRIVING_MAX:
            self._refuse(max(arriving, key=lambda c: len(c.arrived)), _TOO_MUCH)

    def _make_room(self) -> None:
        """Close the connection that costs least: an idle one, else the slowest."""
        if self.keepalived_conns:
            conn = self.keepalived_conns.popleft()
            self.poller.unregister(conn.sock)
            self._drop(conn)
            return
        arriving = [c for c, state in self._watched.items() if state != "sending"]
        if arriving:
            self._drop(min(arriving, key=lambda c: c.deadline))

    def _refuse(self, conn: Connection, status: str) -> None:
        """Answer without the application, and close."""
        self._unwatch(conn)
        text = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        try:
            conn.sock.sendall(text.encode())
        except OSError:
            self._drop(conn)
            return
        self._linger(conn)

    # Answering.

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """Return whether the connection stays open: its request was read to the end."""
        if not keepalive or conn.is_last or conn.sock.rest:
            return False
        return (
            super()._keepalive_after(conn, keepalive)
            and conn.sock.is_used_up
            and not conn.parser.unreader.buf.getvalue()
        )

    def finish_request(self, conn: Connection, fs: Future[Any]) -> None:
        """Send what is left of an answer once a thread has finished its request."""
        try:
            conn.is_last = fs.cancelled() or not fs.result()
        except Exception:
            conn.is_last = True
        size = conn.sock.waiting
        conn.deadline = time.monotonic() + allowed_s(self.patience_s, size)
        if not self._send(conn):
            self._watch(conn, selectors.EVENT_WRITE, "sending", self._send)

    def _send(self, conn: Connection) -> bool:
        try:
            if not conn.sock.flush(TURN):
                return False
        except (OSError, ValueError):  # gone, or closed by the thread
            self._drop(conn)
            return True
        self._unwatch(conn)
        if conn.is_last:
            self._linger(conn)
        elif conn.arrived:
            self._arrive(conn)
        else:
            conn.set_timeout()
            if not self.alive:
                until = time.monotonic() + STOP_KEEPALIVE_LINGER
                conn.timeout = min(conn.timeout, until)
            self.keepalived_conns.append(conn)
            callback = partial(self.on_client_socket_readable, conn)
            self.poller.register(conn.sock, selectors.EVENT_READ, callback)
        return True

    def _linger(self, conn: Connection) -> None:
        """Wait a moment for the client to close: else it may lose the answer's end."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        conn.deadline = time.monotonic() + LINGER_S
        self._watch(conn, selectors.EVENT_READ, "lingering", self._on_lingering)

    def _on_lingering(self, conn: Connection) -> None:
        try:
            is_over = not conn.sock.receive()
        except BlockingIOError:
            return
        except OSError:
            is_over = True
        if is_over:
            self._drop(conn)

    # Looking after them.

    def _watch(
        self, conn: Connection, event: int, state: str, then: Callable[[Any], Any]
    ) -> None:
        self._watched[conn] = state

        def ready(_: Any) -> None:
            if self._watched.get(conn) == state:
                then(conn)

        try:
            self.poller.register(conn.sock, event, ready)
        except (OSError, ValueError):
            self._drop(conn)

    def _unwatch(self, conn: Connection) -> None:
        if self._watched.pop(conn, None) is not None:
            self.poller.unregister(conn.sock)

    def _drop(self, conn: Connection) -> None:
        if conn.sock.fileno() < 0:
            return
        self._unwatch(conn)
        self.nr_conns -= 1
        conn.sock.close()

    def murder_pending(self) -> None:
        """Close connections that are too slow; the loop calls this all the time."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + 0.2
        if not self.alive and self._stopped_at is None:
            self._stopped_at = now
        for conn, state in list(self._watched.items()):
            deadline = conn.deadline
            is_silent = state == "arriving" and not conn.arrived
            if is_silent and self._stopped_at is not None:
                # A worker that stops does not wait for who has asked nothing.
                deadline = min(deadline, self._stopped_at + STOP_KEEPALIVE_LINGER)
            if deadline > now:
                continue
            if state == "arriving" and conn.arrived:
                self._refuse(conn, _TOO_SLOW)
            else:
                self._drop(conn)
