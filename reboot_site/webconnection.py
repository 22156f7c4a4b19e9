"""A client of the web server: its socket, and the bytes that come and go over it.

The worker (reboot_site/webworker.py) decides who is waited for, and how long.
"""

from __future__ import annotations

import errno
import os
import re
import select
import socket
import stat
import tempfile
import time
from collections import deque
from typing import IO, Any

from gunicorn.workers.gthread import TConn

#: Whoever is slower than this, over the whole body or answer, is cut off.
LEAST_BYTES_PER_S = 8 * 1024
#: Larger bodies are for staff who add files: the application reads them itself, after
#: it has looked at who sends them. Equals Django's DATA_UPLOAD_MAX_MEMORY_SIZE.
COLLECTED_BODY_MAX = 2_621_440
#: What of an answer waits in memory; more waits in a file that has no name.
WAITING_IN_MEMORY = 256 * 1024
#: Sent for one connection before another one has its turn.
TURN = 1024 * 1024

_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d{1,18})[ \t]*\r?$")
_CHUNKED = re.compile(rb"(?im)^transfer-encoding[ \t]*:")
_EXPECTS = re.compile(rb"(?im)^expect:[ \t]*100-continue[ \t]*\r?$")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Channel:
    """A client's socket as gunicorn's parser and answer see it; never waits to send.

    One thread uses it at a time: the worker's loop, or the one that works.
    """

    def __init__(self, client: socket.socket, patience_s: float) -> None:
        client.setblocking(False)
        self._socket = client
        self._patience_s = patience_s
        self._feed = b""
        self._at = 0
        #: Bytes of the body that the application has to read from the client itself.
        self.rest = 0
        self._read_until = 0.0
        self.has_continued = False
        self._pieces: deque[list[Any]] = deque()
        self._in_memory = 0
        self._file: IO[bytes] | None = None
        self._copies: list[int] = []

    # What arrives.

    def feed(self, data: bytes, rest: int) -> None:
        """Give the parser one request, of which `rest` bytes are still to come."""
        self._feed, self._at, self.rest = data, 0, rest
        self._read_until = time.monotonic() + allowed_s(self._patience_s, rest)

    @property
    def is_used_up(self) -> bool:
        """Whether the request was read to its end."""
        return not self.rest and self._at >= len(self._feed)

    def recv(self, size: int) -> bytes:
        """Return bytes of the request; OSError when the rest comes too slowly."""
        if self._at < len(self._feed):
            data = self._feed[self._at : self._at + size]
            self._at += len(data)
            return data
        if not self.rest:
            return b""
        wait_s = min(self._read_until - time.monotonic(), self._patience_s)
        if wait_s <= 0 or not self._is_ready(wait_s):
            # For gunicorn and Django as if the client had gone.
            raise ConnectionResetError(
                errno.ECONNRESET, "The client is sending its body too slowly."
            )
        data = self._socket.recv(min(size, self.rest))
        self.rest -= len(data)
        return data

    def _is_ready(self, wait_s: float) -> bool:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(wait_s * 1000))

    def receive(self, size: int = 65536) -> bytes:
        """Return the bytes that have arrived; BlockingIOError when there are none."""
        return self._socket.recv(size)

    # What leaves.

    def send(self, data: bytes) -> int:
        """Keep the bytes for sending and return how many they are."""
        if data != _CONTINUE or not self.has_continued:
            self.sendall(data)
        return len(data)

    def sendall(self, data: bytes) -> None:
        """Send what the client takes at once, and keep the rest."""
        if not self.flush(None):
            self._keep(data)
            return
        view = memoryview(data)
        while view:
            try:
                view = view[self._socket.send(view) :]
            except BlockingIOError:
                self._keep(bytes(view))
                return

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> None:
        """Send a part of a file; the rest is read when the client takes it."""
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            file.seek(offset)
            left = count
            while data := file.read(65536 if left is None else min(left, 65536)):
                self.sendall(data)
                left = None if left is None else left - len(data)
            return
        copy = os.dup(file.fileno())
        self._copies.append(copy)
        self._pieces.append([copy, offset, status.st_size if count is None else count])
        self.flush(None)

    def _keep(self, data: bytes) -> None:
        if self._in_memory + len(data) <= WAITING_IN_MEMORY:
            self._pieces.append([data, 0, len(data)])
            self._in_memory += len(data)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - kept
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(data)
        self._file.flush()
        last = self._pieces[-1] if self._pieces else None
        if last and last[0] == self._file.fileno() and last[1] + last[2] == offset:
            last[2] += len(data)
        else:
            self._pieces.append([self._file.fileno(), offset, len(data)])

    @property
    def waiting(self) -> int:
        """Return how many bytes the client has not taken yet."""
        return sum(piece[2] for piece in self._pieces)

    def flush(self, turn: int | None) -> bool:
        """Send kept bytes, at most about `turn`; return whether none is left."""
        while self._pieces:
            if turn is not None and turn <= 0:
                return False
            source, offset, count = self._pieces[0]
            try:
                if isinstance(source, bytes):
                    sent = self._socket.send(memoryview(source)[offset:])
                else:
                    wanted = min(count, TURN)
                    sent = os.sendfile(self._socket.fileno(), source, offset, wanted)
            except BlockingIOError:
                return False
            if not sent:
                raise BrokenPipeError("A file ended before its answer did.")
            turn = None if turn is None else turn - sent
            if isinstance(source, bytes):
                self._in_memory -= sent
            if sent == count:
                self._pieces.popleft()
            else:
                self._pieces[0][1:] = [offset + sent, count - sent]
        self._forget_files()
        return True

    def _forget_files(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        while self._copies:
            os.close(self._copies.pop())

    # The rest of a socket that gunicorn uses. Whether it blocks is decided above.

    def fileno(self) -> int:
        """Return the number of the socket, as a poller wants it."""
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:
        """Ignore the call: this socket never blocks."""

    def settimeout(self, value: float | None) -> None:
        """Ignore the call: the worker's own deadlines hold."""

    def gettimeout(self) -> float | None:
        """Return None: the worker's own deadlines hold."""
        return None

    def shutdown(self, how: int) -> None:
        """Shut one direction of the socket, or both."""
        self._socket.shutdown(how)

    def close(self) -> None:
        """Drop what was not sent and close the socket."""
        self._pieces.clear()
        self._forget_files()
        self._socket.close()


def allowed_s(patience_s: float, size: int) -> float:
    """Return the seconds in which `size` bytes must have been read or sent."""
    return patience_s + size / LEAST_BYTES_PER_S


class Connection(TConn):  # type: ignore[misc]  # untyped there
    """A client, and what has arrived from it beyond the request that is answered."""

    sock: Channel

    def __init__(
        self, cfg: Any, client: socket.socket, address: Any, server: Any, *, s: float
    ) -> None:
        super().__init__(cfg, Channel(client, s), address, server)
        self.arrived = bytearray()
        self.deadline = 0.0
        #: Of the request that arrives, as far as that is known.
        self.wanted: int | None = None
        self.rest = 0
        self.is_last = False

    def begin(self) -> None:
        """Forget the request that was answered and expect a new one."""
        self.wanted, self.rest = None, 0
        self.sock.has_continued = False

    def look_at_head(self) -> bool:
        """Find out how much is to arrive; False when the head is not whole yet."""
        end = self.arrived.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self.arrived[: end + 2])
        size = end + 4
        if _CHUNKED.search(head):
            # For Django a body without a length is empty; nobody reads it.
            self.is_last = True
        elif length := _LENGTH.search(head):
            body = int(length[1])
            if body <= COLLECTED_BODY_MAX:
                size += body
            else:
                have = min(len(self.arrived), size + body)
                self.rest = size + body - have
                size = have
        self.wanted = size
        if size > len(self.arrived) and _EXPECTS.search(head):
            self.sock.send(_CONTINUE)
            self.sock.has_continued = True
        return True

    def take_request(self) -> None:
        """Give the parser one whole request and keep the bytes that came after it."""
        data = bytes(self.arrived[: self.wanted])
        del self.arrived[: self.wanted]
        self.sock.feed(data, self.rest)
