"""Whole syncs over real HTTP."""

import re
from collections import Counter
from contextlib import contextmanager

import pytest
from django.db import connection
from django.db.backends.signals import connection_created

from athletes.models import BiomechanicsData, DataState, Movement, Player, Session
from simulator.faults import FaultPlan
from syncing.choices import Phase, RunStatus
from syncing.models import (
    AnalysisJob,
    ExportJob,
    MovementType,
    SyncCursor,
    SyncLog,
    VendorSession,
)
from tests.database_reset import empty_database
from tests.syncing.snapshot import differences, everything, snapshot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def hitters_of(vendor):
    """(session id, org_player_id) of everybody who has hitting data."""
    world = vendor.world
    return {
        (session.id, org_player_id)
        for session in world.listed_sessions()
        for org_player_id in session.athletes
        if world.has_data(session, org_player_id, "baseball-hitting")
    }


@pytest.mark.both
def test_first_sync_brings_everything_home(start_vendor, run_sync):
    vendor = start_vendor(players=137, sessions=5)
    log = run_sync()

    assert (log.status, log.errors) == (RunStatus.SUCCESS, [])
    assert Player.objects.count() == 137
    assert log.counts["players"]["created"] == 137
    stored = {
        (row.session_id, row.player.org_player_id)
        for row in Session.objects.filter(data_synced=True).select_related("player")
    }
    assert stored == hitters_of(vendor)
    for row in Session.objects.filter(data_synced=True).select_related("player"):
        session = vendor.world.session(row.session_id)
        truth = vendor.world.movements(session, row.player.org_player_id)
        movements = Movement.objects.filter(session=row)
        assert {m.org_movement_id for m in movements} == {
            m.org_movement_id for m in truth
        }
    assert MovementType.objects.filter(slug="baseball-hitting").exists()
    assert log.requests == vendor.log.total
    assert log.biomechanics_synced == BiomechanicsData.objects.count() > 0
    assert log.phase == Phase.DONE
    assert SyncCursor.objects.get().value == log.cursor_after


def test_sessions_without_hitting_get_no_rows(start_vendor, run_sync):
    vendor = start_vendor(sessions=0)
    someone = vendor.world.athletes[0].org_player_id
    pitching = vendor.world.add_session([someone], slug="baseball-pitching")
    hitting = vendor.world.add_session([someone])
    log = run_sync()

    assert set(Session.objects.values_list("session_id", flat=True)) == {hitting}
    assert log.counts["sessions"]["skipped"] == 1
    verdicts = dict(VendorSession.objects.values_list("session_id", "verdict"))
    assert verdicts == {pitching: "other", hitting: "hitting"}


@pytest.mark.mainly("sqlite")
def test_second_sync_changes_nothing(vendor, run_sync):
    run_sync()
    before, vendor_side = everything(), snapshot()
    log = run_sync()

    assert log.status == RunStatus.SUCCESS
    assert everything() == before
    assert differences(snapshot(), vendor_side) == []
    for kind in ("players", "sessions", "movements", "exports"):
        assert log.counts[kind]["created"] == 0
        assert log.counts[kind]["updated"] == 0


@pytest.mark.mainly("sqlite")
def test_full_sync_after_a_full_sync_changes_nothing(vendor, run_sync):
    run_sync(full=True)
    before = everything()
    log = run_sync(full=True)

    assert log.status == RunStatus.SUCCESS
    assert everything() == before


@pytest.mark.parametrize("sessions", [2, 5])
def test_requests_without_changes_do_not_grow(start_vendor, run_sync, sessions):
    start_vendor(players=3, sessions=sessions, swings=1, templates=1, scenario="plain")
    run_sync()
    log = run_sync()

    # movement types, athletes twice (an empty page ends a list), sessions twice
    assert log.requests == 5


@pytest.mark.both
def test_edits_at_the_vendor_arrive(vendor, run_sync):
    run_sync()
    row = Session.objects.filter(data_state=DataState.COMPLETE).first()
    org_player_id = row.player.org_player_id
    old = dict(
        BiomechanicsData.objects.filter(movement__session=row).values_list(
            "id", "content_sha256"
        )
    )
    vendor.world.rename_player(org_player_id, "Newname", "Invented")
    vendor.world.set_attribute(org_player_id, "height_ft", "5.500")
    vendor.world.reprocess_session(row.session_id)
    log = run_sync()

    player = Player.objects.get(org_player_id=org_player_id)
    assert (player.first_name, player.height_ft) == ("Newname", 5.5)
    assert player.search_text == "newname invented"
    assert log.counts["players"]["updated"] == 1
    assert log.counts["exports"]["updated"] >= 2
    new = dict(
        BiomechanicsData.objects.filter(movement__session=row).values_list(
            "id", "content_sha256"
        )
    )
    assert set(new) == set(old)
    assert all(new[key] != old[key] for key in old)


