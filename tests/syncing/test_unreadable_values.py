"""Values that become unreadable at the vendor: the stored ones stay, and staff know."""

from datetime import date

import pytest
from django.urls import reverse

from accounts.models import User
from athletes.models import Player, Session
from reboot_site.overview import overview
from syncing import care
from syncing.choices import RunStatus
from syncing.models import RawPayload

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.both,
]


@pytest.fixture
def staff(client):
    user = User.objects.create_user("staff", password="staff-password", is_staff=True)
    client.force_login(user)
    return user


def care_tile():
    tiles = {tile.label: tile for tile in overview().problems}
    return tiles["Unreadable values"]


def test_a_date_of_birth_that_becomes_unreadable_is_kept_and_told(
    start_vendor, run_sync, client, staff
):
    vendor = start_vendor(players=3, sessions=0)
    athlete = vendor.world.listed_athletes()[1]
    run_sync()
    before = Player.objects.get(org_player_id=athlete.org_player_id)
    assert before.date_of_birth is not None
    assert (care.unread_values(), care_tile().needs_care) == ([], False)

    vendor.world.say(athlete.org_player_id, "date_of_birth", "31/12/2007")
    vendor.world.set_attribute(athlete.org_player_id, "weight_lbs", "190")
    log = run_sync()

    assert (log.status, log.error_count) == (RunStatus.PARTIAL, 1)
    assert '"date of birth" can no longer be read' in log.error_message
    assert "31/12/2007" not in str(log.errors)
    after = Player.objects.get(pk=before.pk)
    assert (after.date_of_birth, after.weight_lbs) == (before.date_of_birth, 190.0)
    page = client.get(reverse("syncing:index")).content.decode()
    assert "date of birth “31/12/2007” cannot be read" in page
    assert f"kept: {before.date_of_birth}" in page
    assert (care_tile().value, care_tile().needs_care) == ("1", True)

    # Told of once; it is listed until it is mended.
    assert run_sync().status == RunStatus.SUCCESS
    assert len(care.unread_values()) == 1
    vendor.world.say(athlete.org_player_id, "date_of_birth", "2007-12-31")
    assert run_sync().status == RunStatus.SUCCESS
    assert Player.objects.get(pk=before.pk).date_of_birth == date(2007, 12, 31)
    assert care.unread_values() == []


def test_what_staff_corrected_is_no_trouble(start_vendor, run_sync):
    vendor = start_vendor(players=2, sessions=0)
    athlete = vendor.world.listed_athletes()[0]
    run_sync()
    Player.objects.filter(org_player_id=athlete.org_player_id).update(
        height_ft=6.0, corrected_fields=["height_ft"]
    )
    vendor.world.set_attribute(athlete.org_player_id, "height_ft", "tall")
    assert run_sync().status == RunStatus.SUCCESS
    assert Player.objects.get(org_player_id=athlete.org_player_id).height_ft == 6.0
    assert care.unread_values() == []


def test_what_never_could_be_read_is_listed_and_no_failure(start_vendor, run_sync):
    vendor = start_vendor(players=2, sessions=0)
    athlete = vendor.world.listed_athletes()[0]
    vendor.world.set_attribute(athlete.org_player_id, "height_ft", "tall")
    assert run_sync().status == RunStatus.SUCCESS
    (value,) = care.unread_values()
    assert (value.what, value.text, value.kept) == ("height", "tall", "")
    assert (care_tile().value, care_tile().needs_care) == ("0", False)


def test_a_name_longer_than_its_column_replaces_no_stored_one(start_vendor, run_sync):
    vendor = start_vendor(players=2, sessions=0)
    known, new = vendor.world.listed_athletes()
    new.removed = True
    run_sync()
    first_name = Player.objects.get().first_name
    new.removed = False
    for athlete in (known, new):
        vendor.world.say(athlete.org_player_id, "first_name", "Ada " * 60)
    log = run_sync()

    assert (log.status, log.error_count) == (RunStatus.PARTIAL, 1)
    stored = dict(Player.objects.values_list("org_player_id", "first_name"))
    assert stored[known.org_player_id] == first_name
    cut = stored[new.org_player_id]
    assert (len(cut), cut[-1]) == (200, "…")
    assert {value.text for value in care.unread_values()} == {("Ada " * 60).strip()}


def test_a_sessions_date_that_becomes_unreadable_is_kept(start_vendor, run_sync):
    vendor = start_vendor(players=2, sessions=1, swings=1, scenario="plain")
    run_sync()
    before = Session.objects.get()
    vendor.world.say(before.session_id, "session_date", "13/45/2026")
    log = run_sync()

    assert log.status == RunStatus.PARTIAL
    assert log.errors[0]["url"] == reverse("dashboard:session", args=[before.pk])
    after = Session.objects.get()
    assert after.session_date == before.session_date
    (value,) = care.unread_values()
    assert (value.what, value.text) == ("session date", "13/45/2026")
    assert value.kept == str(before.session_date)
    rows = RawPayload.objects.filter(problems__isnull=False)
    assert [row.kind for row in rows] == ["session_detail"]
    assert run_sync().status == RunStatus.SUCCESS


def test_an_id_sent_as_a_float_is_the_same_athlete(start_vendor, run_sync):
    vendor = start_vendor(players=1, sessions=0)
    world = vendor.world
    world.add_player("Elm", "Titania", org_player_id="660001")
    session_id = world.add_session(["660001"], swings=1)
    run_sync()
    stored = Session.objects.get(session_id=session_id)
    for value in (660001.0, 660001, " 660001 ", "660001.0"):
        world.say("660001", "org_player_id", value)
        world.touch_session(session_id)
        log = run_sync(full=True)
        assert (log.status, log.errors) == (RunStatus.SUCCESS, [])
    assert Player.everyone.filter(last_name="Titania").count() == 1
    assert list(Session.objects.values_list("pk", "missing_since")) == [
        (stored.pk, None)
    ]


def test_entries_that_name_nobody_are_told_to_everybody(start_vendor, run_sync):
    """They are about no athlete in particular: coaches of every team may see it."""
    vendor = start_vendor(players=2, sessions=0)
    known, nameless = vendor.world.listed_athletes()
    session_id = vendor.world.add_session([known.org_player_id])
    vendor.world.say(nameless.org_player_id, "org_player_id", [])
    vendor.world.say(session_id, "id", [])
    log = run_sync()
    assert log.status == RunStatus.PARTIAL
    assert Player.objects.get().org_player_id == known.org_player_id
    assert {(error["what"], error["is_general"]) for error in log.errors} == {
        ("Reading an athlete", True),
        ("Reading a session", True),
    }
