"""A true change of an athlete, from the vendor's files to JSON and the page."""

import datetime as dt

import pytest

from athletes.models import Player
from tests import factories
from tests.dashboard.page_contents import text_of

SESSIONS = 6


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_only_what_truly_changed_is_told(start_vendor, run_sync, client):
    vendor = start_vendor(
        players=1, sessions=0, swings=5, scenario="plain", day_scatter=0.35
    )
    org_id = vendor.world.athletes[0].org_player_id
    for week in range(SESSIONS):
        day = dt.date(2026, 3, 1) + dt.timedelta(weeks=week)
        newest = vendor.world.add_session([org_id], session_date=day.isoformat())
    run_sync()
    player = Player.objects.get()
    headers = factories.make_token()

    def verdicts():
        answer = client.get(f"/players/{player.pk}/changes", headers=headers).json()
        assert answer["session_id"] == newest
        return {row["metric"]: row for row in answer["changes"]}

    # Days differ, and nothing else.
    unlike = [r for r in verdicts().values() if r["verdict"] != "no_clear_change"]
    assert [row["metric"] for row in unlike if row["now"]["n"]] == []

    vendor.world.shift_swings(newest, org_id, {"torso_rate": 8})
    run_sync()
    found = verdicts()
    torso = found["peak_torso_omega"]
    assert torso["verdict"] == "real"
    # Eight times the 18 °/s by which swings differ.
    assert torso["delta"] == pytest.approx(8 * 18.0, rel=0.3)
    assert torso["before"]["sessions"] == SESSIONS - 1
    assert torso["now"]["n"] == 5
    # The lean at contact follows the faster torso; pelvis and legs do not.
    for name in ("peak_pelvis_omega", "lead_knee_ext"):
        assert found[name]["verdict"] == "no_clear_change", found[name]

    client.force_login(
        factories.make_user(units="metric"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    page = text_of(client.get(f"/athletes/{player.pk}/"))
    assert f"{torso['delta']:.0f}°/s faster than the last 5 sessions" in page
    assert "more than their usual variation" in page
