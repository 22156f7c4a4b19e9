"""The vendor's contact, from its optional export to the numbers of a swing."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from athletes.models import DataState, Movement, Session
from syncing import clock
from syncing.choices import JobState, RunStatus
from syncing.engine.refusals import refused_until, remember_refusal
from syncing.engine.tempo import Tempo
from syncing.models import ExportJob, ExportRefusal
from syncing.status import sync_state
from tests.factories import make_session
from tests.syncing.clocks import START, ManualClock
from tests.syncing.snapshot import everything

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

METRICS = "hitting-processed-metrics"
RATE_HZ = 120.0


@pytest.fixture
def start(start_vendor):
    """Start a vendor with some sessions of one swing each."""

    def with_sessions(count=1, scenario="", swings=1):
        vendor = start_vendor(
            players=2, sessions=0, swings=swings, rate_hz=RATE_HZ, scenario=scenario
        )
        for place in range(count):
            someone = vendor.world.athletes[place % 2].org_player_id
            vendor.world.add_session([someone])
        return vendor

    return with_sessions


def contact_of(movement):
    """(time, rule, confidence) of contact, and what is told of the vendor's."""
    entry = movement.events.get("contact") or {}
    found = movement.verdict.get("vendor_contact") or {}
    return (entry.get("time_s"), entry.get("rule"), entry.get("confidence")), found


def is_vendors(movement):
    return contact_of(movement)[0][1:] == ("contact", "vendor")


def asked(vendor):
    """Requests for the optional export."""
    bodies = [json.loads(entry.body) for entry in vendor.log.find("data_export")]
    return sum(body["data_type"] == METRICS for body in bodies)


def job():
    return ExportJob.objects.get(data_type=METRICS)


def make_due():
    ExportJob.objects.filter(data_type=METRICS).update(next_try_at=timezone.now())


@pytest.mark.both
def test_contact_reaches_the_analysis_and_is_the_reference(start, run_sync):
    vendor = start(swings=3)
    log = run_sync()
    assert (log.status, log.errors) == (RunStatus.SUCCESS, [])
    session = vendor.world.sessions[0]
    truth = {
        movement.org_movement_id: movement.contact_s
        for movement in vendor.world.movements(session, session.athletes[0])
    }
    movements = list(Movement.objects.all())
    assert len(movements) == len(truth) == 3
    for movement in movements:
        (time_s, rule, confidence), found = contact_of(movement)
        assert (rule, confidence) == ("contact", "vendor")
        assert abs(time_s - truth[movement.org_movement_id]) <= 0.51 / RATE_HZ
        assert movement.events["reference"]["rule"] == "contact"
        assert movement.events["reference"]["time_s"] == time_s
        assert found["value"] == pytest.approx(time_s)
        frame = movement.vendor_metrics["impact_event"]
        assert frame == round(truth[movement.org_movement_id] * RATE_HZ)
        assert movement.vendor_metrics["movement_id"]

    before = everything()
    assert run_sync(full=True).status == RunStatus.SUCCESS
    assert everything() == before


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("metrics-no-impact", "names no contact"),
        ("metrics-shifted=12", "ms from the nearest peak"),
        ("metrics-shifted=5000", "not a frame of this clip"),
    ],
)
def test_a_contact_that_cannot_be_believed_is_told_and_not_used(
    start, run_sync, scenario, words
):
    start(scenario=scenario)
    assert run_sync().status == RunStatus.SUCCESS
    movement = Movement.objects.get()
    assert not is_vendors(movement)
    _, found = contact_of(movement)
    assert found["value"] is None
    assert words in found["text"]
    assert movement.metrics
    assert movement.vendor_metrics["peak_velocity_event"] is not None


def test_a_file_that_comes_later_computes_its_swings_again(start, run_sync):
    vendor = start(scenario="metrics-no-data")
    assert run_sync().status == RunStatus.SUCCESS
    movement = Movement.objects.get()
    assert not is_vendors(movement)
    assert movement.vendor_metrics is None
    assert (job().state, job().error_code) == (JobState.NO_DATA, "")
    assert job().next_try_at is not None
    assert Session.objects.get().data_state == DataState.COMPLETE

    vendor.app.set_scenario("")
    vendor.log.reset()
    make_due()
    run_sync()
    movement.refresh_from_db()
    assert is_vendors(movement)
    assert vendor.log.routes["data_export"] == 1


def test_a_corrected_contact_computes_the_swings_it_concerns_again(start, run_sync):
    vendor = start(count=2)
    run_sync()
    first, second = Movement.objects.order_by("pk")
    vendor.app.set_scenario("metrics-shifted=1")
    vendor.world.touch_session(first.session.session_id)
    log = run_sync()
    assert log.status == RunStatus.SUCCESS
    (before, *_), _ = contact_of(first)
    other_computed_at = second.analysed_at
    first.refresh_from_db()
    second.refresh_from_db()
    assert is_vendors(first)
    assert contact_of(first)[0][0] == pytest.approx(before + 1 / RATE_HZ)
    assert second.analysed_at == other_computed_at


