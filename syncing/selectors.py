"""What the sync pages show: one frozen dataclass for each page or part of one.

`syncing.status.sync_state` tells where the sync stands; this adds what only pages
need.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Min
from django.urls import Resolver404, resolve
from django_q.models import Schedule

from accounts.names import staff_in_words
from athletes.access import (
    Viewer,
    kept_sessions,
    may_administer,
    may_start_sync,
    sees_everybody,
    visible_sessions,
)
from athletes.display import number_of, since_text
from athletes.models import Session
from syncing import alerts, clock
from syncing.choices import JobState, RunStatus
from syncing.engine.runs import is_silent
from syncing.models import ExportJob, SyncLog, WorkerHeartbeat
from syncing.schedules import SYNC_BY_CLOCK
from syncing.status import (
    WORKER_SILENCE_S,
    FailureGroup,
    SyncState,
    sync_state,
    uncomputed_sessions,
    unread_sessions,
)

#: Failed files that are listed one by one below their reason.
LISTED_FILES = 5
#: Sessions that lack data, of which a coach reads.
LISTED_SESSIONS = 20
#: Instead of the message of a run that names another team's session.
OTHERS_MESSAGE = (
    "Parts are missing. Problems with athletes on your teams are listed with the run."
)


@dataclass(frozen=True)
class QueueHost:
    """The heartbeat of one host’s queue."""

    host: str
    beat_at: dt.datetime
    is_silent: bool


@dataclass(frozen=True)
class NextSync:
    """The next sync that starts by itself."""

    at: dt.datetime
    is_full: bool
    is_due: bool


@dataclass(frozen=True)
class SyncPanel:
    """The part of the page that changes while a run is under way."""

    status: SyncState
    workers: list[QueueHost]
    remaining: str
    message: str
    #: None where no schedule would start one.
    next_sync: NextSync | None
    #: Members of staff, where the viewer is none and something has to be done.
    whom_to_ask: str
    #: Which data are missing while the rest is up to date; else empty.
    lacking: str = ""

    @property
    def state(self) -> str:
        """The state as a word: "active" for a queued or running run, else "idle"."""
        return "active" if self.status.is_active else "idle"

    @property
    def is_begun(self) -> bool:
        """Whether a run is under way, or goes on in another task in a moment."""
        run = self.status.run
        if run is None or not self.status.is_active or self.status.is_silent:
            return False
        return run.status == RunStatus.RUNNING or (
            run.started_at is not None and self.status.worker_is_alive
        )

    @property
    def heading(self) -> str:
        """The state of the sync in a few words."""
        if self.status.is_silent:
            return "Sync not responding"
        if self.status.is_active:
            return "Sync running" if self.is_begun else "Sync waiting"
        if self.status.run is None:
            return "Nothing synced yet"
        if self.status.last_success_at is None:
            return "Not fully synced yet"
        if self.status.is_overdue:
            return "Data is out of date"
        statuses = {self.status.run.status, self.status.last_whole_status}
        if statuses != {RunStatus.SUCCESS}:
            # Not old yet; but what such a run should have brought is not here.
            since = since_text(self.status.last_success_at, clock.now())
            return f"Complete as of {since} ago"
        return "Data is up to date"

    @property
    def silent_hosts(self) -> str:
        """Names of the hosts whose workers show no heartbeat."""
        return ", ".join(worker.host for worker in self.workers if worker.is_silent)


@dataclass(frozen=True)
class Failure:
    """Files that failed for one reason, the newest of them one by one."""

    group: FailureGroup
    jobs: list[ExportJob]
    given_up: int


@dataclass(frozen=True)
class SessionTrouble:
    """One session that could not be read, or whose numbers could not be computed."""

    kind: str
    pk: int
    name: str
    session: Session | None
    message: str
    next_try_at: dt.datetime | None


@dataclass(frozen=True)
class Incomplete:
    """Sessions of a coach's athletes that lack data, the newest of them one by one."""

    count: int
    listed: list[IncompleteSession]

    @property
    def others(self) -> int:
        """How many are not listed."""
        return self.count - len(self.listed)


@dataclass(frozen=True)
class IncompleteSession:
    """One session that lacks data, as a coach reads it."""

    session: Session
    next_try_at: dt.datetime | None


