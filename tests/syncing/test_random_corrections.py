"""Random corrections between and during runs; many seeds: benchmarks.faults."""

import random

import pytest
from django.utils import timezone

from athletes.models import Movement, Player
from benchmarks.corrections import work
from benchmarks.people import People
from tests.database_reset import empty_database
from tests.factories import make_user
from tests.syncing.final_state import explained, final_state

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.nightly)])
def test_corrected_data_are_those_of_a_first_sync(start_vendor, run_sync, seed):
    vendor = start_vendor(sessions=2, players=4, seed=seed, duration_s=1.6)
    outcome = work(
        vendor, seed=seed, rounds=2, sync=run_sync, start_anew=empty_database
    )
    assert outcome.corrections.total() > 3
    assert outcome.decisions > 0
    assert outcome.of_people == []
    assert outcome.differences == []


def test_a_difference_is_found_and_explained(start_vendor, run_sync):
    """The comparison can fail: on rows, on counts, and on what JSON says."""
    start_vendor(sessions=2, players=3, scenario="plain")
    run_sync()
    before = final_state()
    assert explained(before, final_state()) == []

    player = Player.objects.exclude(session_count=0).first()
    Player.objects.filter(pk=player.pk).update(swing_count=7)
    (row,) = [line for line in explained(before, final_state()) if "players" in line]
    assert row.endswith(f"swing_count: first {player.swing_count}, second 7")
    Player.objects.filter(pk=player.pk).update(swing_count=player.swing_count)

    swing = Movement.objects.first()
    Movement.objects.filter(pk=swing.pk).update(missing_since=timezone.now())
    tables = {line.partition(":")[0] for line in explained(before, final_state())}
    assert {"movements", "biomechanics_data", "movement_curves", "JSON"} <= tables
    Movement.objects.filter(pk=swing.pk).update(missing_since=None)
    assert explained(before, final_state()) == []


def test_a_decision_that_is_lost_or_on_other_frames_is_told(start_vendor, run_sync):
    """So is one that the swing's page neither uses nor offers."""
    start_vendor(sessions=2, players=3, scenario="plain", duration_s=1.6)
    run_sync()
    people = People(random.Random(1), make_user())
    while not any(said.kind == "exclusion" for said in people.said):
        people.act()
    assert list(people.faults()) == []

    words = next(said.words for said in people.said if said.kind == "exclusion")
    held = Movement.objects.filter(inclusion_reason=words)
    other = Movement.objects.filter(inclusion="auto").first()
    decided = {"inclusion": "excluded", "inclusion_reason": words}
    first = held.get()
    held.update(inclusion="auto", inclusion_reason="")
    lost = list(people.faults())
    assert lost[0] == f"{words}: lost"
    assert "neither used nor offered" in lost[1]
    Movement.objects.filter(pk=other.pk).update(**decided)
    assert next(people.faults()).startswith(f"{words}: applied to other frames")
    Movement.objects.filter(pk=first.pk).update(**decided)
    assert "holds on 2 swings that are there" in next(people.faults())
