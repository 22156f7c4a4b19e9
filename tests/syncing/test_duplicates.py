"""Two records of the vendor for one athlete: merged, synced, separated again."""

import json

import pytest

from athletes.identity import merging
from athletes.models import (
    AthleteMerge,
    DataState,
    DuplicatePair,
    Likeness,
    Movement,
    Player,
    Session,
    Tombstone,
)
from privacy import erasing
from syncing import clock, services
from syncing.choices import JobState, RunStatus
from syncing.models import AnalysisJob, ExportJob, SyncLog
from tests.privacy.conftest import files  # noqa: F401  # archives of the test
from tests.privacy.test_erasing import traces
from tests.syncing.snapshot import differences, snapshot

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.mainly("sqlite"),
]


@pytest.fixture
def vendor(start_vendor):
    """Athletes 0 and 1 are one person entered twice, with sessions of their own."""
    server = start_vendor(players=4, sessions=0, scenario="plain", seed=3)
    world = server.world
    ids = [athlete.org_player_id for athlete in world.listed_athletes()]
    for org_player_id in ids[:2]:
        world.rename_player(org_player_id, "Fern", "Callisto")
        world.athlete(org_player_id).date_of_birth = "2007-04-03"
        for key, value in (("height_ft", "6.0"), ("weight_lbs", "170")):
            world.set_attribute(org_player_id, key, value)
        world.set_attribute(org_player_id, "dom_hand_hitting", "RHA")
        world.athlete(org_player_id).bats = "R"
    return server


def ids_of(vendor):
    return [athlete.org_player_id for athlete in vendor.world.listed_athletes()]


def the_two(vendor):
    rows = {p.org_player_id: p for p in Player.everyone.all()}
    return [rows[name] for name in ids_of(vendor)[:2]]


def checked(run):
    assert run.status == RunStatus.SUCCESS, run.errors
    open_jobs = ExportJob.objects.exclude(state=JobState.STORED)
    assert list(open_jobs.values_list("state", "last_error")) == []
    return run


def asked(vendor, start):
    """(athlete, session) of every file that was asked for since."""
    found = set()
    for request in vendor.log.find("data_export")[start:]:
        body = json.loads(request.body)
        found.add((body["org_player_id"], body["session_id"]))
    return found


@pytest.mark.both
def test_flagged_merged_synced_separated(vendor, run_sync):
    one, two = ids_of(vendor)[:2]
    first = vendor.world.add_session([one], swings=2, session_date="2026-01-05")
    second = vendor.world.add_session([two], swings=1, session_date="2026-01-06")
    both = vendor.world.add_session([one, two], swings=2, session_date="2026-01-07")
    checked(run_sync(full=True))
    pair = DuplicatePair.objects.waiting().get()
    kept, merged = the_two(vendor)
    assert {pair.first_id, pair.second_id} == {kept.pk, merged.pk}
    assert pair.likeness == Likeness.SAME

    entry = merging.merge(kept=kept, merged=merged, by=None)
    assert not DuplicatePair.objects.waiting().exists()
    assert Player.objects.count() == 3
    shown = Session.objects.filter(player=kept)
    assert set(shown.values_list("session_id", flat=True)) == {first, second, both}
    assert Movement.objects.filter(session__in=shown).count() == 2 + 1 + 4
    whole = shown.get(session_id=both)
    assert whole.swing_count == 4
    kept.refresh_from_db()
    assert (kept.session_count, kept.swing_count) == (3, 7)

    for full in (False, True):
        # Changes to either record, new files for all, and a new session of each.
        vendor.world.reprocess_session(both)
        vendor.world.reprocess_session(second)
        vendor.world.set_attribute(two, "weight_lbs", "171")
        start = len(vendor.log.find("data_export"))
        checked(run_sync(full=full))
        assert asked(vendor, start) == {(one, both), (two, both), (two, second)}
        assert Player.objects.count() == 3
        assert shown.count() == 3
        assert Movement.objects.filter(session__in=shown).count() == 7
        assert Movement.objects.filter(missing_since__isnull=False).count() == 0
        assert shown.get(session_id=both).swing_count == 4
        assert not DuplicatePair.objects.waiting().exists()
    later = vendor.world.add_session([two], swings=1, session_date="2026-02-01")
    checked(run_sync())
    new = Session.objects.get(session_id=later)
    assert (new.player, new.recorded_as) == (kept, merged)

    merging.separate(entry=AthleteMerge.objects.get(pk=entry.pk), by=None)
    assert DuplicatePair.objects.waiting().get().pk == pair.pk
    start = len(vendor.log.find("data_export"))
    checked(run_sync(full=True))
    assert asked(vendor, start) == set()
    theirs = {
        org_player_id: {
            row.session_id: (row.swing_count, row.recorded_as_id, row.folded_into_id)
            for row in Session.objects.filter(player__org_player_id=org_player_id)
        }
        for org_player_id in (one, two)
    }
    assert theirs == {
        one: {first: (2, None, None), both: (2, None, None)},
        two: {
            second: (1, None, None),
            both: (2, None, None),
            later: (1, None, None),
        },
    }
    assert not Movement.objects.filter(org_movement_id__contains="[").exists()
    counts = {row.org_player_id: row.swing_count for row in Player.objects.all()}
    assert (counts[one], counts[two]) == (4, 4)
    assert Player.objects.get(org_player_id=two).weight_lbs == 171


