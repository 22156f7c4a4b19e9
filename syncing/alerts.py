"""Mail to those who asked for it (ALERT_EMAILS) when a day passes without success."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.formats import date_format

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


def last_success() -> datetime | None:
    """Return when a whole sync last ended without errors; None if never."""
    found: datetime | None = (
        SyncLog.objects.of_vendor()
        .filter(status=RunStatus.SUCCESS)
        .exclude(sync_type=SyncType.EXPORTS)
        .aggregate(at=Max("completed_at"))["at"]
    )
    return found


def last_pass() -> datetime | None:
    """Return when a whole sync last got through all its steps; None if never.

    Single files or sessions may have failed in it, which are listed by themselves.
    """
    found: datetime | None = (
        SyncLog.objects.of_vendor()
        .filter(
            Q(status=RunStatus.SUCCESS) | Q(status=RunStatus.PARTIAL, phase=Phase.DONE)
        )
        .exclude(sync_type=SyncType.EXPORTS)
        .aggregate(at=Max("completed_at"))["at"]
    )
    return found


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
    """Whether a day has passed since the last success; a first run has a day too."""
    if since is None:
        runs = SyncLog.objects.of_vendor().order_by("id")
        since = runs.values_list("created_at", flat=True).first()
    return since is not None and now - since > SUCCESS_MAX_AGE


def mail_when_overdue(now: datetime) -> bool:
    """Send the mail when it is due; return whether this call sent it."""
    if not settings.ALERT_EMAILS:
        return False
    success = last_success()
    if not is_overdue(now, success) or not _claim(now):
        return False
    run = SyncLog.objects.of_vendor().order_by("-id").first()
    at = "never"
    if success is not None:
        at = f"{date_format(timezone.localtime(success), 'M j, Y, P')}"
    lines = [f"A day has passed without a successful sync; the last success: {at}."]
    if run is not None:
        lines += ["", f"Run {run.pk}: {run.get_status_display().lower()}."]
        lines += [run.error_message] if run.error_message else []
    beat_at = WorkerHeartbeat.objects.aggregate(at=Max("beat_at"))["at"]
    if beat_at is None or now - beat_at > WORKER_SILENCE:
        lines += ["", "The sync service isn't running. Start it with:"]
        lines += ["python manage.py supervise_qcluster"]
    lines += ["", "Pages may be out of date. See the Syncing page for details."]
    subject, text = "No successful sync for a day", "\n".join(lines)
    try:
        send_mail(subject, text, None, settings.ALERT_EMAILS)
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


def _claim(now: datetime) -> bool:
    """Claim this day's mail for this process; a conditional update decides."""
    mark, _ = SyncCursor.objects.get_or_create(name=_MAILED, defaults={"value": None})
    if mark.value is not None and now - mark.value < MAIL_EVERY:
        return False
    unchanged = SyncCursor.objects.filter(pk=mark.pk, value=mark.value)
    if mark.value is None:
        unchanged = SyncCursor.objects.filter(pk=mark.pk, value__isnull=True)
    return bool(unchanged.update(value=now))
