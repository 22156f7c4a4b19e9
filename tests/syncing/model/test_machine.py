"""The state machine against the engine, for as many transitions as asked for."""

import logging
import os

import hypothesis
import pytest
from hypothesis import Phase
from hypothesis.stateful import run_state_machine_as_test

from tests.syncing.model.machine import SyncMachine
from tests.syncing.model.vendor import ModelVendor
from tests.syncing.model.watch import Watch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

STEPS = 40
TRANSITIONS = int(os.environ.get("MODEL_TRANSITIONS", "120"))
#: Without shrinking a failure is told at once, and long.
PHASES = [Phase.generate] + [Phase.shrink] * ("MODEL_SHRINK" in os.environ)
SEED = os.environ.get("MODEL_SEED")


@pytest.fixture
def model_vendor(settings):
    with ModelVendor() as vendor:
        settings.REBOOT_BASE_URL = vendor.url
        settings.REBOOT_USERNAME = vendor.app.config.username
        settings.REBOOT_PASSWORD = vendor.app.config.password
        settings.REBOOT_API_KEY = ""
        settings.SYNC_MAX_REQUESTS = 1
        settings.SYNC_PROCESSES = 0
        SyncMachine.vendor = vendor
        logging.disable(logging.CRITICAL)
        yield vendor
        logging.disable(logging.NOTSET)


def seeded(machine, options):
    """A machine and its settings: repeated by the seed, or always the same."""
    options = hypothesis.settings(
        options, derandomize=SEED is None, print_blob=False, phases=PHASES
    )
    if SEED is not None:
        machine = hypothesis.seed(int(SEED))(machine)
    return machine, options


def test_the_sync_keeps_its_promises(model_vendor):
    options = hypothesis.settings(
        max_examples=max(1, TRANSITIONS // STEPS),
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    machine, options = seeded(SyncMachine, options)
    try:
        run_state_machine_as_test(machine, settings=options)
    finally:
        if "MODEL_STATISTICS" in os.environ:
            for what, count in sorted(Watch.seen.items(), key=str):
                print(count, *what)  # noqa: T201
