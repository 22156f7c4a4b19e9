"""What people decided, when swings, sessions and recordings go and come back."""

import pytest
from django.test import Client
from django.urls import reverse

from athletes import decisions
from athletes.analysis.run import analyze_session
from athletes.analysis.same_recording import note_same_recording
from athletes.identity import merging
from athletes.models import (
    AthleteMerge,
    BiomechanicsData,
    Note,
    Player,
    SameRecording,
    Session,
    SetAside,
)
from reboot_site.overview import overview
from syncing.choices import RunStatus
from syncing.models import ExportJob
from tests.factories import make_staff, make_team, make_user
from tests.syncing.test_changed_frames import (
    coach,
    decide,
    moved,
    page_of,
    session_id,
    swings,
    vendor,
)

__all__ = ["coach", "session_id", "vendor"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.mainly("sqlite"),
]


def open_offers():
    return SetAside.objects.filter(settled_at=None).order_by("movement__position", "pk")


def athletes_of(vendor):
    return [athlete.org_player_id for athlete in vendor.world.listed_athletes()]


# --- Swings under other ids -----------------------------------------------------------


def test_ids_that_come_back_with_third_frames_keep_every_decision(
    vendor, session_id, coach, run_sync
):
    before = decide(session_id, coach)
    vendor.world.rename_movements(session_id, other_frames=True)
    run_sync()
    assert [o.decided_on for o in open_offers()] == before
    vendor.world.session(session_id).naming = 0
    vendor.world.reprocess_session(session_id)
    assert run_sync().status == RunStatus.SUCCESS

    assert set(ExportJob.objects.values_list("state", flat=True)) == {"stored"}
    after = swings(session_id)
    assert [m.pk for m in after] == [m.pk for m in before]
    assert after[0].inclusion == "auto"
    # Each once: of the exclusion and of the event; the note is where it was.
    offers = list(open_offers())
    assert [(o.movement, o.decided_on) for o in offers] == [
        (after[0], None),
        (after[1], None),
    ]
    assert offers[0].inclusion_reason == "check swing"
    assert Note.objects.get().movement == after[2]
    for offer in offers:
        decisions.take_up(offer=offer, user=coach)
    again = swings(session_id)
    assert (again[0].inclusion, again[0].inclusion_reason) == (
        "excluded",
        "check swing",
    )
    assert moved(again[1]) == pytest.approx(0.02, abs=1e-6)


@pytest.mark.both
def test_several_offers_on_one_swing_are_each_shown_and_answered(
    vendor, session_id, coach, run_sync
):
    decide(session_id, coach)
    vendor.world.turn_movement_ids(session_id)
    run_sync()
    # One waits on the first swing already when somebody decides anew about it.
    first = swings(session_id)[0]
    decisions.set_inclusion(
        movement=first, inclusion="excluded", reason="foul tip", user=coach
    )
    Note.objects.create(
        session=first.session, movement=first, text="Late", created_by=coach
    )
    vendor.world.rename_movements(session_id, other_frames=True)
    run_sync()

    first, second = swings(session_id)[:2]
    on_first = [offer for offer in open_offers() if offer.movement == first]
    assert len(on_first) == 2
    client, body = page_of(session_id)
    assert "Excluded: check swing" in body
    assert "Excluded: foul tip" in body
    assert "Foot down moved 20 ms later" in body
    old, new = (f"/athletes/set-aside/{offer.pk}/" for offer in on_first)
    assert client.post(old, {"answer": "drop"}).status_code == 302
    assert swings(session_id)[0].inclusion == "auto"
    assert client.post(new, {"answer": "take-up"}).status_code == 302
    first = swings(session_id)[0]
    assert (first.inclusion, first.inclusion_reason) == ("excluded", "foul tip")
    assert first.notes.get().text == "Late"
    on_second = [offer for offer in open_offers() if offer.movement == second]
    for offer in on_second:
        decisions.take_up(offer=offer, user=coach)
    assert moved(swings(session_id)[1]) == pytest.approx(0.02, abs=1e-6)


