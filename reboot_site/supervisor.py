"""Keeps the queue's cluster alive from outside of it.

A django-q2 cluster whose idle worker is killed can stop working with its main
process still alive, and a stop signal sent to the whole process group makes it
hang. So the cluster runs in a process group of its own, gets the stop signal at
its main process alone, and is started again when its heartbeat grows old.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

logger = logging.getLogger(__name__)

# The heartbeat is a task once a minute; three missed ones are no accident. A
# cluster gets as long to send its first.
HEARTBEAT_LIMIT_S = 240.0
STOP_GRACE_S = 30.0
RESTART_PAUSE_S = 2.0


class Supervisor:
    """Runs one command and keeps it running until told to stop.

    Parameters
    ----------
    command
        Program and arguments.
    heartbeat_age_s
        Seconds since the last sign of life, None when there never was one.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        heartbeat_age_s: Callable[[], float | None],
        heartbeat_limit_s: float = HEARTBEAT_LIMIT_S,
        stop_grace_s: float = STOP_GRACE_S,
        check_every_s: float = 15.0,
    ) -> None:
        self.command = list(command)
        self.heartbeat_age_s = heartbeat_age_s
        self.heartbeat_limit_s = heartbeat_limit_s
        self.stop_grace_s = stop_grace_s
        self.check_every_s = check_every_s
        self.starts = 0
        self._stopping = False
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0

    def run(self) -> int:
        """Block until a stop signal; returns the exit status for the shell."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._on_signal)
        next_check = 0.0
        while not self._stopping:
            if self._process is None:
                self._start()
                next_check = time.monotonic() + self.check_every_s
            status = self._process.poll() if self._process else None
            if status is not None:
                logger.warning(
                    "The queue's cluster ended with status %s and is being restarted. "
                    "If this keeps happening, check the lines above.",
                    status,
                )
                self._kill_group()
                self._process = None
                self._pause(RESTART_PAUSE_S)
                continue
            if time.monotonic() >= next_check:
                next_check = time.monotonic() + self.check_every_s
                if self._is_silent():
                    logger.error(
                        "The queue's cluster isn't responding and is being restarted. "
                        "If this keeps happening, check the database and this host's "
                        "memory."
                    )
                    self._stop()
                    continue
            self._pause(0.5)
        self._stop()
        return 0

    def _on_signal(self, signum: int, frame: object) -> None:
        self._stopping = True

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < until:
            time.sleep(0.1)

    def _start(self) -> None:
        # A session of its own, so that a Ctrl-C in the terminal reaches only us.
        # S603: the command is this program's own.
        self._process = subprocess.Popen(self.command, start_new_session=True)  # noqa: S603
        self._started_at = time.monotonic()
        self.starts += 1

    def _is_silent(self) -> bool:
        if time.monotonic() - self._started_at < self.heartbeat_limit_s:
            return False
        age = self.heartbeat_age_s()
        return age is None or age > self.heartbeat_limit_s

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(self.stop_grace_s)
        except subprocess.TimeoutExpired:
            logger.warning(
                "The queue's cluster did not stop in time and was killed. The next "
                "sweep picks up its work; no action is needed."
            )
        self._kill_group(process)

    def _kill_group(self, process: subprocess.Popen[bytes] | None = None) -> None:
        """Kill the processes that the main process may have left behind."""
        process = process or self._process
        if process is None:
            return
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        process.wait()


def qcluster_command() -> list[str]:
    """The queue's cluster, with the interpreter that runs this process."""
    return [sys.executable, "manage.py", "qcluster"]
