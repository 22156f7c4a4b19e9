"""Lets the queue call only the functions that the settings list.

A schedule is a row with the name of any function of any module, so whoever may write
that row could have `os.system` called. The rule is asked where a task is put into the
queue and once more where a host takes it out, so it holds for rows that were written
past the administration too, and for superusers. What is refused is replaced by
`refuse`, which fails: an error here would stop the scheduler with all its schedules.
"""

from __future__ import annotations

import logging
import re
from typing import Any, NoReturn

from django.conf import settings
from django_q.signing import BadSignature, SignedPackage

logger = logging.getLogger(__name__)

REFUSE = "reboot_site.queuerules.refuse"


class NotOnTheList(Exception):
    """The queue was to call a function that the product did not register."""


def refuse(reason: str) -> NoReturn:
    """Fail in the place of a task that may not run: the list of failures has it."""
    raise NotOnTheList(reason)


def may_call(name: object) -> bool:
    """Whether the queue may call the function of this dotted name."""
    # A class of its own may say that it equals anything.
    return type(name) is str and name in settings.QUEUE_MAY_CALL


def hold_to_the_list(task: dict[str, Any]) -> bool:
    """Whether the task had to be replaced by one that fails, and says why in the log.

    The product uses neither hooks nor chains, nor has a task run at once in the process
    that puts it into the queue.
    """
    task.pop("sync", None)
    func = task.get("func")
    if func == REFUSE:
        return False
    if not may_call(func):
        what = f"the function {_plain(func)}"
    elif task.get("hook"):
        what = f"the hook {_plain(task['hook'])}"
    elif task.get("chain"):
        what = "a chain of tasks"
    else:
        return False
    reason = (
        f"The queue was asked to call {what}, which it is not allowed to "
        "(QUEUE_MAY_CALL), so it did not."
    )
    logger.error(
        "%s Find out who created that schedule or task, and delete it.", reason
    )
    for option in ("hook", "chain", "iter_count", "cached"):
        task.pop(option, None)
    # Once is enough: it is not given out again.
    task |= {"func": REFUSE, "args": (reason,), "kwargs": {}, "ack_failure": True}
    return True


def _plain(name: object) -> str:
    """A dotted name as it may stand in a log, where quoted values are left out."""
    return re.sub(r"[^\w.]", "?", str(name)[:200])


def on_enqueue(task: dict[str, Any], **kwargs: Any) -> None:
    """Hold what is put into the queue to the list."""
    hold_to_the_list(task)


def checked(package: Any) -> Any:
    """The package that came out of the queue, or one that fails in its place."""
    try:
        task = SignedPackage.loads(package)
    except (TypeError, BadSignature):
        return package  # the queue refuses it by itself
    return SignedPackage.dumps(task) if hold_to_the_list(task) else package
