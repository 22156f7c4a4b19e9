"""The state of a session's data, as its export jobs tell it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from athletes.identity.session_parts import joint_state
from athletes.kept_questions import kept_question
from athletes.models import DataState, Movement, Session
from syncing import clock
from syncing.choices import ExportType, JobState
from syncing.models import ExportJob

#: The files that hold frames; the list of movements alone makes nothing complete.
EXPORTS_WITH_FRAMES = (ExportType.INVERSE_KINEMATICS, ExportType.MOMENTUM_ENERGY)
_BROKEN = {JobState.FAILED, JobState.GIVEN_UP}
_SETTLED = {JobState.STORED, JobState.NO_DATA, *_BROKEN}


def session_state(states: Iterable[str]) -> str:
    """Return the state of a session's data from the states of its frame jobs."""
    found = {JobState(state) for state in states}
    if not found <= _SETTLED:
        return DataState.PARTIAL if JobState.STORED in found else DataState.WAITING
    if JobState.STORED in found:
        return DataState.COMPLETE if len(found) == 1 else DataState.PARTIAL
    if found & _BROKEN:
        return DataState.FAILED
    return DataState.NO_DATA if found else DataState.WAITING


def data_gap(jobs: Iterable[tuple[str, str]]) -> str:
    """Return what a session lacks by the types and states of its frame jobs."""
    lacks = {
        f"{data_type}:{'failed' if job_state in _BROKEN else 'no_data'}"
        for data_type, job_state in jobs
        if job_state in {JobState.NO_DATA, *_BROKEN}
    }
    return " ".join(sorted(lacks))


def refresh_session_state(session_pk: int) -> bool:
    """Store a session's state if it changed, inside the job's transaction.

    A row that shows the parts of several records of one athlete tells of all of them.
    """
    with transaction.atomic(savepoint=False):
        _wait_for_others(session_pk)
        return _refresh(session_pk)


def _wait_for_others(session_pk: int) -> None:
    """Lock the session's row: two files that end at once must not miss each other.

    SQLite has one writer, who knows all that was written.
    """
    if connection.features.has_select_for_update:
        rows = Session.objects.select_for_update(no_key=True).filter(pk=session_pk)
        list(rows.order_by().values_list("pk"))


def _refresh(session_pk: int) -> bool:
    parts: dict[int, list[str]] = {session_pk: []}
    jobs: dict[int, list[tuple[str, str]]] = {}
    gone = set()
    shown_by = None
    for part_pk, part_shown_by, gone_at, kind, job_state in _jobs_query(session_pk):
        if gone_at is not None:
            gone.add(part_pk)
        jobs.setdefault(part_pk, []).append((kind, job_state))
        parts.setdefault(part_pk, []).append(job_state)
        if part_pk == session_pk:
            shown_by = part_shown_by
    # A part that the vendor no longer has says nothing of those that it still has.
    told = parts.keys() - gone or parts.keys()
    state = joint_state(session_state(parts[pk]) for pk in told)
    if shown_by is not None:
        refresh_session_state(shown_by)
    values = {
        "data_state": state,
        "data_synced": state in {DataState.COMPLETE, DataState.PARTIAL},
        "data_gap": data_gap(job for pk in told for job in jobs.get(pk, ())),
    }
    session = Session.objects.filter(pk=session_pk)
    if values["data_synced"]:
        # Programs ask for the numbers as soon as it is true: it waits for them.
        waiting = Movement.objects.filter(
            session=session_pk, session__data_synced=False, method_version=""
        )
        values["data_synced"] = not waiting.exists()
    return bool(session.exclude(**values).update(**values, updated_at=clock.now()))


@kept_question
def _jobs_query(session_pk: int) -> QuerySet[Any, Any]:
    return (
        ExportJob.objects.filter(
            Q(session_id=session_pk) | Q(session__folded_into_id=session_pk),
            data_type__in=EXPORTS_WITH_FRAMES,
        )
        .order_by()
        .values_list(
            "session_id",
            "session__folded_into_id",
            "session__missing_since",
            "data_type",
            "state",
        )
    )
