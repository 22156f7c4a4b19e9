"""Work that goes on when its request has been answered.

For what must not show in the time that an answer takes, and needs no worker of the
queue to be there. It is done in turn by one thread of the process, which a process
that is told to stop lets finish.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context

from django.db import connections

logger = logging.getLogger(__name__)

# One, so that a mail server that hangs holds one thread and one connection.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="later")


def later(what: str, work: Callable[[], object]) -> Future[None]:
    """Do `work` in the background, one after another; a failure is logged as `what`."""

    def do() -> None:
        try:
            work()
        except Exception:
            logger.exception(
                'The background task "%s" failed. Fix the error below, then request '
                "it again.",
                what,
            )
        finally:
            connections.close_all()

    # The lines it logs belong to the request.
    return _thread.submit(copy_context().run, do)