@dataclass(frozen=True)
class TroubleGroup:
    """Sessions with one kind of trouble, the newest of them one by one."""

    kind: str
    title: str
    count: int
    listed: list[SessionTrouble]


@dataclass(frozen=True)
class Freshness:
    """The chip in the head of every page: how fresh the data are."""

    state: str
    text: str
    #: The same for a phone, whose head has room for two words.
    short: str
    #: The run under way, to ask for again until it has ended.
    run: int | None = None


@dataclass(frozen=True)
class News:
    """What a run that has just ended brought."""

    kind: str
    text: str
    new_sessions: int


@dataclass(frozen=True)
class RunDetail:
    """One run with its counts and its errors."""

    run: SyncLog
    message: str
    counts: list[tuple[str, dict[str, int]]]
    errors: list[dict[str, Any]]
    hidden_errors: int


def sync_panel(viewer: Viewer, *, with_jobs: bool = False) -> SyncPanel:
    """Return the state of the sync, with the heartbeats of the workers."""
    now = clock.now()
    status = sync_state(with_jobs=with_jobs)
    silent_s = WORKER_SILENCE_S
    return SyncPanel(
        status=status,
        workers=[
            QueueHost(w.host, w.beat_at, (now - w.beat_at).total_seconds() > silent_s)
            for w in WorkerHeartbeat.objects.order_by("host")
        ],
        remaining=remaining_text(status.remaining_s),
        message="" if status.run is None else _message(status.run, viewer),
        next_sync=next_sync(),
        whom_to_ask=""
        if may_administer(viewer)
        or (_is_well(status) and not _needs_staff(status, viewer))
        else staff_in_words(),
        lacking=_lacking(status, viewer) if status.lacks_data else "",
    )


def _message(run: SyncLog, viewer: Viewer) -> str:
    """Return how a run ended, in words for those who look after it or for a coach."""
    if run.status != RunStatus.PARTIAL or may_administer(viewer):
        return run_message(run, viewer)
    count = _incomplete(viewer)
    if not count:
        return "The sessions of your athletes are complete."
    sessions = "1 session is" if count == "1" else f"{count} sessions are"
    return f"{sessions} incomplete. What is missing is requested again automatically."


def incomplete(viewer: Viewer) -> Incomplete:
    """Return the sessions that lack data, for a coach: whose, when, and the next try.

    Why is for those who can do something about it (`failures`, `troubles`).
    """
    lacking = visible_sessions(viewer).needing_care()
    newest = list(lacking.select_related("player").newest_first()[:LISTED_SESSIONS])
    tries: dict[int, dt.datetime] = dict(
        ExportJob.objects.broken()
        .filter(session__in=newest, next_try_at__isnull=False)
        .order_by()
        .values_list("session_id")
        .annotate(next=Min("next_try_at"))
    )
    return Incomplete(
        lacking.count() if len(newest) == LISTED_SESSIONS else len(newest),
        [IncompleteSession(one, tries.get(one.pk)) for one in newest],
    )


def _lacking(status: SyncState, viewer: Viewer) -> str:
    if status.last_pass_at is None:
        return ""
    since = since_text(status.last_pass_at, clock.now())
    count = _incomplete(viewer)
    sessions = "1 session is" if count == "1" else f"{count} sessions are"
    text = f"The last sync got through {since} ago."
    return f"{text} {sessions} incomplete." if count else text


def _incomplete(viewer: Viewer) -> str:
    """Return how many sessions lack data; empty for none."""
    lacking = visible_sessions(viewer).needing_care()[: MOST_COUNTED + 1].count()
    if not lacking:
        return ""
    return f"{MOST_COUNTED}+" if lacking > MOST_COUNTED else f"{lacking}"


def _needs_staff(status: SyncState, viewer: Viewer) -> bool:
    """Whether the viewer can only ask for what the sync waits for."""
    if may_administer(viewer):
        return False
    is_first = status.run is None and not may_start_sync(viewer)
    return is_first or not _is_well(status)


def _is_well(status: SyncState) -> bool:
    """Whether nothing of the sync waits for a person."""
    if not status.worker_is_alive or status.is_silent:
        return False
    run = status.run
    return run is None or run.is_active or run.status == RunStatus.SUCCESS


