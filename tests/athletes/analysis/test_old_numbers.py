"""Numbers of former methods are computed again in the background, with progress."""

import pytest
from django.conf import settings

from athletes.analysis import old_numbers
from athletes.models import Movement, SessionMetric
from athletes.tasks import recompute_old_task
from biomechanics.definitions import METHOD_VERSION
from syncing.schedules import PLANS
from tests.factories import (
    make_movement,
    make_session,
    make_staff,
    make_swing,
    simulated_movements,
    store_simulated,
)

pytestmark = pytest.mark.django_db


def version_of(session):
    return set(session.movements.values_list("method_version", flat=True))


@pytest.fixture
def sessions():
    """Two sessions with numbers of a former method."""
    made = []
    for _ in range(2):
        session = make_session()
        store_simulated(session, simulated_movements()[:1])
        made.append(session)
    Movement.objects.update(method_version="2020.1")
    return made


def test_the_task_computes_what_is_old_again(sessions):
    assert old_numbers.progress() == old_numbers.Progress(done=0, total=2)
    assert recompute_old_task() == 2
    assert [version_of(session) for session in sessions] == [{METHOD_VERSION}] * 2
    assert SessionMetric.objects.filter(basis__contains="=").exists()
    assert old_numbers.progress() is None
    assert recompute_old_task() == 0


def test_a_portion_ends_in_time_with_the_latest_first(sessions):
    assert old_numbers.recompute_some(0) == 1
    assert [version_of(session) for session in sessions] == [
        {"2020.1"},
        {METHOD_VERSION},
    ]


def test_numbers_of_a_later_method_and_missing_ones_are_left_alone():
    later = "9999.1"
    make_swing(method_version=later)
    make_movement()
    make_swing(method_version=METHOD_VERSION)
    assert old_numbers.progress() is None
    assert recompute_old_task() == 0
    assert Movement.objects.filter(method_version=later).exists()
    make_swing(method_version="2026.1")
    found = old_numbers.progress()
    assert (found.done, found.total, found.remaining) == (1, 2, 1)


def test_versions_are_ordered_as_numbers():
    assert old_numbers._order_of("2026.10") > old_numbers._order_of("2026.2")


def test_staff_see_how_far_it_is(client):
    make_swing(method_version="2020.1")
    make_swing(method_version=METHOD_VERSION)
    client.force_login(make_staff())
    page = client.get("/syncing/").content.decode()
    assert "Updating swing numbers" in page
    assert 'max="2" value="1"' in page
    Movement.objects.update(method_version=METHOD_VERSION)
    assert "Updating swing numbers" not in client.get("/syncing/").content.decode()


def test_the_queue_calls_it_by_the_clock():
    name = "athletes.tasks.recompute_old_task"
    assert name in settings.QUEUE_MAY_CALL
    assert name in [plan.func for plan in PLANS]