def test_corrected_fields_are_left_alone(vendor, run_sync):
    run_sync()
    player = Player.objects.first()
    Player.objects.filter(pk=player.pk).update(
        height_ft=6.25, corrected_fields=["height_ft"]
    )
    vendor.world.set_attribute(player.org_player_id, "height_ft", "5.000")
    vendor.world.rename_player(player.org_player_id, "Other", "Invented")
    run_sync()

    player.refresh_from_db()
    assert (player.height_ft, player.first_name) == (6.25, "Other")


def test_no_data_is_an_answer_and_asked_again_when_due(start_vendor, run_sync):
    vendor = start_vendor(sessions=0)
    someone = vendor.world.athletes[0].org_player_id
    session_id = vendor.world.add_session([someone])
    vendor.world.delay_data(session_id, 3600)
    log = run_sync()

    assert log.status == RunStatus.SUCCESS
    assert log.counts["exports"]["no_data"] == 3
    row = Session.objects.get()
    assert row.data_state == DataState.NO_DATA
    jobs = ExportJob.objects.filter(session=row)
    assert {job.state for job in jobs} == {"no_data"}
    assert all(job.next_try_at is not None for job in jobs)

    vendor.world.advance(7200)
    log = run_sync()
    assert log.counts["exports"]["seen"] == 0  # not due yet, and nothing changed

    ExportJob.objects.update(next_try_at=log.completed_at)
    run_sync()
    row.refresh_from_db()
    assert row.data_state == DataState.COMPLETE


def test_no_data_is_asked_again_at_once_when_the_session_changed(
    start_vendor, run_sync
):
    vendor = start_vendor(sessions=0)
    session_id = vendor.world.add_session([vendor.world.athletes[0].org_player_id])
    vendor.world.delay_data(session_id, 3600)
    run_sync()
    vendor.world.give_data(session_id)
    run_sync()

    assert Session.objects.get().data_state == DataState.COMPLETE


@pytest.mark.parametrize(
    "scenario",
    [
        "export-polled",
        "export-status",
        "export-location",
        "export-single-key",
        "wrapped,limit-clamped=2,iso-dates,string-session-num",
        "missing-fields",
        "parquet-gz",
        "upper-points,plain-csv",
    ],
)
def test_variants_of_the_vendor_end_the_same(start_vendor, run_sync, scenario):
    vendor = start_vendor(sessions=2, scenario=scenario, swings=1)
    log = run_sync()

    assert (log.status, log.errors) == (RunStatus.SUCCESS, [])
    stored = {
        (row.session_id, row.player.org_player_id)
        for row in Session.objects.filter(data_synced=True).select_related("player")
    }
    assert stored == hitters_of(vendor)


def test_files_that_name_no_movement_are_asked_for_one_by_one(start_vendor, run_sync):
    vendor = start_vendor(sessions=1, scenario="plain,no-movement-id")
    log = run_sync()

    # The list of movements is of no use without ids; the swings are all there.
    assert {error["code"] for error in log.errors} == {"missing_column"}
    row = Session.objects.get()
    session = vendor.world.session(row.session_id)
    truth = vendor.world.movements(session, row.player.org_player_id)
    assert [m.org_movement_id for m in row.movements.order_by("position")] == [
        m.org_movement_id for m in truth
    ]
    assert row.data_state == DataState.COMPLETE


def test_exports_that_time_out_as_a_whole_are_asked_for_by_movement(
    start_vendor, run_sync
):
    vendor = start_vendor(sessions=2, swings=3, scenario="plain,export-times-out")
    log = run_sync()

    assert (log.status, log.errors) == (RunStatus.SUCCESS, [])
    for row in Session.objects.all():
        truth = vendor.world.movements(
            vendor.world.session(row.session_id), row.player.org_player_id
        )
        assert [m.org_movement_id for m in row.movements.order_by("position")] == [
            m.org_movement_id for m in truth
        ]
        assert row.data_state == DataState.COMPLETE
    assert BiomechanicsData.objects.count() == 2 * 3 * 2


@pytest.mark.processes
def test_vendor_whose_gateway_answers_nothing_ends_the_run(
    start_vendor, run_sync, settings
):
    settings.SYNC_MAX_REQUESTS = 2
    vendor = start_vendor(sessions=12, swings=2, scenario="plain")
    vendor.app.set_faults(
        FaultPlan(
            probability=1.0,
            kinds=("502",),
            routes=("data_export",),
            max_in_a_row=10**6,
        )
    )
    log = run_sync()
    assert (log.status, log.error_class) == (RunStatus.PARTIAL, "unavailable")
    assert "HTTP 502" in log.error_message