def test_an_event_moved_meanwhile_is_in_the_numbers_of_the_id_that_is_back(
    vendor, session_id, coach, run_sync
):
    decide(session_id, coach)
    vendor.world.rename_movements(session_id)
    run_sync()
    second = swings(session_id)[1]
    decisions.move_event(
        movement=second,
        event="foot_down",
        time_s=second.automatic_events["foot_down"]["time_s"] + 0.05,
        reason="",
        user=coach,
    )
    renamed = swings(session_id)[1]
    vendor.world.session(session_id).naming = 0
    vendor.world.touch_session(session_id)
    run_sync()

    back = swings(session_id)[1]
    assert back.pk != second.pk
    assert moved(back) == pytest.approx(0.05, abs=1e-6)
    assert back.metrics == renamed.metrics


def test_a_deleted_swing_that_is_back_under_another_id_keeps_what_was_decided(
    vendor, session_id, coach, run_sync
):
    """Its id is another one meanwhile, and so are those of the others."""
    before = decide(session_id, coach)
    one = athletes_of(vendor)[0]
    for swing in before[:2]:
        vendor.world.remove_movement(session_id, one, swing.org_movement_id)
    run_sync()
    vendor.world.rename_movements(session_id)  # the third one alone is there
    vendor.world.session(session_id).removed_movements = {
        (one, f"{swing.org_movement_id}-v2") for swing in before[:2]
    }
    run_sync()
    assert [m.org_movement_id[-3:] for m in swings(session_id)] == ["-v2"]
    vendor.world.return_movements(session_id)
    run_sync()

    after = swings(session_id)
    assert [m.was.get() for m in after] == before
    assert [m.position for m in after] == [1, 2, 3]
    assert (after[0].inclusion, after[0].inclusion_reason) == (
        "excluded",
        "check swing",
    )
    assert moved(after[1]) == pytest.approx(0.02, abs=1e-6)
    assert Note.objects.get().movement == after[2]
    assert not open_offers().exists()


def test_an_offer_goes_when_the_swing_is_back_under_a_third_id(
    vendor, session_id, coach, run_sync
):
    before = decide(session_id, coach)
    vendor.world.rename_movements(session_id, other_frames=True)
    run_sync()
    assert [offer.decided_on for offer in open_offers()] == before
    vendor.world.session(session_id).shifts.clear()
    vendor.world.rename_movements(session_id)
    run_sync()

    after = swings(session_id)
    assert [m.org_movement_id[-3:] for m in after] == ["-v3"] * 3
    assert after[0].inclusion_reason == "check swing"
    assert moved(after[1]) == pytest.approx(0.02, abs=1e-6)
    assert Note.objects.get().movement == after[2]
    assert not open_offers().exists()


# --- Sessions given to another athlete ------------------------------------------------


@pytest.mark.both
def test_a_session_given_back_has_everything_again(vendor, session_id, coach, run_sync):
    before = decide(session_id, coach)
    one, other = athletes_of(vendor)
    vendor.world.move_session(session_id, one, other)
    run_sync()
    vendor.world.move_session(session_id, other, one)
    run_sync()

    session = Session.objects.get(session_id=session_id, missing_since=None)
    assert session.player.org_player_id == one
    after = list(session.movements.present().in_session_order())
    assert [m.pk for m in after] == [m.pk for m in before]
    assert [m.became for m in after] == [None] * 3
    assert (after[0].inclusion, after[0].inclusion_reason) == (
        "excluded",
        "check swing",
    )
    assert moved(after[1]) == pytest.approx(0.02, abs=1e-6)
    assert after[1].metrics == before[1].metrics
    note = Note.objects.get()
    assert (note.movement, note.session) == (after[2], session)
    assert (session.swing_count, session.summary["counted"]) == (3, 2)
    assert not open_offers().exists()
    away = Session.objects.get(session_id=session_id, player__org_player_id=other)
    assert away.missing_since is not None
    assert set(away.movements.values_list("inclusion", flat=True)) == {"auto"}