def news(run_pk: int, viewer: Viewer) -> News | None:
    """Return what a run brought; None while it is under way, or where there is none."""
    run = SyncLog.objects.of_vendor().filter(pk=run_pk).first()
    if run is None or run.is_active:
        return None
    count = 0
    if run.started_at is not None:
        ended = run.completed_at or clock.now()
        count = (
            visible_sessions(viewer)
            .filter(created_at__range=(run.started_at, ended))
            .count()
        )
    brought = f"{number_of(count, 'new session')}." if count else "No new sessions."
    endings: dict[str, tuple[str, str]] = {
        RunStatus.SUCCESS: ("success", brought),
        RunStatus.PARTIAL: ("notice", f"{brought} Parts are still missing."),
        RunStatus.CANCELLED: ("notice", f"The sync was canceled. {brought}"),
    }
    if run.status in endings:
        kind, text = endings[run.status]
    else:
        kind, text = "notice", f"The sync failed. {brought}"
        if not may_administer(viewer):
            text += f" {staff_in_words()}"
    return News(kind, text, count)


def next_sync() -> NextSync | None:
    """Return the next sync by the clock, whichever schedule has it."""
    row = (
        Schedule.objects.filter(func=SYNC_BY_CLOCK, next_run__isnull=False)
        .exclude(repeats=0)
        .order_by("next_run")
        .first()
    )
    if row is None:
        return None
    is_full = "True" in (row.kwargs or "")
    return NextSync(row.next_run, is_full, is_due=row.next_run <= clock.now())


def remaining_text(seconds: float | None) -> str:
    """Return the time left in words no finer than it is known."""
    if seconds is None:
        return ""
    if seconds < 10:
        return "a few seconds left"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} s left"
    if seconds < 90 * 60:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds / 3600:.1f} h left"


def failures(status: SyncState) -> list[Failure]:
    """Return the failed files by reason, for staff, with the newest one by one."""
    newest = [pk for group in status.failures for pk in group.job_ids[:LISTED_FILES]]
    listed = {
        job.pk: job
        for job in ExportJob.objects.filter(pk__in=newest).select_related(
            "session__player"
        )
    }
    given_up = set(
        ExportJob.objects.filter(state=JobState.GIVEN_UP).values_list("pk", flat=True)
    )
    return [
        Failure(
            group=group,
            jobs=[listed[pk] for pk in group.job_ids[:LISTED_FILES] if pk in listed],
            given_up=sum(pk in given_up for pk in group.job_ids),
        )
        for group in status.failures
    ]


def troubles(status: SyncState) -> list[TroubleGroup]:
    """Return what failed about sessions, for staff."""
    found = []
    if status.unread_sessions:
        found.append(_unread(status.unread_sessions))
    if status.uncomputed_sessions:
        found.append(_uncomputed(status.uncomputed_sessions))
    return found


def _unread(count: int) -> TroubleGroup:
    newest = list(unread_sessions().order_by("-updated_at")[:LISTED_FILES])
    parts: dict[str, Session] = {}
    for part in Session.objects.filter(
        session_id__in=[row.session_id for row in newest], folded_into__isnull=True
    ).select_related("player"):
        parts.setdefault(part.session_id, part)
    return TroubleGroup(
        "unread",
        "could not be read",
        count,
        [
            SessionTrouble(
                "unread",
                row.pk,
                row.session_id,
                parts.get(row.session_id),
                row.last_error,
                row.next_check_at,
            )
            for row in newest
        ],
    )


def _uncomputed(count: int) -> TroubleGroup:
    rows = uncomputed_sessions().filter(session__folded_into__isnull=True)
    newest = rows.order_by("-updated_at").select_related("session__player")
    return TroubleGroup(
        "uncomputed",
        "stored without its numbers",
        count,
        [
            SessionTrouble(
                "uncomputed",
                row.pk,
                row.session.session_id,
                row.session,
                row.last_error,
                None,
            )
            for row in newest[:LISTED_FILES]
        ],
    )


def visible_errors(
    errors: Iterable[dict[str, Any]], viewer: Viewer
) -> list[dict[str, Any]]:
    """Return the errors that a viewer may read: general ones, and of their athletes."""
    found = list(errors)
    if sees_everybody(viewer):
        return found
    asked = {pk for error in found if (pk := _session_of(error)) is not None}
    seen = set(kept_sessions(viewer).filter(pk__in=asked).values_list("pk", flat=True))
    return [
        error
        for error in found
        if error.get("is_general") or (asked and _session_of(error) in seen)
    ]


