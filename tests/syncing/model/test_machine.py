"""The state machine against the engine, for as many transitions as asked for."""

import os

import pytest

from tests.syncing.model.machine import SyncMachine
from tests.syncing.model.running import TRANSITIONS, run_machine
from tests.syncing.model.watch import Watch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

STEPS = 40


@pytest.mark.mainly("sqlite")
def test_the_sync_keeps_its_promises(model_vendor):
    try:
        run_machine(SyncMachine, examples=max(1, TRANSITIONS // STEPS), steps=STEPS)
    finally:
        if "MODEL_STATISTICS" in os.environ:
            for what, count in sorted(Watch.seen.items(), key=str):
                print(count, *what)  # noqa: T201
