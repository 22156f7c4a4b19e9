"""Examples that the state machine found, step by step."""

import pytest

from syncing.models import SyncLog
from tests.syncing.model.machine import SyncMachine
from tests.syncing.model.test_machine import model_vendor

__all__ = ["model_vendor"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_that_fails_after_many_errors_lists_no_more_than_a_hundred(model_vendor):
    machine = SyncMachine()
    machine.begin(players=2, kinds=["one"], start="new", here=True)
    model_vendor.app.bad["players"] = 105
    model_vendor.app.prepare("sessions", *["503"] * 5)
    machine.open("command", "incremental", True)
    machine.finish(machine.processes[-1])
    log = SyncLog.objects.get()
    assert (log.error_count, len(log.errors)) == (106, 100)
    assert log.errors[0]["object"] == "the whole run"
    machine.teardown()
