"""Whole syncs while three answers in ten go wrong; many seeds: benchmarks.faults."""

import pytest
from django.core.management import call_command

from simulator.faults import FaultPlan
from syncing.models import RunStatus
from tests.syncing.snapshot import differences, snapshot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_faults_in_three_of_ten_answers_change_nothing(start_vendor, run_sync, seed):
    vendor = start_vendor(sessions=6, seed=seed)
    vendor.app.set_faults(
        FaultPlan(probability=0.3, seed=seed, retry_after_s=0, slow_s=0.05)
    )
    statuses = []
    while RunStatus.SUCCESS not in statuses and len(statuses) < 8:
        statuses.append(run_sync().status)
    faulty = snapshot()
    faults = sum(vendor.app.faults.done.values())

    assert statuses[-1] == RunStatus.SUCCESS, statuses
    assert faults > 0.15 * vendor.log.total

    vendor.app.set_faults(FaultPlan())
    call_command("flush", verbosity=0, interactive=False)
    assert run_sync().status == RunStatus.SUCCESS
    assert differences(snapshot(), faulty) == []