@pytest.mark.mainly("sqlite")
@pytest.mark.parametrize("status", [422, 404, 400])
def test_a_refusal_is_remembered_and_no_error(start, run_sync, status):
    vendor = start(scenario=f"metrics-refused={status}")
    log = run_sync()
    assert (log.status, log.errors, log.error_count) == (RunStatus.SUCCESS, [], 0)
    counts = log.counts["exports"]
    assert (counts["seen"], counts["created"], counts["failed"]) == (3, 3, 0)
    assert (job().state, job().error_code) == (JobState.NO_DATA, "not_offered")
    session = Session.objects.get()
    assert (session.data_state, session.data_synced) == (DataState.COMPLETE, True)
    assert Movement.objects.get().metrics
    refusal = ExportRefusal.objects.get()
    wait = refusal.ask_again_at - refusal.refused_at
    # Only a 422 names the data type.
    sure = status == 422
    assert wait == (timedelta(days=28) if sure else timedelta(hours=2))
    assert refusal.data_type == METRICS
    assert job().next_try_at == refusal.ask_again_at
    assert asked(vendor) == 1

    vendor.world.add_session([vendor.world.athletes[1].org_player_id])
    vendor.world.touch_session(session.session_id)
    assert run_sync().status == RunStatus.SUCCESS
    assert asked(vendor) == 1
    states = ExportJob.objects.filter(data_type=METRICS)
    assert set(states.values_list("state", "error_code")) == {
        (JobState.NO_DATA, "not_offered")
    }


def test_what_was_refused_is_asked_again_after_its_time_or_by_a_full_run(
    start, run_sync
):
    vendor = start(scenario="metrics-refused")
    run_sync()
    vendor.app.set_scenario("")
    run_sync()
    assert asked(vendor) == 1
    ExportRefusal.objects.update(ask_again_at=timezone.now())
    make_due()
    run_sync()
    assert asked(vendor) == 2
    assert is_vendors(Movement.objects.get())

    vendor = start(scenario="metrics-refused")
    run_sync()
    vendor.app.set_scenario("")
    run_sync(full=True)
    assert asked(vendor) == 2
    assert not ExportRefusal.objects.filter(ask_again_at__gt=timezone.now()).exists()


def test_a_refusal_holds_for_its_time_and_for_its_login(settings):
    settings.REBOOT_API_KEY = "one-key"
    with clock.use(ManualClock()) as by_hand:
        assert refused_until(METRICS) is None
        until = remember_refusal(METRICS, "invented", Tempo(), is_sure=True)
        assert until == START + timedelta(days=28)
        by_hand.advance(timedelta(days=28) - timedelta(seconds=1))
        assert refused_until(METRICS) == until
        settings.REBOOT_API_KEY = "another-key"
        assert refused_until(METRICS) is None
        settings.REBOOT_API_KEY = "one-key"
        by_hand.advance(1)
        assert refused_until(METRICS) is None


def wait_of(refusal):
    return refusal.ask_again_at - refusal.refused_at


@pytest.mark.parametrize("status", [400, 404])
def test_a_passing_fault_is_asked_again_soon_and_a_repeated_one_believed(
    start, run_sync, status
):
    vendor = start(scenario=f"metrics-refused={status}")
    run_sync()
    assert wait_of(ExportRefusal.objects.get()) == timedelta(hours=2)
    ExportRefusal.objects.update(ask_again_at=timezone.now())
    make_due()
    run_sync()
    assert asked(vendor) == 2
    assert wait_of(ExportRefusal.objects.get()) == timedelta(days=28)


def test_a_fault_after_a_file_is_a_new_one(settings):
    """What was refused once, then given, and refused again was never not offered."""
    settings.REBOOT_API_KEY = "one-key"
    session = make_session()
    with clock.use(ManualClock()) as by_hand:
        remember_refusal(METRICS, "invented", Tempo(), is_sure=False)
        by_hand.advance(timedelta(hours=3))
        ExportJob.objects.create(
            session=session, data_type=METRICS, stored_at=clock.now()
        )
        by_hand.advance(60)
        until = remember_refusal(METRICS, "invented", Tempo(), is_sure=False)
        assert until == clock.now() + timedelta(hours=2)
        by_hand.advance(timedelta(hours=3))
        until = remember_refusal(METRICS, "invented", Tempo(), is_sure=False)
        assert until == clock.now() + timedelta(days=28)


@pytest.mark.parametrize("scenario", ["metrics-no-data", "metrics-refused=403"])
def test_a_type_that_no_session_has_is_soon_not_asked_for(
    start, run_sync, settings, scenario
):
    settings.SYNC_MAX_REQUESTS = 1
    vendor = start(count=8, scenario=scenario)
    log = run_sync()
    assert (log.status, log.error_count) == (RunStatus.SUCCESS, 0)
    # The first 403 is asked again, with a new token.
    assert asked(vendor) == 5 + (scenario == "metrics-refused=403")
    assert Session.objects.filter(data_state=DataState.COMPLETE).count() == 8


def test_files_that_fail_are_no_failure_and_nothing_waits_for_them(start, run_sync):
    """Many answers in vain would end a run for other files; here none is told of."""
    vendor = start(count=3, scenario="metrics-refused=500")
    log = run_sync()
    assert (log.status, log.error_count) == (RunStatus.SUCCESS, 0)
    jobs = ExportJob.objects.filter(data_type=METRICS)
    assert set(jobs.values_list("state", "error_code")) == {("no_data", "unavailable")}
    assert not ExportJob.objects.broken().exists()
    assert Session.objects.filter(data_state=DataState.COMPLETE).count() == 3
    assert not Movement.objects.filter(method_version="").exists()
    assert sync_state().run.status == RunStatus.SUCCESS
    assert not ExportRefusal.objects.exists()
    assert vendor.log.routes["data_export"] > 9


def test_a_file_that_names_no_movement_is_left_with_the_reason(start, run_sync):
    start(scenario="no-movement-id")
    run_sync()
    assert (job().state, job().error_code) == (JobState.NO_DATA, "missing_column")
    assert "org_movement_id" in job().last_error
    assert Movement.objects.get().vendor_metrics is None
