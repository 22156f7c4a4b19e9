"""A session that the vendor lacks a file for, and staff who know that it is so."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from athletes.models import DataState, GapDismissal, Session
from reboot_site.overview import overview
from syncing.choices import JobState
from syncing.models import ExportJob

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.both,
]

LACKS_ENERGY = "Reboot Motion has no momentum-energy data"


@pytest.fixture
def staff(client):
    user = User.objects.create_user("staff", password="staff-password", is_staff=True)
    client.force_login(user)
    return user


def is_shown(client):
    """Whether the home page and the administration ask for somebody's attention."""
    tiles = {tile.label: tile for tile in overview().problems}
    in_admin = tiles["Sessions without all data"].needs_care
    at_home = LACKS_ENERGY in client.get("/").content.decode()
    assert in_admin == at_home
    return at_home


def test_a_dismissed_gap_comes_back_when_it_changes(
    start_vendor, run_sync, client, staff
):
    vendor = start_vendor(players=2, sessions=1, swings=1, scenario="plain,no-energy")
    run_sync()
    session = Session.objects.get()
    assert session.data_state == DataState.PARTIAL
    assert session.data_gap == "momentum-energy:no_data"
    assert is_shown(client)
    page, gap = (
        reverse(f"dashboard:{name}", args=[session.pk])
        for name in ("session", "session_gap")
    )
    assert LACKS_ENERGY in client.get(page).content.decode()

    # A reason is needed.
    client.post(gap, {"reason": "  "})
    assert is_shown(client)
    client.post(gap, {"reason": "Recorded before the plates came"})
    assert not is_shown(client)
    dismissal = GapDismissal.objects.get()
    assert (dismissal.reason, dismissal.created_by, dismissal.undone_at) == (
        "Recorded before the plates came",
        staff,
        None,
    )
    assert "Recorded before the plates came" in client.get(page).content.decode()

    # Asked again, with the same answer: still dismissed.
    ExportJob.objects.filter(state=JobState.NO_DATA).update(next_try_at=timezone.now())
    run_sync()
    assert not is_shown(client)

    client.post(gap, {"undo": "1"})
    assert is_shown(client)
    dismissal.refresh_from_db()
    assert dismissal.undone_by == staff

    client.post(gap, {"reason": "Still so"})
    assert not is_shown(client)
    # Now there is a file, and it cannot be used.
    vendor.app.set_scenario("plain,bad-missing-columns")
    ExportJob.objects.filter(state=JobState.NO_DATA).update(next_try_at=timezone.now())
    run_sync()
    session.refresh_from_db()
    assert session.data_gap == "momentum-energy:failed"
    text = client.get("/").content.decode()
    assert "momentum-energy could not be downloaded" in text


def test_a_complete_session_has_nothing_to_dismiss(
    start_vendor, run_sync, client, staff
):
    start_vendor(players=2, sessions=1, swings=1, scenario="plain")
    run_sync()
    session = Session.objects.get()
    assert (session.data_state, session.data_gap) == (DataState.COMPLETE, "")
    client.post(
        reverse("dashboard:session_gap", args=[session.pk]), {"reason": "whatever"}
    )
    assert not GapDismissal.objects.exists()


def test_coaches_do_not_dismiss(client, start_vendor, run_sync):
    start_vendor(players=2, sessions=1, swings=1, scenario="plain,no-energy")
    run_sync()
    client.force_login(User.objects.create_user("coach", password="coach-password"))
    gap = reverse("dashboard:session_gap", args=[Session.objects.get().pk])
    assert client.post(gap, {"reason": "no"}).status_code == 403
    assert not GapDismissal.objects.exists()
