"""Child processes that read files and compute numbers, so that requests do not wait.

Python runs one thread at a time. Reading, packing and analyzing in threads beside the
requests makes each of these wait for its turn several times, and uses one processor
of those that there are.

They are plain child processes and not `multiprocessing`: nothing is shared through a
fork, workers of the queue (which may not have children of that kind) can start them,
and they end with the socket to their parent, even when that was killed.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from athletes.analysis.swing_task import SwingResult, SwingTask, compute_here
from syncing.engine.downloads import DownloadedFile
from syncing.engine.wire import READY, TooManyFilesError, receive, send
from syncing.reader.contents import RowsFile
from syncing.reader.limits import ReadLimits
from syncing.reader.packing import PackedFile, read_and_pack

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent.parent
#: What a child gets of our environment: no key, no login, no address of a database.
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH")
_START_S = 60.0
#: Files up to this size are sent, larger ones handed over open.
_SENT_BYTES = 1_000_000


class ProcessDiedError(Exception):
    """A process ended in the middle of its work: the system ended it, or a crash."""


class RemoteError(Exception):
    """A fault of the program in a process; its traceback was logged."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class _Child:
    """One child process and the socket to it; used by one thread at a time."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        environment = {
            name: value for name, value in os.environ.items() if name in _ENVIRONMENT
        }
        # One thread for linear algebra in each: see `pa.set_cpu_count` in the child.
        environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, "-m", "syncing.engine.reader_child"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd=ROOT,
                env=environment,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._socket = ours
        self._is_ready = False

    @property
    def pid(self) -> int:
        """Return the id of the process."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Return when the process has started; EOFError or OSError when it did not."""
        if not self._is_ready:
            self._socket.settimeout(_START_S)
            message, _ = receive(self._socket)
            self._socket.settimeout(None)
            if message != READY:
                raise EOFError
            self._is_ready = True

    def ask(self, message: dict[str, Any], files: Sequence[int]) -> tuple[Any, ...]:
        """Return the answer to a message; OSError or EOFError when nobody is there."""
        send(self._socket, message, files)
        answer: tuple[Any, ...]
        answer, _ = receive(self._socket)
        return answer

    def close(self) -> None:
        # A thread that waits for an answer hears of it at once.
        with suppress(OSError):  # the other side is gone
            self._socket.shutdown(socket.SHUT_RDWR)
        self._process.kill()
        self._process.wait()  # real: the system ends it when it can
        self._socket.close()


class ReaderProcesses:
    """Some child processes; with none, work is done in the calling thread.

    Parameters
    ----------
    count
        How many processes to start; fewer when the system does not let them start.
    check
        Raises when the run has ended, so that threads which wait end as well.
    """

    def __init__(self, count: int, *, check: Callable[[], None]) -> None:
        self._check = check
        self._children: list[_Child] = []
        self._idle: queue.SimpleQueue[_Child | None] = queue.SimpleQueue()
        self._is_closed = False
        try:
            for _ in range(count):
                self._add()
        except OSError as error:
            logger.warning(
                "No reader process could be started (%s); this process reads files "
                "itself, which is slower.",
                error,
            )
            self.close()
            self._children.clear()
            self._is_closed = False
        self.count = len(self._children)

    def _add(self) -> None:
        child = _Child()
        self._children.append(child)
        self._idle.put(child)

    @property
    def pids(self) -> list[int]:
        """Return the process ids, for tests and logs."""
        return [child.pid for child in self._children]

    def read(
        self, files: Sequence[DownloadedFile], *, data_type: str, limits: ReadLimits
    ) -> list[PackedFile | RowsFile]:
        """Return what downloaded files of one data type hold, frames packed.

        Raises
        ------
        ExportFileError
            One of the files cannot be used.
        ProcessDiedError
            The system ended the process that read them.
        RemoteError
            A fault of the program, in the process.
        """
        large = [item for item in files if item.size > _SENT_BYTES]
        message = {
            "work": "read",
            "contents": [
                None if item.size > _SENT_BYTES else _bytes_of(item.file)
                for item in files
            ],
            "data_type": data_type,
            "known_movement_ids": [item.org_movement_id for item in files],
            "limits": limits,
        }
        try:
            answer = self._ask(message, [item.file.fileno() for item in large])
        except TooManyFilesError:
            answer = None
        if answer is None:
            return [
                read_and_pack(
                    item.file,
                    data_type=data_type,
                    known_movement_id=item.org_movement_id,
                    limits=limits,
                )
                for item in files
            ]
        found: list[PackedFile | RowsFile] = answer
        return found

    def compute(self, tasks: Sequence[SwingTask]) -> list[SwingResult]:
        """Return the numbers of movements, one result a task and in their order."""
        answer = self._ask({"work": "compute", "tasks": list(tasks)}, [])
        if answer is None:
            return compute_here(tasks)
        found: list[SwingResult] = answer
        return found

    def _ask(self, message: dict[str, Any], files: Sequence[int]) -> Any:
        """Return what a process answers; None when there is no process to ask."""
        if self._is_closed:
            self._check()
        if not self._children:
            return None
        child = self._idle.get()
        if child is None:
            self._idle.put(None)
            self._check()
            return None
        try:
            child.wait_until_ready()
        except (OSError, EOFError):
            self._check()
            # It cannot work here (a limit of the host, say): do without.
            logger.warning(
                "A reader process did not start; the run continues without it. If "
                "this keeps happening, check for a limit on processes or memory."
            )
            self._drop(child)
            return self._ask(message, files)
        try:
            answer = child.ask(message, files)
        except (OSError, EOFError) as error:
            # The end of the run closes the processes under threads that wait.
            self._check()
            logger.warning(
                "Process %s stopped in the middle of its work; another one takes its "
                "place. If this keeps happening, give the worker more memory.",
                child.pid,
            )
            self._replace(child)
            raise ProcessDiedError from error
        except BaseException:
            self._replace(child)
            raise
        self._idle.put(child)
        if answer[0] == "done":
            return answer[1]
        if answer[0] == "refused":
            raise answer[1]
        logger.error(
            "Process %s hit a bug. Report this traceback:\n%s",
            child.pid,
            answer[2],
        )
        raise RemoteError(answer[1])

    def _replace(self, child: _Child) -> None:
        """End a process and start another one in its place."""
        if self._is_closed:
            return
        self._children.remove(child)
        child.close()
        try:
            self._add()
        except OSError:
            self._after_loss()

    def _drop(self, child: _Child) -> None:
        """End a process and go on with one less."""
        self._children.remove(child)
        child.close()
        self._after_loss()

    def _after_loss(self) -> None:
        if not self._children:
            # Wakes the threads that wait for one.
            self._idle.put(None)

    def close(self) -> None:
        """End all processes, in the middle of their work as well."""
        self._is_closed = True
        for child in self._children:
            child.close()


def _bytes_of(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()
