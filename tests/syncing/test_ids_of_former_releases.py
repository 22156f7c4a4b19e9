"""Rows stored under `660001.0`, before ids had one spelling, after an upgrade."""

from importlib import import_module

import pytest
from django.apps import apps
from django.test import Client

from athletes.identity import duplicates, merging, tombstones
from athletes.models import DuplicatePair, Likeness, Movement, Note, Player, Session
from privacy.erasing import erase
from syncing.choices import RunStatus
from syncing.models import RawPayload, VendorSession
from tests.factories import (
    make_frames,
    make_player,
    make_session,
    make_staff,
    make_swing,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.both,
]

ID = "660001"


@pytest.fixture
def vendor(start_vendor):
    """One athlete with a number for an id, and a session of two swings."""
    server = start_vendor(players=0, sessions=0, scenario="plain")
    server.world.add_player("Ash", "Maple", "2006-05-04", org_player_id=ID)
    server.world.add_session([ID], swings=2, session_date="2026-01-05")
    return server


def upgrade():
    for app, name in (
        ("athletes", "0030_ids_in_one_spelling"),
        ("syncing", "0011_ids_in_one_spelling"),
    ):
        import_module(f"{app}.migrations.{name}").spell_alike(apps, None)


def respell(spelling=f"{ID}.0"):
    """What is stored, as a release before stored it."""
    Player.objects.filter(org_player_id=ID).update(org_player_id=spelling)
    RawPayload.objects.filter(vendor_id=ID).update(vendor_id=spelling)


def test_a_record_without_a_twin_gets_the_plain_id(vendor, run_sync):
    run_sync()
    before = Player.objects.get()
    session = Session.objects.get().session_id
    respell()
    Session.objects.update(session_id="77.0")
    VendorSession.objects.update(session_id="77.0")
    others = [make_player(org_player_id=text) for text in ("7.5", "A-1.0", "007.0")]
    upgrade()

    assert (Player.objects.get(pk=before.pk).org_player_id) == ID
    assert [Player.objects.get(pk=o.pk).org_player_id for o in others] == [
        "7.5",
        "A-1.0",
        "007.0",
    ]
    assert Session.objects.get().session_id == "77"
    assert VendorSession.objects.get().session_id == "77"
    assert RawPayload.objects.filter(kind="player").get().vendor_id == ID
    assert not DuplicatePair.objects.exists()

    Session.objects.update(session_id=session)
    VendorSession.objects.update(session_id=session)
    assert run_sync(full=True).status == RunStatus.SUCCESS
    assert Player.objects.exclude(pk__in=[o.pk for o in others]).get() == before
    assert Session.objects.get().player == before


def test_two_records_of_one_id_are_offered_and_merged(vendor, run_sync):
    run_sync()
    old = Player.objects.get()
    respell()
    run_sync(full=True)  # of the release in between: another athlete
    new = Player.objects.get(org_player_id=ID)
    # Of other names, which alone would not bring them together.
    Player.objects.filter(pk=new.pk).update(first_name="Bay", last_name="Birch")
    assert RawPayload.objects.filter(kind="player").count() == 2
    upgrade()
    pair = DuplicatePair.objects.get()
    assert (pair.likeness, pair.rank) == (Likeness.SAME_ID, 0)
    assert RawPayload.objects.filter(kind="player").get().vendor_id == ID

    # It stays, whatever is found of names.
    Player.objects.update(compared_at=None)
    duplicates.compare_waiting()
    assert DuplicatePair.objects.get() == pair
    Player.objects.filter(pk=new.pk).update(
        first_name=old.first_name, last_name=old.last_name, compared_at=None
    )
    duplicates.compare_waiting()
    assert DuplicatePair.objects.get().likeness == Likeness.SAME_ID
    staff = Client()
    staff.force_login(make_staff())
    page = staff.get("/athletes/duplicates/").content.decode()
    assert "Same ID, spelled differently" in page
    side_by_side = staff.get(f"/athletes/{new.pk}/merge/{old.pk}/").content.decode()
    assert "once written as a decimal" in side_by_side

    merging.merge(kept=new, merged=old, by=make_staff())
    assert run_sync(full=True).status == RunStatus.SUCCESS
    kept = Player.objects.get()
    assert kept.missing_since is None
    assert (kept.session_count, kept.swing_count) == (1, 2)
    assert Movement.objects.present().count() == 2


