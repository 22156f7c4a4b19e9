"""One recording that the vendor has under two sessions, and which of them counts."""

import pytest
from django.urls import reverse

from accounts.models import User
from athletes.analysis.same_recording import note_same_recording
from athletes.models import BiomechanicsData, Movement, SameRecording, Session
from reboot_site.overview import overview
from syncing.choices import RunStatus

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.both,
]

AT_HOME = "same recording as another session"


@pytest.fixture
def staff(client):
    user = User.objects.create_user("staff", password="staff-password", is_staff=True)
    client.force_login(user)
    return user


@pytest.fixture
def twins(start_vendor, run_sync):
    """The older and the later session with the same two swings."""
    vendor = start_vendor(players=2, sessions=2, swings=2, scenario="plain")
    run_sync()
    assert not SameRecording.objects.exists()
    first = Session.objects.order_by("id").first()
    copied = vendor.world.copy_session(first.session_id)
    assert run_sync().status == RunStatus.SUCCESS
    return first, Session.objects.get(session_id=copied)


def counted(session):
    return [m.is_counted for m in Movement.objects.filter(session=session)]


def waiting():
    tiles = {tile.label: tile for tile in overview().problems}
    return tiles["Duplicate recordings"].value


def test_staff_choose_which_of_two_sessions_counts(twins, client, staff, run_sync):
    first, later = twins
    pair = SameRecording.objects.get()
    assert (pair.session, pair.other, pair.swings) == (later, first, 2)
    before = counted(first)
    assert before == counted(later) == [True, True]
    assert AT_HOME in client.get("/").content.decode()
    assert waiting() == "1"
    pages = {s: reverse("dashboard:session", args=[s.pk]) for s in twins}
    for page in pages.values():
        assert "Both are included in averages." in client.get(page).content.decode()

    choose = reverse("dashboard:session_recording", args=[first.pk])
    client.post(choose, {"counts": "nonsense"})
    assert waiting() == "1"
    # From the older one's page: this one.
    client.post(choose, {"counts": "other"})
    assert (counted(first), counted(later)) == ([True, True], [False, False])
    later.refresh_from_db()
    assert later.summary["counted"] == 0
    reasons = Movement.objects.filter(session=later).values_list(
        "inclusion_reason", flat=True
    )
    assert set(reasons) == {f"Same recording as session {first.pk}"}
    assert waiting() == "0"
    assert AT_HOME not in client.get("/").content.decode()
    assert "use this session" in client.get(pages[first]).content.decode()
    assert "use the other session" in client.get(pages[later]).content.decode()

    client.post(choose, {"counts": "later"})
    assert (counted(first), counted(later)) == ([False, False], [True, True])
    client.post(choose, {"counts": "both"})
    assert (counted(first), counted(later)) == ([True, True], [True, True])
    pair.refresh_from_db()
    assert (pair.counts, pair.decided_by) == ("both", staff)
    # What was decided stays decided.
    run_sync(full=True)
    assert waiting() == "0"


@pytest.mark.mainly("sqlite")
def test_an_exclusion_of_a_coach_is_not_taken_back(twins, client, staff):
    _, later = twins
    swing = Movement.objects.filter(session=later).first()
    client.post(
        reverse("dashboard:swing_inclusion", args=[swing.pk]),
        {"inclusion": "excluded", "reason": "check swing"},
    )
    choose = reverse("dashboard:session_recording", args=[later.pk])
    for counts in ("other", "later"):
        client.post(choose, {"counts": counts})
    swing.refresh_from_db()
    assert (swing.inclusion, swing.inclusion_reason) == ("excluded", "check swing")
    assert counted(later).count(True) == 1


@pytest.mark.mainly("sqlite")
def test_a_coach_sees_it_and_does_not_choose(twins, client):
    client.force_login(User.objects.create_user("coach", password="coach-password"))
    page = reverse("dashboard:session", args=[twins[0].pk])
    text = client.get(page).content.decode()
    assert "Same recording twice" in text
    assert "Use this session" not in text
    choose = reverse("dashboard:session_recording", args=[twins[0].pk])
    assert client.post(choose, {"counts": "both"}).status_code == 403


@pytest.mark.mainly("sqlite")
def test_new_frames_end_the_question(twins):
    _, later = twins
    frames = BiomechanicsData.objects.filter(movement__session=later)
    for pk in frames.values_list("pk", flat=True):
        frames.filter(pk=pk).update(content_sha256=f"{pk:064d}")
    note_same_recording(later.pk)
    assert not SameRecording.objects.exists()
