"""What a run does when the vendor, the login or a list fails."""

import json
import logging
from datetime import timedelta

import pytest
from django.utils import timezone

from athletes.models import Player, Session
from simulator.faults import FaultPlan
from syncing import services, sweeping
from syncing.choices import OPTIONAL_EXPORTS, JobState, RunStatus
from syncing.models import ExportJob, SyncCursor, SyncLog, VendorSession
from tests.syncing.conftest import FAST, sync
from tests.syncing.snapshot import everything

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def last_json(text):
    return json.loads(text.strip().splitlines()[-1])


@pytest.mark.processes
def test_wrong_credentials_exit_2_with_one_line(vendor, sync_process, settings):
    settings.REBOOT_PASSWORD = "not-the-password"
    process = sync_process("--json")
    out, err = process.communicate(timeout=60)

    assert process.returncode == 2
    outcome = last_json(out)
    assert outcome["status"] == "failed"
    assert [error["code"] for error in outcome["errors"]] == ["authentication"]
    assert "REBOOT_PASSWORD" in outcome["errors"][0]["message"]
    assert "not-the-password" not in out + err
    assert "Traceback" not in err
    assert SyncLog.objects.get().status == RunStatus.FAILED


@pytest.mark.processes
def test_missing_credentials_exit_2(vendor, sync_process, settings):
    settings.REBOOT_USERNAME = settings.REBOOT_PASSWORD = ""
    process = sync_process("--json")
    out, err = process.communicate(timeout=60)

    assert process.returncode == 2
    assert last_json(out)["errors"][0]["code"] == "configuration"
    assert "Traceback" not in err


def test_changed_password_is_noticed_although_a_token_is_kept(
    start_vendor, run_sync, settings
):
    start_vendor(sessions=1)
    assert run_sync().status == RunStatus.SUCCESS
    settings.REBOOT_PASSWORD = "changed"
    assert run_sync().error_class == "authentication"


def test_unreachable_vendor_fails_and_keeps_everything(
    start_vendor, run_sync, settings
):
    start_vendor(sessions=2)
    run_sync()
    before = everything()
    settings.REBOOT_BASE_URL = "http://127.0.0.1:9"
    log = run_sync()

    assert log.status == RunStatus.FAILED
    assert "127.0.0.1 could not be reached" in log.error_message
    assert everything() == before


@pytest.mark.processes
def test_unreachable_vendor_exits_2(vendor, sync_process, settings):
    settings.REBOOT_BASE_URL = "http://127.0.0.1:9"
    process = sync_process("--json")
    out, _ = process.communicate(timeout=60)

    assert process.returncode == 2
    outcome = last_json(out)
    assert outcome["errors"][0]["code"] == "unavailable"
    assert outcome["requests"] > 0


def test_html_where_json_should_be_is_said_in_one_line(start_vendor, run_sync):
    vendor = start_vendor(sessions=2)
    run_sync()
    before = everything()
    vendor.app.set_faults(
        FaultPlan(
            probability=1.0,
            kinds=("html-200",),
            routes=("players", "sessions", "lookups"),
            max_in_a_row=10**6,
        )
    )
    log = run_sync()

    assert log.status == RunStatus.FAILED
    assert "HTML" in log.error_message
    assert "\n" not in log.error_message
    assert everything() == before


@pytest.mark.mainly("sqlite")
def test_vanished_records_are_marked_and_come_back(start_vendor, run_sync):
    vendor = start_vendor(
        players=12, sessions=5, swings=1, templates=1, scenario="plain"
    )
    run_sync(full=True)
    session_id = vendor.world.listed_sessions()[0].id
    idle = Player.objects.filter(sessions__isnull=True).first()
    removed_session = vendor.world.session(session_id)
    removed_athlete = vendor.world.athlete(idle.org_player_id)
    vendor.world.remove_session(session_id)
    vendor.world.remove_player(idle.org_player_id)

    run_sync()
    assert not Session.objects.filter(missing_since__isnull=False).exists()

    log = run_sync(full=True)
    assert (log.status, log.errors) == (RunStatus.SUCCESS, [])
    assert Session.objects.get(missing_since__isnull=False).session_id == session_id
    idle.refresh_from_db()
    assert idle.missing_since is not None

    removed_session.removed = removed_athlete.removed = False
    run_sync(full=True)
    assert not Session.objects.filter(missing_since__isnull=False).exists()
    idle.refresh_from_db()
    assert idle.missing_since is None


