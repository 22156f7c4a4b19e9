"""Messages and open files between a run and its processes, over one socket.

Both ends are this program on this machine and the socket has no name, so pickle is
safe here.
"""

from __future__ import annotations

import pickle
import socket
import struct
from collections.abc import Sequence
from typing import Any

READY = "ready"
_HEAD = struct.Struct("<QI")
#: Open files of one message; the systems' own limit is 253.
_MAX_FILES = 200


class TooManyFilesError(Exception):
    """More open files than one message can carry."""


def send(to: socket.socket, message: Any, files: Sequence[int] = ()) -> None:
    """Send one message; OSError when the other side is gone."""
    if len(files) > _MAX_FILES:
        raise TooManyFilesError
    body = pickle.dumps(message, protocol=5)
    head = _HEAD.pack(len(body), len(files))
    if files:
        socket.send_fds(to, [head], files)
    else:
        to.sendall(head)
    to.sendall(body)


def receive(source: socket.socket) -> tuple[Any, list[int]]:
    """Return one message with its open files; EOFError when the other side is gone."""
    head, files, _, _ = socket.recv_fds(source, _HEAD.size, _MAX_FILES)
    if len(head) < _HEAD.size:
        head += bytes(_exactly(source, _HEAD.size - len(head)))
    size, _ = _HEAD.unpack(head)
    body = _exactly(source, size)
    # The socket has no name: nobody but our own two ends can write to it.
    return pickle.loads(body), list(files)  # noqa: S301


def _exactly(source: socket.socket, size: int) -> bytearray:
    """Return the next `size` bytes; EOFError when the other side is gone."""
    data = bytearray(size)
    view = memoryview(data)
    filled = 0
    while filled < size:
        count = source.recv_into(view[filled:])
        if not count:
            raise EOFError
        filled += count
    return data
