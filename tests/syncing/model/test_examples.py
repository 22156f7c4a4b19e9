"""Examples that random search found late or rarely, step by step.

Each is a sequence of the machine's own transitions: what has to hold is asked by the
model after every step, and once more when all has come to rest.
"""

import pytest

from athletes.models import Player, Session
from syncing.models import ExportJob, SyncLog, VendorSession
from tests.syncing.model import spec
from tests.syncing.model.changes import change_athlete, change_session
from tests.syncing.model.machine import SyncMachine

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.mainly("sqlite"),
]


@pytest.fixture
def machine(model_vendor):
    machine = SyncMachine()
    yield machine
    machine.teardown()


def test_a_run_that_fails_after_many_errors_lists_no_more_than_a_hundred(machine):
    machine.begin(players=2, kinds=["one"], start="new", here=True)
    machine.vendor.app.bad["players"] = 105
    machine.vendor.app.prepare("sessions", *["503"] * 5)
    machine.open("command", "incremental", True)
    machine.finish(machine.processes[-1])
    log = SyncLog.objects.get()
    assert (log.error_count, len(log.errors)) == (106, 100)
    assert log.errors[0]["object"] == "the whole run"


@pytest.mark.both
def test_a_helper_that_lives_keeps_its_place_and_its_jobs(machine):
    machine.begin(players=2, kinds=["one"], start="helped", here=False)
    leader, helper = machine.processes
    helper.claim()
    # Looked for by the sweep and by the leader, every two seconds.
    machine.do_sweep()
    machine.time_passes(40.0)
    machine.do_sweep()
    assert helper.row in type(helper.row).objects.all()
    assert ExportJob.objects.filter(claimed_by=helper.ctx.worker).exists()
    # Silent until the limit it is waited for, and a moment later no more.
    machine.process_comes_or_goes(index=1, here=True, what="freeze")
    machine.time_passes(spec.SILENCE_S - machine.clock.passed + helper.last_beat)
    machine.do_sweep()
    assert helper.row in type(helper.row).objects.all()
    machine.time_passes(1.0)
    machine.do_sweep()
    assert helper.row not in type(helper.row).objects.all()
    assert leader.is_alive


def test_nothing_answers_from_the_first_request_of_a_process(machine):
    machine.begin(players=2, kinds=["one"], start="exports", here=True)
    machine.helper_meets_silence(here=True, kind="503", calls=1)
    job = ExportJob.objects.get(error_code="unavailable")
    # No try of this file: an hour, as it may last.
    assert (job.state, job.attempts) == ("failed", 0)
    wait_s = (job.next_try_at - machine.now()).total_seconds()
    assert spec.HOUR - 5 < wait_s <= spec.HOUR


def test_the_vendor_is_away_after_an_answer(machine):
    machine.begin(players=2, kinds=["one", "one"], start="exports", here=True)
    leader = machine.processes[0]
    most = spec.most_in_vain(machine.limit)
    # One less than ends a run, and an answer: then all are needed again.
    machine.vendor_is_away_after_an_answer(index=0, kind="500", calls=most - 1)
    assert leader.is_alive
    # A file that nothing waits for does not count.
    machine.vendor_is_away_after_an_answer(index=0, kind="403", calls=most + 1)
    assert leader.has_ended
    assert leader.fatal is not None


def test_files_of_a_merged_record_bring_numbers_where_they_are_shown(machine):
    machine.begin(players=2, kinds=["two"], start="exports", here=True)
    machine.finish(machine.processes[-1])
    # First the files of both records change, and in the end those of one alone.
    machine.two_records_are_one(index=0, swap=False, alone=False)
    machine.finish(machine.processes[-1])
    assert Session.objects.exclude(folded_into=None).count() == 1


def test_what_is_not_to_be_had_is_asked_for_again_later(machine):
    machine.begin(players=2, kinds=["one", "one"], start="new", here=True)
    # One session cannot be read; of the other the first file is elsewhere, and there
    # is no data for the second.
    machine.vendor_will_answer(("session", ["500"]))
    machine.vendor_will_answer_exports(["other-host", "no-data"])
    machine.open("command", "incremental", True)
    machine.finish(machine.processes[-1])
    states = set(ExportJob.objects.values_list("state", "error_code"))
    assert {("failed", "forbidden_host"), ("no_data", "")} <= states


def test_an_athlete_whom_a_session_no_longer_names_is_missing_from_it(machine):
    machine.begin(players=2, kinds=["two"], start="exports", here=True)
    machine.finish(machine.processes[-1])
    change_session(machine.world, "people", machine.world.sessions[0], 0)
    machine.open("command", "full", True)
    machine.finish(machine.processes[-1])
    shown = Session.objects.filter(missing_since=None)
    assert (shown.count(), Session.objects.count()) == (1, 2)


@pytest.mark.both
@pytest.mark.parametrize("answer", ["", "404"], ids=["answered", "refused"])
def test_who_is_erased_while_a_session_is_asked_about_leaves_no_trace(machine, answer):
    machine.begin(players=1, kinds=["one"], start="exports", here=True)
    machine.finish(machine.processes[-1])
    change_session(machine.world, "touch", machine.world.sessions[0], 0)
    machine.vendor_will_answer(("session", [answer] if answer else []))
    machine.meanwhile(route="session", what="erase", index=0)
    machine.open("command", "full", True)
    machine.finish(machine.processes[-1])
    assert machine.erased
    log = SyncLog.objects.latest("pk")
    assert (log.status, log.errors) == ("success", [])
    assert not VendorSession.objects.exists()
    assert not Player.objects.exists()


def test_an_athlete_who_is_renamed_has_the_new_name(machine):
    machine.begin(players=2, kinds=["one"], start="exports", here=True)
    machine.finish(machine.processes[-1])
    change_athlete(machine.world, "rename", machine.world.athletes[0], 1)
    machine.open("command", "full", True)
    machine.finish(machine.processes[-1])
    assert Player.objects.filter(first_name="Renamed").count() == 1