@pytest.mark.parametrize("what", ["players", "sessions"])
def test_implausible_share_stops_the_run(start_vendor, run_sync, what):
    count = 0 if what == "players" else 8
    vendor = start_vendor(
        players=12, sessions=count, swings=1, templates=1, scenario="plain"
    )
    run_sync(full=True)
    before = everything()
    world = vendor.world
    listed = world.listed_athletes() if what == "players" else world.listed_sessions()
    for item in listed[:6]:
        item.removed = True
    log = run_sync(full=True)

    assert log.status == RunStatus.FAILED
    assert f"no longer includes 6 of our {count or 12}" in log.error_message
    assert "--accept-removals" in log.errors[0]["hint"]
    assert everything() == before

    log = run_sync(full=True, accept_removals=True)
    assert (log.status, log.errors) == (RunStatus.SUCCESS, [])
    model = Player if what == "players" else VendorSession
    assert model.objects.filter(missing_since__isnull=False).count() == 6


@pytest.mark.parametrize(
    ("full", "left", "sentence"),
    [
        (full, left, sentence)
        for left, sentence in (
            (0, "Reboot Motion's list is empty, while 3 athletes are stored here"),
            (2, "no longer includes 6 of our 8 athletes"),
        )
        for full in (False, True)
    ],
)
def test_a_list_that_is_empty_or_cut_is_no_success(
    start_vendor, run_sync, full, left, sentence
):
    vendor = start_vendor(
        players=8 if left else 3, sessions=1, swings=1, scenario="plain"
    )
    assert run_sync(full=True).status == RunStatus.SUCCESS
    before = everything()
    vendor.app.set_scenario(f"plain,lists-cut={left}")
    log = run_sync(full=full)

    # Nothing of an empty list is of any use.
    is_useful = left and not full
    assert log.status == (RunStatus.PARTIAL if is_useful else RunStatus.FAILED)
    assert sentence in log.error_message
    assert "nothing was marked as missing" in log.error_message
    assert log.errors[0]["code"] == "implausible_removal"
    assert "belongs to your organization" in log.errors[0]["hint"]
    # What is only told and ends no run: to coaches of every team.
    assert log.errors[0]["is_general"]
    assert everything() == before

    vendor.app.set_scenario("plain")
    assert run_sync(full=full).status == RunStatus.SUCCESS
    assert everything() == before


def test_an_empty_list_of_sessions_marks_none_of_a_few(start_vendor, run_sync):
    vendor = start_vendor(players=4, sessions=2, scenario="plain")
    run_sync(full=True)
    for session in vendor.world.listed_sessions():
        session.removed = True
    log = run_sync(full=True)
    assert "list is empty, while 2 sessions are stored here" in log.error_message
    assert not Session.objects.filter(missing_since__isnull=False).exists()

    assert run_sync(full=True, accept_removals=True).status == RunStatus.SUCCESS
    assert not Session.objects.filter(missing_since__isnull=True).exists()


def test_an_athlete_whose_entry_cannot_be_read_is_still_listed(start_vendor, run_sync):
    vendor = start_vendor(players=4, sessions=0)
    run_sync(full=True)
    vendor.world.listed_athletes()[1].attributes = "damaged"
    log = run_sync(full=True)
    assert (log.status, log.error_count) == (RunStatus.PARTIAL, 1)
    assert not Player.objects.filter(missing_since__isnull=False).exists()


@pytest.mark.mainly("sqlite")
def test_cursor_moves_only_with_what_it_covers(start_vendor, run_sync):
    vendor = start_vendor(sessions=3, scenario="plain")
    vendor.app.set_faults(
        FaultPlan(
            probability=1.0,
            kinds=("html-200",),
            routes=("sessions",),
            max_in_a_row=10**6,
        )
    )
    run_sync()
    assert not SyncCursor.objects.exists()

    vendor.app.set_faults(FaultPlan())
    run_sync()
    assert SyncCursor.objects.get().value is not None
    assert Session.objects.count() == 3


def test_nothing_secret_and_no_name_is_logged(start_vendor, run_sync, caplog):
    caplog.set_level(logging.DEBUG)
    vendor = start_vendor(players=9, sessions=3)
    vendor.app.set_faults(FaultPlan(probability=0.3, seed=3, retry_after_s=0, slow_s=0))
    vendor.world.damage_session(vendor.world.listed_sessions()[0].id, "bad-html")
    sync()
    sync()

    told = caplog.text + json.dumps(list(SyncLog.objects.values_list("errors")))
    told += "".join(ExportJob.objects.values_list("last_error", flat=True))
    config = vendor.app.config
    secrets = [config.password, config.api_key, "Bearer", "X-Amz", "Signature"]
    secrets += list(vendor.app._tokens)
    names = {
        name
        for athlete in vendor.world.athletes
        for name in (athlete.first_name, athlete.last_name)
        if len(name) > 3
    }
    assert "run" in told
    assert [word for word in [*secrets, *names] if word in told] == []


