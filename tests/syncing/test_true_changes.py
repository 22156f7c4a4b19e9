"""A true change of an athlete, from the vendor's files to JSON and the page."""

import datetime as dt

import pytest

from athletes.models import Player
from tests import factories
from tests.dashboard.page_contents import text_of

SESSIONS = 6
#: In the wide variant half of them change, each in one habit.
ATHLETES = 16
#: A habit that moves, by so many of the deviations by which swings differ, and the
#: number that tells it.
HABITS = (
    ("torso_rate", "peak_torso_omega", 18.0),
    ("pelvis_rate", "peak_pelvis_omega", 16.0),
)
SHIFT = 3.0


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


@pytest.mark.nightly
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("scatter", "least_found"),
    # Of six; 75 and 60 in a hundred, and what chance takes away.
    [(0.35, 3), (0.7, 2)],
)
def test_lists_of_many_athletes_tell_what_changed(
    start_vendor, run_sync, client, scatter, least_found
):
    """Bounds of docs/metrics.md, with what chance makes of so few athletes.

    The seed was drawn once, before anything was run with it.
    """
    vendor = start_vendor(
        players=ATHLETES, sessions=0, swings=6, scenario="plain", seed=880417,
        day_scatter=scatter,
    )  # fmt: skip
    # A switch hitter has two lists, each of half of the swings.
    org_ids = [a.org_player_id for a in vendor.world.athletes if a.bats != "S"]
    for week in range(SESSIONS):
        day = dt.date(2026, 3, 1) + dt.timedelta(weeks=week)
        newest = vendor.world.add_session(org_ids, session_date=day.isoformat())
    run_sync()
    headers = factories.make_token()
    client.force_login(
        factories.make_staff(units="metric"),
        backend="django.contrib.auth.backends.ModelBackend",
    )

    def told(org_id):
        """What JSON calls real, after what the page says was held against it."""
        player = Player.objects.get(org_player_id=org_id)
        answer = client.get(f"/players/{player.pk}/changes", headers=headers).json()
        assert answer["session_id"] == newest
        rows = {row["metric"]: row for row in answer["changes"]}
        real = {name for name, row in rows.items() if row["verdict"] == "real"}
        page = text_of(client.get(f"/athletes/{player.pk}/"))
        assert ("more than their usual variation" in page) == bool(real), page
        return {name: rows[name] for name in real}

    false = {org_id: list(real) for org_id in org_ids if (real := told(org_id))}
    for place, org_id in enumerate(org_ids[::2]):
        habit = HABITS[place % len(HABITS)][0]
        vendor.world.shift_swings(newest, org_id, {habit: SHIFT})
    run_sync()
    found = []
    for place, org_id in enumerate(org_ids[::2]):
        _, name, sd = HABITS[place % len(HABITS)]
        real = told(org_id)
        if name in real:
            found.append(real[name]["delta"] / sd)

    moved = len(org_ids[::2])
    summary = f"false {false}, found {found} of {moved}"
    assert (len(org_ids), moved) == (12, 6)
    # Twelve in a hundred; of twelve more than four in one of a hundred draws.
    assert len(false) <= 4, summary
    assert len(found) >= least_found, summary
    assert all(delta > 0.0 for delta in found), summary
    # Days move them too; on average it is what was done.
    assert sum(found) / len(found) == pytest.approx(SHIFT, rel=0.35), summary
