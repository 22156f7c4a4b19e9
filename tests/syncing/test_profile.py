"""A changed profile reaches the numbers that it is true of."""

from datetime import timedelta

import pytest

from athletes.analysis.summaries import (
    PROFILE_REACHES_DAYS,
    follow_profile,
    is_correction,
)
from athletes.models import Movement, Player, Session
from athletes.tasks import recompute_player
from syncing import clock
from tests.factories import make_player, make_session, make_superuser

pytestmark = pytest.mark.django_db(transaction=True)

BY_HEIGHT = "stride_spread_pct"


def stride(player):
    movement = Movement.objects.filter(session__player=player, is_swing=True).first()
    return movement.metrics[BY_HEIGHT]["value"]


@pytest.fixture
def player(vendor, run_sync):
    run_sync()
    return (
        Player.objects.filter(sessions__movements__is_swing=True, height_ft__gt=5)
        .order_by("id")
        .first()
    )


def test_a_new_height_counts_for_recent_sessions_and_no_older_ones(
    player, vendor, run_sync
):
    height, day = 5.4, clock.now().date()
    vendor.world.set_attribute(player.org_player_id, "height_ft", "5.400")
    born = day - timedelta(days=14 * 365)
    vendor.world.say(player.org_player_id, "date_of_birth", born.isoformat())
    run_sync()
    before = stride(player)

    def grow_to(feet, last_session):
        player.sessions.update(session_date=last_session)
        vendor.world.set_attribute(player.org_player_id, "height_ft", f"{feet:.3f}")
        run_sync()  # Athletes come before sessions, whose days it puts right again.
        player.refresh_from_db()
        assert player.height_ft == feet

    grow_to(5.6, day - timedelta(days=PROFILE_REACHES_DAYS + 1))
    assert stride(player) == before
    assert set(player.sessions.values_list("height_ft", flat=True)) == {height}
    grow_to(5.7, day - timedelta(days=PROFILE_REACHES_DAYS))
    assert stride(player) == pytest.approx(before * height / 5.7, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "before", "now", "years", "expected"),
    [
        ("height_ft", 5.4, 5.6, 14, False),
        ("height_ft", 5.4, 5.9, 14, True),  # no year's growth
        ("height_ft", 5.4, 5.3, 14, True),  # nobody shrinks
        ("height_ft", 5.9, 6.0, 24, True),
        ("height_ft", 5.9, 6.0, None, True),
        ("height_ft", None, 6.0, 14, False),
        ("weight_lbs", 150.0, 165.0, 14, False),
        ("weight_lbs", 150.0, 140.0, 30, False),
        ("weight_lbs", 150.0, 68.0, 30, True),  # kilograms
        ("weight_lbs", 150.0, None, 30, False),
    ],
)
def test_what_a_body_does_not_do_by_itself_is_a_correction(
    name, before, now, years, expected
):
    day = clock.now().date()
    born = None if years is None else day - timedelta(days=365 * years)
    player = make_player(date_of_birth=born, **{name: now})
    assert is_correction(name, before, player, day) is expected


def test_a_corrected_height_of_the_vendor_counts_for_old_sessions_too(
    player, vendor, run_sync
):
    before, height = stride(player), player.height_ft
    long_ago = clock.now().date() - timedelta(days=800)
    player.sessions.update(session_date=long_ago)
    vendor.world.set_attribute(player.org_player_id, "height_ft", "4.200")
    run_sync()
    assert stride(player) == pytest.approx(before * height / 4.2, rel=1e-3)


def test_what_follows_a_profile_is_outdated_and_nothing_else(db):
    player = make_player(height_ft=6.0, weight_lbs=180.0)
    since = clock.now().date()
    old, new, undated, blank = (
        make_session(player=player, session_date=day, **measured)
        for day, measured in (
            (since - timedelta(days=1), {"height_ft": 5.0, "weight_lbs": 100.0}),
            (since, {"height_ft": 5.0, "weight_lbs": 100.0}),
            (None, {"height_ft": 5.0, "weight_lbs": 100.0}),
            (since - timedelta(days=1), {}),
        )
    )
    every = [old.pk, new.pk, undated.pk, blank.pk]
    for pk in every:
        Movement.objects.create(session_id=pk, org_movement_id="a", position=1)

    def kept():
        rows = Session.objects.order_by("pk").values_list("height_ft", "weight_lbs")
        return list(rows)

    found = follow_profile(every, changed={"height_ft"}, since=since)
    assert found == {new.pk, undated.pk, blank.pk}
    assert kept() == [(5.0, 100.0), (None, 100.0), (None, 100.0), (None, None)]
    side = {"dominant_hand_hitting"}
    assert follow_profile(every, changed=side, since=since) == set(every)
    assert kept()[0] == (5.0, 100.0)
    wrong = {"height_ft", "weight_lbs"}
    assert follow_profile(every, changed=wrong, since=None) == set(every)
    assert set(kept()) == {(None, None)}


def test_height_corrected_by_staff_changes_the_numbers(player, client):
    before, height = stride(player), player.height_ft
    client.force_login(make_superuser())
    path = f"/admin/athletes/player/{player.pk}/change/"
    form = client.get(path).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields}
    del data["corrected_fields"]
    response = client.post(path, data | {"height_ft": "6.9"})
    assert response.status_code == 302
    assert recompute_player(player.pk) > 0
    assert stride(player) == pytest.approx(before * height / 6.9, rel=1e-3)
    assert recompute_player(player.pk) == 0