def test_a_swing_that_is_back_after_its_session_was_given_away_keeps_its_decision(
    vendor, session_id, coach, run_sync
):
    before = decide(session_id, coach)
    one, other = athletes_of(vendor)
    vendor.world.remove_movement(session_id, one, before[0].org_movement_id)
    vendor.world.move_session(session_id, one, other)
    run_sync()
    session = Session.objects.get(session_id=session_id, player__org_player_id=other)
    assert session.movements.count() == 2
    vendor.world.return_movements(session_id)
    run_sync()

    back = session.movements.get(org_movement_id=before[0].org_movement_id)
    assert back.was.get() == before[0]
    assert (back.inclusion, back.inclusion_reason) == ("excluded", "check swing")
    assert counted(session) == 2
    assert not open_offers().exists()


def test_what_waits_is_offered_with_its_frames_when_the_session_is_given_away(
    vendor, session_id, coach, run_sync
):
    before = decide(session_id, coach)
    one, other = athletes_of(vendor)
    vendor.world.turn_movement_ids(session_id)
    run_sync()
    assert [offer.movement for offer in open_offers()] == before[:2]
    # What stands under the first id now goes; under the second are its former frames.
    vendor.world.remove_movement(session_id, one, before[0].org_movement_id)
    vendor.world.move_session(session_id, one, other)
    run_sync()

    session = Session.objects.get(session_id=session_id, player__org_player_id=other)
    offer = open_offers().get(inclusion_reason="check swing")
    assert offer.movement.session == session
    assert offer.movement.org_movement_id == before[1].org_movement_id
    assert {each.movement.session for each in open_offers()} == {session}
    decisions.take_up(offer=offer, user=coach)
    offer.movement.refresh_from_db()
    assert offer.movement.inclusion_reason == "check swing"


def test_another_athletes_swing_at_the_same_place_gets_nothing(
    vendor, session_id, coach, run_sync
):
    decide(session_id, coach)
    one, other = athletes_of(vendor)
    session = vendor.world.session(session_id)
    session.athletes[:] = [other]  # with swings of his own
    vendor.world.touch_session(session_id)
    run_sync()

    old = Session.objects.get(session_id=session_id, player__org_player_id=one)
    new = Session.objects.get(session_id=session_id, player__org_player_id=other)
    assert old.movements.count() == new.movements.count() == 3
    assert not SetAside.objects.exists()
    assert set(new.movements.values_list("inclusion", flat=True)) == {"auto"}
    assert Note.objects.get().session == old
    limited = make_user(limited_to_teams=True)
    make_team(players=[new.player], members=[limited])
    client = Client()
    client.force_login(limited)
    body = client.get(f"/athletes/sessions/{new.pk}/").content.decode()
    assert "check swing" not in body
    assert "Best of the day" not in body


# --- Recordings that are here twice ---------------------------------------------------


@pytest.fixture
def small_vendor(start_vendor):
    return start_vendor(players=2, sessions=0, scenario="plain")


@pytest.fixture
def recording(small_vendor):
    """A session of two swings at the vendor, not synced yet."""
    one = athletes_of(small_vendor)[0]
    return small_vendor.world.add_session([one], swings=2, session_date="2026-01-05")


@pytest.fixture
def staff():
    return make_staff()


def counted(session):
    session.refresh_from_db()
    return session.summary.get("counted")


def waiting():
    tiles = {tile.label: tile for tile in overview().problems}
    return tiles["Duplicate recordings"].value


def pairs():
    return list(
        SameRecording.objects.order_by("session").values_list(
            "session", "other", "counts"
        )
    )


def test_the_older_twin_counts_again_when_the_later_one_is_deleted(
    small_vendor, recording, run_sync, staff
):
    copied = small_vendor.world.copy_session(recording)
    run_sync()
    pair = SameRecording.objects.get()
    # Whichever was stored first is the older one.
    deleted = Session.objects.get(session_id=copied)
    left = Session.objects.get(session_id=recording)
    counts = "later" if deleted == pair.session else "other"
    decisions.choose_recording(pair=pair, counts=counts, user=staff)
    assert (counted(left), counted(deleted)) == (0, 2)
    small_vendor.world.remove_session(copied)
    run_sync(full=True)

    assert counted(left) == 2
    swing = left.movements.first()
    assert (swing.inclusion, swing.inclusion_reason) == ("auto", "")
    assert swing.inclusion_decisions.last().reason.startswith(
        "The duplicate this decision"
    )
    left.player.refresh_from_db()
    assert left.player.swing_count == 2
    assert left.player.latest_hand_speed_m_per_s is not None
    pair.refresh_from_db()
    assert (pair.counts, pair.decided_by, pair.decided_at) == ("", None, None)
    assert waiting() == "0"


