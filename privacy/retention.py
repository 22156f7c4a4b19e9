"""Deletes what has been kept long enough; how long is a setting for each kind."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session as Login
from django.utils import timezone

from accounts import sent_forms
from accounts.limits import forget_old
from athletes.api import kept_files
from privacy.archives import prune_archives
from privacy.erasing import finish_erasures
from syncing import clock, staging
from syncing.choices import ACTIVE_RUNS, RunStatus
from syncing.models import RawPayload, SyncLog, WorkerHeartbeat
from webhooks.services import prune_deliveries

logger = logging.getLogger(__name__)

#: The newest runs stay, however old: they say where the sync stands.
RUNS_KEPT = 20
#: A host whose queue was silent for so long is no longer shown.
HOSTS_KEPT = timedelta(days=2)


def prune() -> dict[str, int]:
    """Delete everything whose time is up; returns how many of each kind."""
    # Rows of the sync carry the time of its clock.
    now, now_of_sync = timezone.now(), clock.now()
    counts = {
        "archives": prune_archives(),
        "runs": _prune_runs(_limit(settings.KEEP_SYNC_LOGS_DAYS, now_of_sync)),
        "payloads": _prune_payloads(
            _limit(settings.KEEP_RAW_PAYLOADS_DAYS, now_of_sync)
        ),
        "deliveries": prune_deliveries(
            _limit(settings.KEEP_WEBHOOK_DELIVERIES_DAYS, now)
        ),
        "login records": _prune_login_records(
            _limit(settings.KEEP_LOGIN_RECORDS_DAYS, now)
        ),
        "hosts": _prune_hosts(now_of_sync),
        "uploads": staging.sweep(),
        "session files": kept_files.sweep(),
        "sent forms": sent_forms.forget_old(),
        "logins": Login.objects.filter(expire_date__lt=now).delete()[0],
        "erased": finish_erasures(),
    }
    logger.info("Cleanup deleted data past its retention time: %s.", counts)
    return counts


def _limit(days: int, now: datetime) -> datetime | None:
    """Return the moment before which things are too old; None to keep them for ever."""
    return now - timedelta(days=days) if days else None


def _prune_runs(limit: datetime | None) -> int:
    if limit is None:
        return 0
    newest = list(SyncLog.objects.order_by("-id").values_list("pk", flat=True))
    kept = set(newest[:RUNS_KEPT])
    # The age of the last success is shown, and the next run looks back to it.
    last = (
        SyncLog.objects.of_vendor()
        .filter(status__in=[RunStatus.SUCCESS, RunStatus.PARTIAL])
        .exclude(sync_type="exports")
    )
    for status in (RunStatus.SUCCESS, RunStatus.PARTIAL):
        found = last.filter(status=status).order_by("-completed_at").first()
        if found is not None:
            kept.add(found.pk)
    old = SyncLog.objects.filter(completed_at__lt=limit).exclude(status__in=ACTIVE_RUNS)
    doomed = old.exclude(pk__in=kept)
    count = doomed.count()
    doomed.delete()
    return count


def _prune_login_records(limit: datetime | None) -> int:
    """Delete old records of logins and of failed ones, which also lock."""
    forget_old()
    if limit is None:
        return 0
    return int(
        AccessLog.objects.filter(attempt_time__lt=limit).delete()[0]
        + AccessFailureLog.objects.filter(attempt_time__lt=limit).delete()[0]
        + AccessAttempt.objects.filter(attempt_time__lt=limit).delete()[0]
    )


def _prune_hosts(now: datetime) -> int:
    """Delete hosts that are no more: a container has a new name after each release."""
    limit = now - HOSTS_KEPT
    return WorkerHeartbeat.objects.filter(beat_at__lt=limit).delete()[0]


def _prune_payloads(limit: datetime | None) -> int:
    """Delete old answers of the vendor; a full sync asks again for what it needs."""
    if limit is None:
        return 0
    return RawPayload.objects.filter(fetched_at__lt=limit).delete()[0]
