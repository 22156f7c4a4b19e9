"""Marks that name a process for good, and whether a marked process is gone.

A process number says nothing on another host, in another container, after a restart
of the machine, or once the number was given out again. A mark holds all of that, so
that "gone" is only said of a process that cannot come back.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

_PROC = Path("/proc")


@cache
def place() -> str:
    """Return what all marks made here begin with.

    It names the running system and, inside a container, the container.
    """
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = str((_PROC / "self/ns/pid").readlink()).strip("pid:[]")
    except OSError:
        # No Linux: the name has to do.
        return socket.gethostname()[:60].replace(":", "-")
    return f"{boot}-{space}"


def mark(pid: int | None = None) -> str:
    """Return a process (the calling one unless named) as ``place:pid:start``."""
    pid = os.getpid() if pid is None else pid
    _, started = _state(pid)
    return f"{place()}:{pid}:{started}"


def is_gone(found: str) -> bool:
    """Whether the marked process ran here and has ended; False where unknown."""
    where, _, rest = found.partition(":")
    pid, _, started = rest.partition(":")
    if where != place() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # somebody else's now, under a number that was given out again
    state, now_started = _state(int(pid))
    # A killed child that nobody has waited for still has a number. What cannot be
    # read says nothing.
    return bool(state) and (state == "Z" or now_started != started)


def _state(pid: int) -> tuple[str, str]:
    """Return state letter and start in ticks of a process (proc(5), "stat")."""
    try:
        text = (_PROC / str(pid) / "stat").read_text("ascii", errors="replace")
    except OSError:
        return "", ""
    fields = text.rpartition(")")[2].split()
    return fields[0], fields[19]