def test_of_three_copies_each_is_asked_about(small_vendor, recording, run_sync, staff):
    for _ in range(2):
        small_vendor.world.copy_session(recording)
    run_sync()
    a, b, c = Session.objects.order_by("pk")
    # Files are stored in any order: here the first session's came last.
    for frames in BiomechanicsData.objects.filter(movement__session=a):
        frames.delete()
        frames.pk = None
        frames.save()
    SameRecording.objects.all().delete()
    for session in (b, c):
        note_same_recording(session.pk)
    assert pairs() == [(b.pk, a.pk, ""), (c.pk, a.pk, "")]
    # Looking at the first, which has the same frames as both, ends neither question.
    note_same_recording(a.pk)
    assert pairs() == [(b.pk, a.pk, ""), (c.pk, a.pk, "")]

    decisions.choose_recording(
        pair=SameRecording.objects.get(session=c), counts="later", user=staff
    )
    assert [counted(s) for s in (a, b, c)] == [0, 2, 2]
    small_vendor.world.remove_session(a.session_id)
    run_sync(full=True)
    assert (c.pk, b.pk, "") in pairs()
    assert [counted(s) for s in (b, c)] == [2, 2]
    assert waiting() == "1"
    client = Client()
    client.force_login(staff)
    choose = reverse("dashboard:session_recording", args=[c.pk])
    client.post(choose, {"counts": "other"})
    assert [counted(s) for s in (b, c)] == [2, 0]


def test_two_copies_are_asked_about_when_the_third_gets_other_frames(
    small_vendor, recording, run_sync, staff
):
    for _ in range(2):
        small_vendor.world.copy_session(recording)
    run_sync()
    a, b, c = Session.objects.order_by("pk")
    assert pairs() == [(b.pk, a.pk, ""), (c.pk, a.pk, "")]
    decisions.choose_recording(
        pair=SameRecording.objects.get(session=c), counts="later", user=staff
    )
    small_vendor.world.shift_swings(
        a.session_id, a.player.org_player_id, {"torso_rate": 2.0}
    )
    run_sync()

    assert pairs() == [(c.pk, b.pk, "")]
    # Why the first was excluded is not so any more.
    assert [counted(s) for s in (a, b, c)] == [2, 2, 2]
    a.player.refresh_from_db()
    assert a.player.swing_count == 6
    assert waiting() == "1"


def test_merged_athletes_count_a_recording_once_whatever_was_chosen(
    small_vendor, run_sync, staff
):
    one, other = athletes_of(small_vendor)
    shared = small_vendor.world.add_session(
        [one, other], swings=2, session_date="2026-01-05"
    )
    small_vendor.world.session(shared).swung_by[other] = one
    run_sync()
    pair = SameRecording.objects.get()
    kept, merged = pair.other.player, pair.session.player
    decisions.choose_recording(pair=pair, counts="later", user=staff)
    assert counted(pair.other) == 0
    merging.merge(kept=kept, merged=merged, by=staff)

    head = Session.objects.get(folded_into=None)
    assert (head.player, head.swing_count, counted(head)) == (kept, 2, 2)
    assert set(head.movements.values_list("inclusion", flat=True)) == {"auto"}
    assert not SameRecording.objects.exists()
    # The twins in the hidden row are not of another session.
    analyze_session(head.pk, force=True)
    assert not SameRecording.objects.exists()
    assert waiting() == "0"
    assert Player.objects.get(pk=kept.pk).swing_count == 2
    # Shown apart again, it is asked again.
    merging.separate(entry=AthleteMerge.objects.get(), by=staff)
    again = SameRecording.objects.get()
    assert {again.session.player, again.other.player} == {kept, merged}
    assert (again.swings, again.counts) == (2, "")
    assert (counted(again.session), counted(again.other)) == (2, 2)
    assert waiting() == "1"