def test_one_refused_session_does_not_hold_up_the_others(start_vendor, run_sync):
    vendor = start_vendor(sessions=4, scenario="plain")
    refused = vendor.world.listed_sessions()[0].id
    vendor.world.damage_session(refused, "refused")
    log = run_sync()
    assert (log.status, log.error_count) == (RunStatus.PARTIAL, 1)
    assert log.errors[0]["code"] == "forbidden"
    assert refused in log.errors[0]["object"]
    stored = Session.objects.values_list("session_id", "data_state")
    assert len(stored) >= 3
    assert {state for _, state in stored} == {"complete"}
    assert refused not in dict(stored)

    vendor.world.damage_session(refused, None)
    VendorSession.objects.update(next_check_at=timezone.now())
    assert run_sync().status == RunStatus.SUCCESS
    assert Session.objects.get(session_id=refused).data_state == "complete"


def test_a_session_refused_after_it_was_seen_keeps_its_files_for_later(
    start_vendor, run_sync
):
    vendor = start_vendor(sessions=2, scenario="plain")
    refused = vendor.world.listed_sessions()[0].id
    assert run_sync().status == RunStatus.SUCCESS
    ExportJob.objects.filter(session__session_id=refused).update(
        state=JobState.WANTED, next_try_at=timezone.now()
    )
    vendor.world.damage_session(refused, "refused")
    assert run_sync().status == RunStatus.PARTIAL
    jobs = ExportJob.objects.filter(session__session_id=refused)
    needed = jobs.exclude(data_type__in=OPTIONAL_EXPORTS)
    assert set(needed.values_list("state", "error_code")) == {
        (JobState.FAILED, "forbidden")
    }


def test_a_login_that_may_see_no_session_ends_the_run(start_vendor, run_sync, settings):
    settings.SYNC_MAX_REQUESTS = 2
    vendor = start_vendor(sessions=12, scenario="plain")
    for session in vendor.world.listed_sessions():
        vendor.world.damage_session(session.id, "refused")
    log = run_sync()
    assert log.status == RunStatus.PARTIAL
    assert log.error_class == "forbidden"
    assert "HTTP 403" in log.error_message
    assert vendor.app.log.summary()["routes"]["session"] < 12


def test_session_that_cannot_be_read_is_looked_at_again_by_the_sweep(
    start_vendor, run_sync
):
    """Not only by the sync of the next day."""
    vendor = start_vendor(sessions=2, scenario="plain")
    vendor.app.set_faults(
        FaultPlan(
            probability=1.0, kinds=("500",), routes=("session",), max_in_a_row=10**6
        )
    )
    began = timezone.now()
    assert run_sync().status == RunStatus.PARTIAL
    for row in VendorSession.objects.all():
        assert "HTTP 500" in row.last_error
        assert row.next_check_at - began >= timedelta(minutes=9)
    assert sweeping.sweep()["started"] == 0

    vendor.app.set_faults(FaultPlan())
    VendorSession.objects.update(next_check_at=timezone.now())
    assert sweeping.sweep()["started"] == 1
    log = services.run_sync(log_id=SyncLog.objects.active().get().pk, tempo=FAST)
    assert log.status == RunStatus.SUCCESS
    rows = VendorSession.objects.values_list("last_error", "checks", "next_check_at")
    assert set(rows) == {("", 0, None)}
    assert set(Session.objects.values_list("data_state", flat=True)) == {"complete"}


def test_refused_login_is_not_tried_every_five_minutes(
    start_vendor, run_sync, settings
):
    vendor = start_vendor(sessions=1, swings=1, scenario="plain")
    run_sync()
    ExportJob.objects.update(state=JobState.FAILED, next_try_at=timezone.now())
    settings.REBOOT_PASSWORD = "changed"
    log = run_sync(trigger="sweep", sync_type="exports")
    assert (log.status, log.error_class) == (RunStatus.FAILED, "authentication")
    assert ExportJob.objects.due(timezone.now()).exists()
    asked = vendor.log.total
    for _ in range(3):
        assert sweeping.sweep()["started"] == 0
    assert vendor.log.total == asked

    SyncLog.objects.update(completed_at=timezone.now() - timedelta(minutes=61))
    assert sweeping.sweep()["started"] == 1