@pytest.mark.both
def test_merging_and_undoing_leaves_every_row_as_it_was(vendor, run_sync):
    one, two = ids_of(vendor)[:2]
    vendor.world.add_session([one], swings=2, session_date="2026-01-05")
    vendor.world.add_session([two], swings=1, session_date="2026-01-06")
    vendor.world.add_session([one, two], swings=2, session_date="2026-01-07")
    checked(run_sync(full=True))
    kept, merged = the_two(vendor)
    before = snapshot()
    entry = merging.merge(kept=kept, merged=merged, by=None)
    checked(run_sync())
    checked(run_sync(full=True))
    merging.separate(entry=entry, by=None)
    after = snapshot()
    assert len(after["athletes_athletemerge"]) == 1
    # Of the parts of the number of athletes only the sum says something, and that there
    # was a merge is told to other programs.
    passing = ("athletes_athletemerge", "player_counts", "team_leavings")
    for name in passing:
        before.pop(name, None)
        after.pop(name, None)
    assert differences(before, after) == []
    checked(run_sync(full=True))
    after = snapshot()
    for name in passing:
        after.pop(name, None)
    assert differences(before, after) == []


def test_a_part_that_comes_after_the_merge_finds_its_place(vendor, run_sync):
    """The vendor puts the other record into a session that is here already."""
    one, two = ids_of(vendor)[:2]
    session_id = vendor.world.add_session([two], swings=2, session_date="2026-01-06")
    checked(run_sync(full=True))
    kept, merged = the_two(vendor)
    entry = merging.merge(kept=kept, merged=merged, by=None)
    row = Session.objects.get(session_id=session_id)
    assert (row.player, row.recorded_as) == (kept, merged)
    vendor.world.session(session_id).athletes = [two, one]
    vendor.world.touch_session(session_id)
    checked(run_sync())
    shown = Session.objects.get(session_id=session_id, player=kept)
    hidden = Session.objects.get(session_id=session_id, player=merged)
    assert (shown.recorded_as, shown.folded_into) == (None, None)
    assert (hidden.pk, hidden.folded_into) == (row.pk, shown)
    assert shown.swing_count == 4
    assert shown.movements.filter(folded_from=hidden).count() == 2
    start = len(vendor.log.find("data_export"))
    vendor.world.reprocess_session(session_id)
    checked(run_sync())
    assert asked(vendor, start) == {(one, session_id), (two, session_id)}
    assert shown.movements.filter(missing_since__isnull=True).count() == 4
    merging.separate(entry=entry, by=None)
    rows = Session.objects.filter(session_id=session_id).order_by("player_id")
    assert [(r.player_id, r.movements.count(), r.folded_into_id) for r in rows] == [
        (kept.pk, 2, None),
        (merged.pk, 2, None),
    ]


def test_a_part_that_is_gone_holds_nothing_up(vendor, run_sync):
    """Its files are never asked for; the athlete's other part needs none of them."""
    one, two = ids_of(vendor)[:2]
    dated = "2026-01-06"
    session_id = vendor.world.add_session([one, two], swings=2, session_date=dated)
    checked(run_sync(full=True))
    kept, merged = the_two(vendor)
    merging.merge(kept=kept, merged=merged, by=None)
    vendor.world.session(session_id).athletes = [one]
    vendor.world.touch_session(session_id)
    checked(run_sync())
    shown = Session.objects.get(session_id=session_id, player=kept)
    gone = Session.objects.get(folded_into=shown)
    assert gone.missing_since is not None
    of_gone = ExportJob.objects.filter(session=gone)
    assert services.backfill(session_ids=[shown.pk]) == shown.export_jobs.count()
    assert {job.state for job in of_gone} == {JobState.STORED}

    # One that failed when it went stays due for ever.
    of_gone.update(state=JobState.FAILED, next_try_at=clock.now())
    vendor.world.reprocess_session(session_id)
    services.run_sync(log_id=SyncLog.objects.latest("pk").pk)
    job = AnalysisJob.objects.get(session=shown)
    assert job.done == job.wanted
    shown.refresh_from_db()
    assert (shown.data_state, shown.data_gap) == (DataState.COMPLETE, "")
    assert shown.data_synced


def test_an_athlete_is_listed_as_long_as_one_record_is(vendor, run_sync):
    one, two = ids_of(vendor)[:2]
    checked(run_sync(full=True))
    kept, merged = the_two(vendor)
    merging.merge(kept=kept, merged=merged, by=None)
    vendor.world.remove_player(one)
    checked(run_sync(full=True))
    assert Player.objects.get(pk=kept.pk).missing_since is None
    second = vendor.world.athlete(two)
    vendor.world.remove_player(two)
    checked(run_sync(full=True))
    assert Player.objects.get(pk=kept.pk).missing_since is not None
    second.removed = False
    checked(run_sync())
    assert Player.objects.get(pk=kept.pk).missing_since is None


@pytest.mark.both
def test_an_erased_athlete_of_two_records_stays_away_under_both(vendor, run_sync):
    one, two = ids_of(vendor)[:2]
    vendor.world.add_session([one], swings=1)
    vendor.world.add_session([two], swings=1)
    vendor.world.add_session([one, two], swings=1)
    checked(run_sync(full=True))
    kept, merged = the_two(vendor)
    merging.merge(kept=kept, merged=merged, by=None)
    texts = [one, two, kept.reboot_player_id, merged.reboot_player_id, "Callisto"]
    assert {text for _, text in traces(texts)} == set(texts)
    erasing.erase(player=kept, by=None)
    assert traces(texts) == set()
    assert Tombstone.objects.count() == 2
    for full in (False, True):
        assert run_sync(full=full).status == RunStatus.SUCCESS
        assert traces(texts) == set()
        assert Player.everyone.count() == 2
        assert Session.objects.count() == 0
