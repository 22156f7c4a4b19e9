"""Lists of the vendor that change while a run reads them page by page."""

import pytest

from athletes.models import Player
from syncing.choices import RunStatus
from syncing.models import VendorSession

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.processes,
]


@pytest.mark.parametrize(
    "full",
    [
        pytest.param(False, marks=pytest.mark.mainly("sqlite")),
        pytest.param(True, marks=pytest.mark.both),
    ],
)
def test_nothing_is_lost_at_a_page_border(start_vendor, run_sync, full):
    vendor = start_vendor(
        players=12,
        sessions=12,
        swings=1,
        templates=1,
        scenario="plain,limit-clamped=5",
    )
    if full:
        run_sync(full=True)
    vendor.app.set_scenario("plain,limit-clamped=5,list-moves=1")
    log = run_sync(full=full)

    assert (log.status, log.errors) == (RunStatus.SUCCESS, [])
    listed = VendorSession.objects.filter(missing_since=None)
    assert set(listed.values_list("session_id", flat=True)) == {
        session.id for session in vendor.world.listed_sessions()
    }
    athletes = Player.objects.filter(missing_since=None)
    assert set(athletes.values_list("org_player_id", flat=True)) == {
        athlete.org_player_id for athlete in vendor.world.listed_athletes()
    }
