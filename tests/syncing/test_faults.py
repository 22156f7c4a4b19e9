"""Whole syncs while three answers in ten go wrong; many seeds: benchmarks.faults."""

import logging

import pytest

from athletes.models import PeerGroup
from simulator.faults import FaultPlan
from syncing.choices import RunStatus
from tests.database_reset import empty_database
from tests.syncing.leaks import leaks, patterns
from tests.syncing.snapshot import differences, snapshot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(n, marks=pytest.mark.nightly) for n in (2, 3))]
)
def test_faults_in_three_of_ten_answers_change_nothing(
    start_vendor, run_sync, seed, caplog
):
    caplog.set_level(logging.DEBUG)
    vendor = start_vendor(sessions=6, seed=seed)
    vendor.app.set_faults(
        FaultPlan(probability=0.3, seed=seed, retry_after_s=0, slow_s=0.05)
    )
    statuses = []
    while RunStatus.SUCCESS not in statuses and len(statuses) < 8:
        statuses.append(run_sync().status)
    faults = sum(vendor.app.faults.done.values())
    assert statuses[-1] == RunStatus.SUCCESS, statuses
    assert faults > 0.15 * vendor.log.total
    assert "run" in caplog.text
    assert leaks(caplog.text, patterns(vendor)) == []

    vendor.app.set_faults(FaultPlan())
    # A file that nothing waits for may have been given up; a full run asks again.
    assert run_sync(full=True).status == RunStatus.SUCCESS
    # Groups in which nobody is any longer stay, and hold nothing.
    PeerGroup.objects.filter(numbers=None).delete()
    faulty = snapshot()
    empty_database()
    assert run_sync().status == RunStatus.SUCCESS
    assert differences(snapshot(), faulty) == []


def test_search_for_leaks_finds_each_kind(start_vendor):
    """The search that all fault runs rely on can fail."""
    vendor = start_vendor()
    athlete = next(item for item in vendor.world.athletes if len(item.first_name) > 3)
    vendor.app._tokens["token-of-a-run"] = None
    lines = [
        "run 1: all is well",
        f"login with {vendor.app.config.password} failed",
        "answer to token-of-a-run",
        "the key is own-secret-key",
        "sent Authorization: Basic",
        "GET https://host/file.parquet?X-Amz-Signature=1",
        "GET https://host/file.parquet?a=1&Expires=2",
        f"swing of {athlete.first_name} stored",
        f"swing of {athlete.first_name}son stored",
    ]
    found = leaks("\n".join(lines), patterns(vendor, others=["own-secret-key"]))

    kinds = [line.partition(":")[0] for line in found]
    assert kinds == [*["secret"] * 3, "authorization", "link", "link", "name"]
