"""The child process that reads files and computes numbers for a run.

    python -m syncing.engine.reader_child

Started and spoken to by `syncing.engine.readers` over a socket on standard input. It
knows no database, no settings and no secret, and it ends when the other side of the
socket is gone, however that came about.
"""

from __future__ import annotations

import io
import os
import queue
import signal
import socket
import sys
import threading
import traceback
from typing import Any, BinaryIO

import pyarrow as pa

from athletes.analysis.swing_task import compute_here
from syncing.engine.wire import READY, receive, send
from syncing.reader.contents import RowsFile
from syncing.reader.errors import ExportFileError
from syncing.reader.limits import ReadLimits
from syncing.reader.packing import PackedFile, read_and_pack


def read_files(
    contents: list[BinaryIO],
    *,
    data_type: str,
    known_movement_ids: list[str | None],
    limits: ReadLimits,
) -> list[PackedFile | RowsFile]:
    """Return what each of the files holds, its frames packed."""
    return [
        read_and_pack(file, data_type=data_type, known_movement_id=known, limits=limits)
        for file, known in zip(contents, known_movement_ids, strict=True)
    ]


def _answer(message: Any, files: list[int]) -> tuple[Any, ...]:
    """Return what the parent is sent back.

    It is ("done", result), ("refused", error of the file) or ("failed", name, trace).
    """
    try:
        if message["work"] == "compute":
            return ("done", compute_here(message["tasks"]))
        given = iter(files)
        contents: list[BinaryIO] = [
            os.fdopen(next(given), "rb") if data is None else io.BytesIO(data)
            for data in message["contents"]
        ]
        try:
            return (
                "done",
                read_files(
                    contents,
                    data_type=message["data_type"],
                    known_movement_ids=message["known_movement_ids"],
                    limits=message["limits"],
                ),
            )
        finally:
            for file in contents:
                file.close()
    except ExportFileError as error:
        return ("refused", error)
    except Exception as error:
        return ("failed", type(error).__name__, traceback.format_exc())


def main() -> None:
    """Answer the parent's messages one after another until it is gone."""
    # A terminal sends its signals to every process of the group; when to end is the
    # parent's matter alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Several processes are the parallelism; threads in each would be in each other's
    # way.
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    parent = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    waiting: queue.SimpleQueue[tuple[Any, list[int]]] = queue.SimpleQueue()

    def listen() -> None:
        while True:
            try:
                message, files = receive(parent)
            except (EOFError, OSError):
                # Nobody wants the answer any more; not even the one being computed.
                os._exit(0)
            waiting.put((message, files))

    threading.Thread(target=listen, daemon=True).start()
    try:
        send(parent, READY)
        while True:
            message, files = waiting.get()
            send(parent, _answer(message, files))
    except OSError:
        os._exit(0)


if __name__ == "__main__":
    main()