def test_what_staff_said_of_two_records_holds(vendor):
    one, other = (make_player(org_player_id=text) for text in (ID, f"{ID}.0"))
    third = make_player()
    DuplicatePair.objects.create(first=one, second=third, likeness="similar", rank=2)
    said = DuplicatePair.objects.create(
        first=one, second=other, likeness="same", rank=0
    )
    duplicates.dismiss(pair=said, by=make_staff())
    make_session(session_id="5", player=one)
    double = make_session(session_id="5.0", player=one)
    upgrade()
    said.refresh_from_db()
    assert said.dismissed_at is not None
    assert list(
        DuplicatePair.objects.order_by("pk").values_list("likeness", "rank")
    ) == [("similar", 3), ("same", 1)]
    # Both are there: they are found as recordings that are here twice.
    double.refresh_from_db()
    assert double.session_id == "5.0"


def test_movements_under_two_spellings_become_one(vendor):
    session = make_session(player=make_player())

    def stored(name, *files, **fields):
        movement = make_swing(session=session, org_movement_id=name, **fields)
        for kind, text in files:
            make_frames(movement=movement, data_type=kind, content_sha256=text)
        return movement

    angles, energies = "inverse-kinematics", "momentum-energy"
    # Angles under one spelling, energies under the other, in either way.
    halves = stored("1", (angles, "a")), stored("1.0", (energies, "b"))
    turned = stored("2", (energies, "c")), stored("2.0", (angles, "d"))
    # The same twice; people looked at one of them.
    twice = (
        stored("3", (angles, "e")),
        stored("3.0", (angles, "e"), (energies, "f"), inclusion="excluded"),
    )
    note = Note.objects.create(session=session, movement=twice[0], text="Look")
    others = [
        *(stored("4", (angles, "g")), stored("4.0", (angles, "h"))),
        *(stored("5", (angles, "i"), inclusion="excluded"),
          stored("5.0", (angles, "i"), inclusion="excluded")),
        *(stored("6.0", (angles, "j")), stored("007"), stored("007.0")),
    ]  # fmt: skip
    migration = import_module("athletes.migrations.0035_movements_in_one_spelling")
    migration.spell_alike(apps, None)

    kept = [halves[0], turned[1], twice[1]]
    gone = [halves[1], turned[0], twice[0]]
    assert list(
        Movement.objects.filter(pk__in=[one.pk for one in kept])
        .present()
        .order_by("pk")
        .values_list("org_movement_id", "method_version", "inclusion")
    ) == [("1", "", "auto"), ("2", "", "auto"), ("3", "", "excluded")]
    for number, (one, other) in enumerate(zip(kept, gone, strict=True), 1):
        other.refresh_from_db()
        assert (other.org_movement_id, other.became) == (f"{number}.0", one)
        assert other.missing_since is not None
        assert one.biomechanics.count() == 2
    note.refresh_from_db()
    assert note.movement == twice[1]
    assert Movement.objects.present().count() == len(kept) + len(others)
    names = [one.org_movement_id for one in others]
    for one in others:
        one.refresh_from_db()
    assert [one.org_movement_id for one in others] == names
    # A second time changes nothing.
    migration.spell_alike(apps, None)
    assert Movement.objects.present().count() == len(kept) + len(others)


def test_participants_get_the_plain_id_and_are_erased_by_it(vendor, run_sync):
    run_sync()
    listed = VendorSession.objects.get()
    verdict = listed.participants[ID]
    VendorSession.objects.update(
        participants={f"{ID}.0": verdict, "7": "other", "7.0": "old", "A.0": "x"}
    )
    import_module(
        "syncing.migrations.0012_participants_in_one_spelling"
    ).spell_participants_alike(apps, None)
    listed.refresh_from_db()
    assert listed.participants == {ID: verdict, "7": "other", "A.0": "x"}
    VendorSession.objects.update(session_id="another")  # others have a part in it too
    erase(player=Player.objects.get(), by=None)
    assert VendorSession.objects.get().participants == {"7": "other", "A.0": "x"}
    assert tombstones.load_erased().has(f"{ID}.0")


def test_an_erased_athlete_does_not_come_back_in_another_spelling(vendor, run_sync):
    run_sync()
    player = Player.objects.get()
    respell()
    player.refresh_from_db()
    player.reboot_player_id = ""
    tombstones.add_tombstone(player)
    player.delete()
    erased = tombstones.load_erased()
    assert erased.has(ID)
    assert not erased.has(f"{ID}1")
    run_sync(full=True)
    assert not Player.objects.exists()
