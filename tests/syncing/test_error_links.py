"""What went wrong leads to the page of what it went wrong with."""

import pytest
from django.urls import reverse

from athletes.models import Session
from simulator.faults import FaultPlan
from syncing.choices import RunStatus
from tests.factories import make_staff

pytestmark = pytest.mark.django_db(transaction=True)


def test_error_of_a_file_links_to_its_session(start_vendor, run_sync, client):
    vendor = start_vendor(sessions=2, scenario="plain")
    broken = vendor.world.listed_sessions()[0].id
    vendor.world.damage_session(broken, "bad-html")
    log = run_sync()

    page = reverse(
        "dashboard:session", args=[Session.objects.get(session_id=broken).pk]
    )
    assert {error["url"] for error in log.errors} == {page}
    client.force_login(make_staff())
    assert f'href="{page}"' in client.get(f"/syncing/runs/{log.pk}/").content.decode()
    assert client.get(page).status_code == 200


def test_error_of_a_detail_links_to_the_session_if_it_is_stored(start_vendor, run_sync):
    vendor = start_vendor(sessions=2, scenario="plain")
    run_sync()
    stored = Session.objects.order_by("pk").first()
    vendor.world.touch_session(stored.session_id)
    added = vendor.world.add_session([vendor.world.athletes[0].org_player_id])
    vendor.app.set_faults(
        FaultPlan(
            probability=1.0,
            kinds=("html-200",),
            routes=("session",),
            max_in_a_row=10**6,
        )
    )
    log = run_sync()

    assert log.status == RunStatus.PARTIAL
    page = reverse("dashboard:session", args=[stored.pk])
    assert {error["object"]: error["url"] for error in log.errors} == {
        f"session {stored.session_id}": page,
        f"session {added}": "",
    }
