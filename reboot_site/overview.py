"""Counts and problems on the start page of the administration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt
from django.core.cache import cache
from django.db.models import Count, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django_q.models import Failure, Schedule

from accounts.admin_lists import capped
from accounts.locks import locked_logins
from athletes.models import (
    DuplicatePair,
    Movement,
    Player,
    QualityGrade,
    SameRecording,
    Session,
    SetAside,
)
from privacy.models import Archive, ArchiveState, RestoreCheck
from privacy.storage import newest_backup_at
from reboot_site.cache import redis_errors
from syncing import alerts
from syncing.care import kept_values
from syncing.choices import OPEN_STATES, JobState
from syncing.models import ExportJob, SyncLog
from syncing.status import (
    queue_length,
    silent_hosts,
    sync_state,
    worker_ages_s,
)
from webhooks.models import DeliveryState, WebhookDelivery

#: Longer ago than this, a backup that is made every day was missed twice.
BACKUP_MAX_AGE = timedelta(days=2)
#: The weekly test was missed twice.
RESTORE_CHECK_MAX_AGE = timedelta(days=15)
#: Totals are read from all athletes; nobody needs them to the second.
_TOTALS_S = 60


@dataclass(frozen=True, slots=True)
class Tile:
    """One count, and the list of what it counts."""

    label: str
    value: str
    url: str
    note: str = ""
    needs_care: bool = False


@dataclass(frozen=True, slots=True)
class Overview:
    """The start page: totals, problems, and how the machinery runs."""

    totals: list[Tile]
    problems: list[Tile]
    machinery: list[Tile]
    sentence: str

    @property
    def worries(self) -> list[Tile]:
        """Return the tiles that somebody has to look after."""
        return [tile for tile in self.problems + self.machinery if tile.needs_care]


def overview() -> Overview:
    """Return what the start page shows; no query counts a large table to its end."""
    status = sync_state(with_jobs=False)
    return Overview(
        totals=_totals(),
        problems=_problems(),
        machinery=_machinery(status),
        sentence=status.sentence,
    )


def _list(model: type[Any], query: str = "") -> str:
    meta = model._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return f"{url}?{query}" if query else url


def _totals() -> list[Tile]:
    # Kept beside each athlete, so that millions of swings are not counted here.
    # Without the cache, as with the database of it away, they are.
    try:
        counts = cache.get("admin-totals")
        if counts is None:
            counts = _count_all()
            cache.set("admin-totals", counts, _TOTALS_S)
    except redis_errors():
        counts = _count_all()
    return [
        Tile("Athletes", f"{counts['athletes']:,}", _list(Player)),
        Tile("Sessions", f"{counts['sessions'] or 0:,}", _list(Session)),
        Tile(
            "Swings", f"{counts['swings'] or 0:,}", _list(Movement, "is_swing__exact=1")
        ),
    ]


def _count_all() -> dict[str, int | None]:
    counts: dict[str, int | None] = Player.objects.order_by().aggregate(
        athletes=Count("pk"), sessions=Sum("session_count"), swings=Sum("swing_count")
    )
    return counts


def _problem(
    label: str,
    rows: QuerySet[Any],
    url: str,
    note: str = "",
    *,
    is_problem: bool = True,
) -> Tile:
    count, has_more = capped(rows)
    value = f"{count:,}+" if has_more else f"{count:,}"
    return Tile(label, value, url, note, needs_care=is_problem and count > 0)


def _problems() -> list[Tile]:
    open_states = ",".join(OPEN_STATES)
    return [
        _problem(
            "Failed files",
            ExportJob.objects.broken(),
            _list(ExportJob, f"state__in={JobState.FAILED},{JobState.GIVEN_UP}"),
            "retried automatically, or given up",
        ),
        _problem(
            "Waiting files",
            ExportJob.objects.waiting(),
            _list(ExportJob, f"state__in={open_states}"),
            "on the way from Reboot Motion",
            is_problem=False,
        ),
        _problem(
            "Sessions without all data",
            Session.objects.needing_care(),
            _list(Session, "care=yes"),
            "failed or partly imported, and not dismissed",
        ),
        _problem(
            "Athletes removed at Reboot Motion",
            Player.objects.filter(missing_since__isnull=False),
            _list(Player, "missing_since__isempty=0"),
            "no longer listed; kept here",
        ),
        _unread_values(),
        _problem(
            "Duplicate recordings",
            SameRecording.objects.waiting().of_present(),
            _list(SameRecording, "counts__exact="),
            "the same frames under two sessions, both used",
        ),
        _problem(
            "Possible duplicates",
            DuplicatePair.objects.filter(dismissed_at__isnull=True),
            "/athletes/duplicates/",
            "two records that may be one athlete",
        ),
        _problem(
            "Decisions to review",
            SetAside.objects.filter(settled_at=None),
            _list(SetAside, "settled_at__isempty=1"),
            "not used since Reboot Motion sent new frames",
        ),
        _problem(
            "Poor swings",
            Movement.objects.present().filter(quality_grade=QualityGrade.POOR),
            _list(
                Movement,
                f"quality_grade__exact={QualityGrade.POOR}&missing_since__isempty=1",
            ),
            "excluded from averages unless someone includes them",
            is_problem=False,
        ),
    ]


def _unread_values() -> Tile:
    count = kept_values()
    return Tile(
        "Unreadable values",
        f"{count:,}",
        "/syncing/#unread-values",
        "values from Reboot Motion that can't be read; stored ones are kept",
        needs_care=count > 0,
    )


def _machinery(status: Any) -> list[Tile]:
    return [
        _last_sync(status),
        _queue(),
        _newest_backup(),
        _restore_check(),
        _problem(
            "Failed tasks",
            Failure.objects.all(),
            _list(Failure),
            "in the last seven days",
        ),
        _problem(
            "Failed webhooks",
            WebhookDelivery.objects.filter(state=DeliveryState.FAILED),
            _list(WebhookDelivery, f"state__exact={DeliveryState.FAILED}"),
            "given up; can be sent again",
        ),
        _problem(
            "Failed archives",
            Archive.objects.filter(state=ArchiveState.FAILED),
            _list(Archive, f"state__exact={ArchiveState.FAILED}"),
        ),
        _problem(
            "Locked logins",
            locked_logins(),
            _list(AccessAttempt, "locked=yes"),
            "too many wrong passwords or codes",
        ),
    ]


def _last_sync(status: Any) -> Tile:
    if status.last_success_at is None:
        value, is_old = "never", True
    else:
        age = timezone.now() - status.last_success_at
        value, is_old = _age(age.total_seconds()), age > alerts.SUCCESS_MAX_AGE
    return Tile(
        "Last complete sync",
        value,
        _list(SyncLog),
        "list of all runs",
        needs_care=is_old,
    )


def _newest_backup() -> Tile:
    made_at = newest_backup_at()
    url, value, is_old = reverse("privacy:storage"), "none", True
    if made_at is not None:
        age = timezone.now() - made_at
        value, is_old = _age(age.total_seconds()), age > BACKUP_MAX_AGE
    note = "make one with: manage.py backup FILE" if is_old else "in BACKUP_DIR"
    return Tile("Latest backup", value, url, note, needs_care=is_old)


def _restore_check() -> Tile:
    check = RestoreCheck.objects.order_by("-taken_at").first()
    label, url = "Backup restored as a test", reverse("privacy:storage")
    if check is None:
        return Tile(label, "not yet", url, "runs once a week")
    age = timezone.now() - check.taken_at
    if check.problem:
        return Tile(label, "failed", url, check.problem, needs_care=True)
    is_old = (
        age > RESTORE_CHECK_MAX_AGE
        and Schedule.objects.filter(func="reboot_site.tasks.check_backup_task")
        .exclude(repeats=0)
        .exists()
    )
    note = f"{sum(check.counts.values()):,} rows came back"
    return Tile(label, _age(age.total_seconds()), url, note, needs_care=is_old)


def _age(seconds: float) -> str:
    if seconds < 5400:
        return f"{seconds / 60:.0f} min ago"
    if seconds < 2 * 86400:
        return f"{seconds / 3600:.0f} h ago"
    return f"{seconds / 86400:.0f} days ago"


def _queue() -> Tile:
    url = reverse("admin:syncing_workerheartbeat_changelist")
    ages_s = worker_ages_s()
    silent = silent_hosts(ages_s)
    if len(silent) == len(ages_s):
        note = "no worker is responding"
    elif silent:
        note = f"no response from {', '.join(silent)}"
    else:
        note = "workers are running"
    length = _length()
    value = "unknown" if length is None else f"{length:,} waiting"
    needs_care = bool(silent) or not ages_s or length is None
    return Tile("Queue", value, url, note, needs_care=needs_care)


def _length(ask: Callable[[], int] = queue_length) -> int | None:
    try:
        return ask()
    except redis_errors():
        return None
