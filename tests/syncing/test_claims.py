"""Which export jobs a worker may take, and that the database finds them by an index."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone

from syncing.choices import ExportType, JobState
from syncing.engine.claims import Claims
from syncing.engine.tempo import Tempo
from syncing.models import ExportJob
from tests.factories import make_player, make_session

pytestmark = pytest.mark.django_db

METADATA = ExportType.METADATA
KINEMATICS, ENERGY = list(ExportType)[:2]


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def due(now):
    claims = Claims(SimpleNamespace(tempo=Tempo(), worker="w"))
    return lambda count=100: claims._due(now, count)


def make_job(session, data_type, state, **fields):
    return ExportJob.objects.create(
        session=session, data_type=data_type, state=state, **fields
    ).pk


@pytest.mark.parametrize("state", JobState.values)
def test_job_is_due_as_its_queryset_says(now, due, state):
    session = make_session()
    times = [None, now - timedelta(seconds=1), now, now + timedelta(seconds=1)]
    others = [make_session(player=session.player) for _ in times]
    for other, at in zip(others, times, strict=True):
        make_job(other, METADATA, state, next_try_at=at)
        make_job(other, ENERGY, JobState.STORED, claimed_until=at)
    wanted = ExportJob.objects.due(now).unclaimed(now).values_list("pk", flat=True)
    assert set(due()) == set(wanted)
    assert len(wanted) == (0 if state == JobState.STORED else 2)


def test_newest_sessions_come_first_and_files_of_a_session_wait(now, due):
    player = make_player()
    days = (date(2026, 5, 1), date(2026, 5, 3), None)
    old, new, unknown = (make_session(player=player, session_date=d) for d in days)
    at = {"next_try_at": now}
    first = make_job(new, METADATA, JobState.WANTED, **at)
    make_job(new, KINEMATICS, JobState.WANTED, **at)
    make_job(new, ENERGY, JobState.WANTED, **at)
    # The vendor still prepares the one before: that may take long.
    make_job(old, KINEMATICS, JobState.PROCESSING, next_try_at=now + Tempo().lease)
    second = make_job(old, ENERGY, JobState.WANTED, **at)
    # A file that failed is waited for where the run tries it again itself.
    make_job(unknown, METADATA, JobState.FAILED, next_try_at=now + timedelta(hours=2))
    third = make_job(unknown, KINEMATICS, JobState.WANTED, **at)
    soon = make_session(player=player, session_date=date(2026, 4, 1))
    make_job(soon, KINEMATICS, JobState.FAILED, next_try_at=now + timedelta(seconds=9))
    make_job(soon, ENERGY, JobState.WANTED, **at)
    own_metrics = make_job(old, ExportType.HITTING_METRICS, JobState.WANTED, **at)
    make_job(new, ExportType.HITTING_METRICS, JobState.WANTED, **at)
    assert due() == [first, second, own_metrics, third]
    assert due(2) == [first, second]


def test_job_that_is_held_or_was_tried_too_often_is_left(now, due):
    session = make_session()
    most = Tempo().max_attempts
    given = {"next_try_at": now, "attempts": most}
    make_job(session, METADATA, JobState.FAILED, **given)
    assert due() == []
    ExportJob.objects.update(state=JobState.GIVEN_UP)
    assert len(due()) == 1
    ExportJob.objects.update(claimed_until=now + timedelta(seconds=1))
    assert due() == []
    ExportJob.objects.update(claimed_until=now - timedelta(seconds=1))
    session.missing_since = now
    session.save(update_fields=["missing_since"])
    assert due() == []


def test_due_jobs_are_found_by_their_index(due):
    how = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    plans = []

    def explain(execute, sql, params, many, context):
        if how == "EXPLAIN ":
            context["cursor"].cursor.execute("SET LOCAL enable_seqscan = off")
        return execute(how + sql, params, many, context)

    def keep(execute, sql, params, many, context):
        result = explain(execute, sql, params, many, context)
        plans.extend(str(row[-1]) for row in context["cursor"].cursor.fetchall())
        return result

    with connection.execute_wrapper(keep):
        due()
    assert any("export_job_due" in line for line in plans), plans
