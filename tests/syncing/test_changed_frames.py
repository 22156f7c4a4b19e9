"""What people decided, when the vendor sends other frames or other movement ids."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from athletes import decisions
from athletes.models import (
    EventCorrection,
    Movement,
    Note,
    Session,
    SetAside,
)
from tests.factories import make_user

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.mainly("sqlite"),
]


@pytest.fixture
def vendor(start_vendor):
    return start_vendor(
        players=2, sessions=0, scenario="plain", seed=5, duration_s=2.0, rate_hz=120.0
    )


@pytest.fixture
def session_id(vendor, run_sync):
    """Three swings of the first athlete, synced."""
    first = vendor.world.listed_athletes()[0].org_player_id
    found = vendor.world.add_session([first], swings=3, session_date="2026-01-05")
    run_sync()
    return found


@pytest.fixture
def coach():
    return make_user()


def swings(session_id):
    """The swings that the vendor sends, in their order."""
    session = Session.objects.get(session_id=session_id)
    return list(session.movements.present().in_session_order())


def decide(session_id, coach):
    """Exclude the first swing, move an event of the second, write about the third."""
    first, second, third = swings(session_id)
    decisions.set_inclusion(
        movement=first, inclusion="excluded", reason="check swing", user=coach
    )
    automatic = second.automatic_events["foot_down"]["time_s"]
    decisions.move_event(
        movement=second,
        event="foot_down",
        time_s=automatic + 0.02,
        reason="the heel",
        user=coach,
    )
    Note.objects.create(
        session=third.session, movement=third, text="Best of the day", created_by=coach
    )
    return swings(session_id)


def moved(movement):
    """How far foot down is from where it is found by rule, in seconds."""
    found = movement.automatic_events["foot_down"]["time_s"]
    return movement.events["foot_down"]["time_s"] - found


def page_of(session_id):
    client = Client()
    client.force_login(make_user())
    pk = Session.objects.get(session_id=session_id).pk
    return client, client.get(f"/athletes/sessions/{pk}/").content.decode()


@pytest.mark.parametrize(
    ("earlier_s", "clock_s"), [(0.0, 1.0), (0.25, 0.0), (0.25, 1.0)]
)
def test_a_clip_cut_anew_keeps_what_was_decided(
    vendor, session_id, coach, run_sync, earlier_s, clock_s
):
    before = decide(session_id, coach)
    vendor.world.trim_clips(session_id, earlier_s=earlier_s, clock_s=clock_s)
    run_sync()

    after = swings(session_id)
    assert [m.pk for m in after] == [m.pk for m in before]
    assert (after[0].inclusion, after[0].inclusion_reason) == (
        "excluded",
        "check swing",
    )
    shift = (
        after[1].events["foot_down"]["time_s"] - before[1].events["foot_down"]["time_s"]
    )
    assert shift == pytest.approx(earlier_s + clock_s, abs=1e-6)
    assert after[1].events["foot_down"]["rule"] == "manual"
    for name in ("x_factor_foot_down", "time_to_contact"):
        if name in before[1].metrics:
            assert after[1].metrics[name]["value"] == pytest.approx(
                before[1].metrics[name]["value"], abs=0.05
            )
    assert not SetAside.objects.exists()


def test_another_swing_under_the_id_inherits_nothing(
    vendor, session_id, coach, run_sync
):
    decide(session_id, coach)
    vendor.world.turn_movement_ids(session_id)
    run_sync()

    first, second = swings(session_id)[:2]
    assert first.inclusion == "auto"
    assert first.is_counted
    assert second.events["foot_down"]["rule"] != "manual"
    # Kept, not used, and offered where it may belong.
    offers = SetAside.objects.filter(settled_at=None).order_by("movement__position")
    assert [offer.movement for offer in offers] == [first, second]
    assert offers[0].inclusion_reason == "check swing"
    kept = EventCorrection.objects.get()
    assert (kept.set_aside, kept.undone_by) == (offers[1], None)
    client, body = page_of(session_id)
    assert "Decisions to review" in body
    assert "Excluded: check swing" in body
    assert "Foot down moved 20 ms later" in body
    assert "decisions to review" in client.get("/").content.decode()
    swing = client.get(f"/athletes/swings/{second.pk}/").content.decode()
    assert "A decision about this swing is not used" in swing

    url = f"/athletes/set-aside/{offers[1].pk}/"
    assert client.post(url, {"answer": "take-up"}).status_code == 302
    again = swings(session_id)[1]
    assert moved(again) == pytest.approx(0.02, abs=0.005)
    drop = f"/athletes/set-aside/{offers[0].pk}/"
    assert client.post(drop, {"answer": "drop"}).status_code == 302
    assert swings(session_id)[0].inclusion == "auto"
    assert client.post(drop, {"answer": "take-up"}).status_code == 404
    _, body = page_of(session_id)
    assert "Decisions to review" not in body
    assert set(SetAside.objects.values_list("is_taken_up", flat=True)) == {True, False}


@pytest.mark.both
def test_a_session_under_other_ids_is_recognized(vendor, session_id, coach, run_sync):
    before = decide(session_id, coach)
    decisions.set_setups(movements=before[1:2], setup="live")
    vendor.world.rename_movements(session_id)
    run_sync()

    after = swings(session_id)
    assert len(after) == 3
    assert [m.condition for m in after] == [None, "live", None]
    assert not {m.pk for m in after} & {m.pk for m in before}
    assert [m.position for m in after] == [1, 2, 3]
    session = after[0].session
    assert (session.swing_count, session.player.swing_count) == (3, 3)
    assert session.summary["counted"] == 2
    assert (after[0].inclusion, after[0].inclusion_reason) == (
        "excluded",
        "check swing",
    )
    assert moved(after[1]) == pytest.approx(0.02, abs=1e-6)
    assert Note.objects.get().movement == after[2]
    assert not SetAside.objects.exists()
    was = Movement.objects.filter(pk__in=[m.pk for m in before]).order_by("pk")
    assert [m.became for m in was] == after
    assert all(m.missing_since for m in was)
    _, body = page_of(session_id)
    assert "2 of 3 included in averages" in body
    assert "3 swings that Reboot Motion no longer sends" in body
    assert "the same swing, under another ID" in body

    # The vendor takes it back.
    vendor.world.session(session_id).naming = 0
    vendor.world.touch_session(session_id)
    run_sync()
    back = swings(session_id)
    assert [m.pk for m in back] == [m.pk for m in before]
    assert [m.condition for m in back] == [None, "live", None]
    assert back[0].inclusion_reason == "check swing"
    assert moved(back[1]) == pytest.approx(0.02, abs=1e-6)
    assert Note.objects.get().movement == back[2]


def test_swings_processed_again_are_offered_what_was_decided(
    vendor, session_id, coach, run_sync
):
    before = decide(session_id, coach)
    vendor.world.rename_movements(session_id, other_frames=True)
    run_sync()

    after = swings(session_id)
    assert len(after) == 3
    assert [m.inclusion for m in after] == ["auto"] * 3
    session = after[0].session
    assert (session.swing_count, session.summary["counted"]) == (3, 3)
    offers = SetAside.objects.filter(settled_at=None).order_by("movement__position")
    assert [(o.movement, o.decided_on) for o in offers] == list(
        zip(after, before, strict=True)
    )
    for offer in offers:
        decisions.take_up(offer=offer, user=coach)
    again = swings(session_id)
    assert (again[0].inclusion, again[0].inclusion_reason) == (
        "excluded",
        "check swing",
    )
    assert moved(again[1]) == pytest.approx(0.02, abs=1e-6)
    assert Note.objects.get().movement == again[2]
    with pytest.raises(ValidationError):
        decisions.drop(offer=offers[0], user=coach)


@pytest.mark.both
def test_a_deleted_swing_is_in_no_mean_until_it_is_back(
    vendor, session_id, coach, run_sync
):
    first = swings(session_id)[0]
    player = first.session.player.org_player_id
    vendor.world.remove_movement(session_id, player, first.org_movement_id)
    run_sync()
    first.refresh_from_db()
    assert first.missing_since is not None
    session = Session.objects.get(session_id=session_id)
    assert (session.swing_count, session.summary["counted"]) == (2, 2)
    assert set(session.session_metrics.values_list("n", flat=True)) <= {1, 2}
    session.player.refresh_from_db()
    assert session.player.swing_count == 2
    vendor.world.session(session_id).removed_movements.clear()
    vendor.world.touch_session(session_id)
    run_sync()
    assert len(swings(session_id)) == 3


def test_swings_of_a_session_moved_to_another_athlete_keep_what_was_decided(
    vendor, session_id, coach, run_sync
):
    before = decide(session_id, coach)
    one, other = (a.org_player_id for a in vendor.world.listed_athletes())
    vendor.world.move_session(session_id, one, other)
    run_sync()

    session = Session.objects.get(session_id=session_id, player__org_player_id=other)
    after = list(session.movements.in_session_order())
    assert [m.was.get() for m in after] == before
    assert (after[0].inclusion, after[0].inclusion_reason) == (
        "excluded",
        "check swing",
    )
    assert moved(after[1]) == pytest.approx(0.02, abs=1e-6)
    note = Note.objects.get()
    assert (note.movement, note.session) == (after[2], session)
    assert session.summary["counted"] == 2
