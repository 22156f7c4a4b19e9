"""Mail to ALERT_EMAILS when a day passes in which no sync brought all data."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.formats import date_format

from athletes.models import Session
from syncing.choices import Phase, RunStatus, SyncType
from syncing.models import SyncCursor, SyncLog, WorkerHeartbeat

logger = logging.getLogger(__name__)

#: People are told when the last success is older than this.
SUCCESS_MAX_AGE = timedelta(hours=24)
#: And told again only after this long.
MAIL_EVERY = timedelta(hours=24)
#: Without a heartbeat for so long workers are taken for stopped.
WORKER_SILENCE = timedelta(minutes=3)
_MAILED = "overdue-mail"


@dataclass(frozen=True)
class LastEnds:
    """When whole syncs last ended well; None: never."""

    #: Without any error.
    success: datetime | None
    #: Through all its steps. Single files or sessions may have failed in it, which are
    #: listed by themselves.
    through: datetime | None


def last_ends() -> LastEnds:
    """Return when a whole sync last ended without errors, and last got through."""
    is_success = Q(status=RunStatus.SUCCESS)
    is_through = is_success | Q(status=RunStatus.PARTIAL, phase=Phase.DONE)
    found = (
        SyncLog.objects.of_vendor()
        .exclude(sync_type=SyncType.EXPORTS)
        .aggregate(
            success=Max("completed_at", filter=is_success),
            through=Max("completed_at", filter=is_through),
        )
    )
    return LastEnds(**found)


def last_success() -> datetime | None:
    """Return when a whole sync last ended without errors; None if never."""
    return last_ends().success


def last_pass() -> datetime | None:
    """Return when a whole sync last got through all its steps; None if never."""
    return last_ends().through


def last_whole_status() -> str | None:
    """Return how the newest whole sync that has ended did so; None before the first.

    A run that only fetches waiting files says nothing about the rest.
    """
    return (
        SyncLog.objects.of_vendor()
        .filter(completed_at__isnull=False)
        .exclude(sync_type=SyncType.EXPORTS)
        .order_by("-id")
        .values_list("status", flat=True)
        .first()
    )


def is_overdue(now: datetime, since: datetime | None) -> bool:
    """Whether a day has passed since `since`; a first run has a day too."""
    if since is None:
        runs = SyncLog.objects.of_vendor().order_by("id")
        since = runs.values_list("created_at", flat=True).first()
    return since is not None and now - since > SUCCESS_MAX_AGE


def mail_when_overdue(now: datetime) -> bool:
    """Send the mail when it is due; return whether this call sent it."""
    if not settings.ALERT_EMAILS:
        return False
    last = last_ends()
    if not is_overdue(now, last.success) or not _claim(now):
        return False
    run = SyncLog.objects.of_vendor().order_by("-id").first()
    subject = "No successful sync for a day"
    told = (
        f"A day has passed without a successful sync; the last success: "
        f"{_day_and_time(last.success)}."
    )
    outlook = "Pages may be out of date."
    if not is_overdue(now, last.through):
        subject = "Some data has been missing for a day"
        sessions = Session.objects.needing_care().count()
        told = (
            f"The last sync got through on {_day_and_time(last.through)}, but not all "
            f"of its data arrived. Last complete sync: {_day_and_time(last.success)}. "
            f"Sessions that are incomplete: {sessions}."
        )
        outlook = "Everything else is up to date."
    lines = [told]
    if run is not None:
        lines += ["", f"Run {run.pk}: {run.get_status_display().lower()}."]
        lines += [run.error_message] if run.error_message else []
    beat_at = WorkerHeartbeat.objects.aggregate(at=Max("beat_at"))["at"]
    if beat_at is None or now - beat_at > WORKER_SILENCE:
        lines += ["", "The sync service isn't running. Start it with:"]
        lines += ["python manage.py supervise_qcluster"]
    lines += ["", f"{outlook} See the Syncing page for details."]
    try:
        send_mail(subject, "\n".join(lines), None, settings.ALERT_EMAILS)
    except (OSError, SMTPException) as error:
        # The reason alone: servers repeat addresses in their answers.
        logger.error(
            "The alert email could not be sent (%s) and will be retried. Check the "
            "email settings (EMAIL_HOST).",
            type(error).__name__,
        )
        SyncCursor.objects.filter(name=_MAILED).update(value=None)
        return False
    return True


def _day_and_time(at: datetime | None) -> str:
    return "never" if at is None else date_format(timezone.localtime(at), "M j, Y, P")


def _claim(now: datetime) -> bool:
    """Claim this day's mail for this process; a conditional update decides."""
    mark, _ = SyncCursor.objects.get_or_create(name=_MAILED, defaults={"value": None})
    if mark.value is not None and now - mark.value < MAIL_EVERY:
        return False
    unchanged = SyncCursor.objects.filter(pk=mark.pk, value=mark.value)
    if mark.value is None:
        unchanged = SyncCursor.objects.filter(pk=mark.pk, value__isnull=True)
    return bool(unchanged.update(value=now))