def test_expired_links_are_asked_for_anew(start_vendor, run_sync):
    vendor = start_vendor(sessions=3, scenario="plain")

    vendor.app.set_faults(
        FaultPlan(probability=0.5, kinds=("expired-link",), routes=("download",))
    )
    log = run_sync()

    assert log.status == RunStatus.SUCCESS
    assert vendor.app.faults.done["expired-link"] > 0
    assert not ExportJob.objects.exclude(state="stored").exists()


def test_token_that_expires_in_the_middle_is_replaced(start_vendor, run_sync):
    vendor = start_vendor(sessions=3, scenario="plain,token-life=1", latency_ms=100)
    log = run_sync()

    assert log.status == RunStatus.SUCCESS
    assert vendor.log.routes["token"] > 1


def test_requests_at_once_stay_below_the_limit(start_vendor, run_sync, settings):
    settings.SYNC_MAX_REQUESTS = 3
    vendor = start_vendor(sessions=4, swings=1, scenario="plain", latency_ms=30)
    run_sync()

    assert vendor.log.most_in_flight == 3


def test_no_lease_and_no_open_analysis_is_left(vendor, run_sync):
    run_sync()

    assert not ExportJob.objects.exclude(claimed_by="").exists()
    assert not AnalysisJob.objects.exclude(claimed_by="").exists()
    for job in AnalysisJob.objects.all():
        assert job.done == job.wanted > 0


def test_progress_and_heartbeat_are_written(start_vendor, run_sync):
    start_vendor(sessions=4, scenario="plain", latency_ms=50)
    seen = []
    log = run_sync(on_progress=lambda run: seen.append((run.phase, dict(run.progress))))

    phases = [phase for phase, _ in seen]
    assert phases.index(Phase.PLAYERS) < phases.index(Phase.EXPORTS)
    done = log.progress[Phase.EXPORTS]
    assert done["done"] == done["total"] == 16
    assert SyncLog.objects.get().heartbeat_at is not None


#: How often these are asked is a matter of time: heartbeat, slots, claims, summaries.
BY_THE_CLOCK = re.compile(
    r"BEGIN|SAVEPOINT|syncing_requestslot|django_cache|sync_log|runhelper"
    r"|^SELECT .*FROM \"?syncing_exportjob|SET \"claimed_(?:by|until)\" = "
    r"|\"players\"|peer_|athlete_scatters"
    r"|\"session__player_id\"|\"sessions\".\"player_id\" AS"
)


@contextmanager
def statements_of_all_threads():
    """Every statement of connections that are made meanwhile."""
    found = []

    def note(execute, sql, params, many, context):
        found.append(" ".join(sql.split()))
        return execute(sql, params, many, context)

    def watch(connection, **kwargs):
        connection.execute_wrappers.append(note)

    connection_created.connect(watch)
    try:
        yield found
    finally:
        connection_created.disconnect(watch)


@pytest.mark.mainly("sqlite")
def test_a_session_costs_the_same_statements_however_many_swings(
    start_vendor, run_sync, settings
):
    """Those of its own: none is added by a swing, and none by accident."""
    settings.SYNC_PROCESSES = 0
    counts = {}
    for swings in (3, 8):
        empty_database()
        start_vendor(players=1, sessions=1, swings=swings, scenario="plain")
        with statements_of_all_threads() as found:
            run_sync()
        assert Movement.objects.filter(is_swing=True).count() == swings
        own = [text for text in found if not BY_THE_CLOCK.search(text)]
        counts[swings] = Counter(" ".join(text.split()[:3]) for text in own)
    assert counts[3] == counts[8]
    # Two for each kind of file that is met for the first time; four, or five with the
    # lock, say that the data are synced once their numbers are there.
    expected = {"sqlite": 77, "postgresql": 82}[connection.vendor]
    assert counts[3].total() == expected, counts[3]


def test_athlete_whom_a_session_no_longer_names_is_missing_from_it(
    start_vendor, run_sync
):
    vendor = start_vendor(sessions=0)
    both = [athlete.org_player_id for athlete in vendor.world.athletes[:2]]
    session_id = vendor.world.add_session(both)
    run_sync()
    assert Session.objects.filter(missing_since=None).count() == 2

    vendor.world.session(session_id).athletes = both[:1]
    vendor.world.touch_session(session_id)
    run_sync()
    listed = dict(Session.objects.values_list("player__org_player_id", "missing_since"))
    assert listed[both[0]] is None
    assert listed[both[1]] is not None

    vendor.world.session(session_id).athletes = both
    vendor.world.touch_session(session_id)
    run_sync()
    assert Session.objects.filter(missing_since=None).count() == 2