def _session_of(error: dict[str, Any]) -> int | None:
    """Return our id of the session that an error links to; None without one."""
    try:
        pk = resolve(error.get("url") or "").kwargs.get("pk")
    except Resolver404:
        return None
    return None if pk is None else int(pk)


#: What a coach reads in place of names of settings and commands.
NOT_SET_UP = "The connection to Reboot Motion isn't set up correctly on this site."
_FOR_STAFF = re.compile(r"\b[A-Z]+_[A-Z_]+\b|manage\.py")


def run_message(run: SyncLog, viewer: Viewer) -> str:
    """Return the message with which a run ended, as far as the viewer may read it."""
    return run_messages([run], viewer)[run.pk]


def run_messages(runs: Iterable[SyncLog], viewer: Viewer) -> dict[int, str]:
    """Return by id the messages with which runs ended, as the viewer may read them.

    An end that came from outside has a class and names no session. Else the message
    is made from the run's first error.
    """
    runs = list(runs)
    found = _messages_in_full(runs, viewer)
    if may_administer(viewer):
        return found
    return {
        pk: NOT_SET_UP if _FOR_STAFF.search(message) else message
        for pk, message in found.items()
    }


def _messages_in_full(runs: Sequence[SyncLog], viewer: Viewer) -> dict[int, str]:
    """Return the messages with names of settings, for who can change them."""
    if sees_everybody(viewer):
        return {run.pk: run.error_message for run in runs}
    firsts = {run.pk: run.errors[0] for run in runs if run.errors}
    readable = {id(error) for error in visible_errors(firsts.values(), viewer)}
    return {
        run.pk: run.error_message
        if not run.error_message
        or run.error_class
        or run.pk not in firsts
        or id(firsts[run.pk]) in readable
        else OTHERS_MESSAGE
        for run in runs
    }


#: More are not counted for the chip.
MOST_COUNTED = 99


def freshness(viewer: Viewer) -> Freshness:
    """Return how fresh the data are, in a few words; every page asks for it.

    A sync that got through, but for some files, has brought the data up to date; how
    many sessions still lack something is said until staff dismiss it.
    """
    last = SyncLog.objects.of_vendor().order_by("-id").first()
    if last is None:
        return Freshness("never", "Never synced", "Never synced")
    if is_silent(last, clock.now()):
        return Freshness("failed", "Sync interrupted", "Interrupted")
    if last.is_active:
        words = "Sync waiting" if last.started_at is None else "Syncing now"
        return Freshness("running", words, words, last.pk)
    if RunStatus.FAILED in {last.status, alerts.last_whole_status()}:
        return Freshness("failed", "Last sync failed", "Sync failed")
    passed_at = alerts.last_pass()
    if passed_at is None:
        return Freshness("stale", "Sync not complete yet", "Not complete")
    since = since_text(passed_at, clock.now())
    text, short = f"Synced {since} ago", f"{since} ago"
    if clock.now() - passed_at > alerts.SUCCESS_MAX_AGE:
        return Freshness("stale", text, short)
    if count := _incomplete(viewer):
        return Freshness("partial", f"{text} · {count} incomplete", short)
    return Freshness("fresh", text, short)


def history(page: int, size: int = 20) -> Page[SyncLog]:
    """Return one page of the runs of every kind, newest first."""
    runs = SyncLog.objects.select_related("requested_by").order_by("-id")
    return Paginator(runs, size).get_page(page)


def run_detail(run: SyncLog, viewer: Viewer) -> RunDetail:
    """Return one run for its page."""
    errors = visible_errors(run.errors, viewer)
    labels = {
        "players": "Athletes",
        "sessions": "Sessions",
        "exports": "Files",
        "movements": "Movements",
    }
    return RunDetail(
        run=run,
        message=run_message(run, viewer),
        errors=errors,
        hidden_errors=0 if sees_everybody(viewer) else run.error_count - len(errors),
        counts=[(labels[k], run.counts[k]) for k in labels if k in run.counts],
    )
