"""Lists of the administration show all of their columns on a small desk's screen."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from accounts.audit import record
from accounts.models import Action
from athletes.models import Movement, Player, Session
from syncing.models import ExportJob, RawPayload, SyncCursor, VendorSession
from tests.browser import site_pages
from tests.browser.looks import OVERFLOW, THEMES, go
from tests.factories import make_superuser
from tests.privacy.conftest import files

__all__ = ["files"]

pytestmark = pytest.mark.django_db(transaction=True)

WIDTH = 1280
ID = "22222222-2222-4222-8222-22222222222"
# The table scrolls by itself where it is wider than its place.
WIDER = """() => {
  const place = document.querySelector('#changelist .results');
  if (!place) return -1;
  return Math.max(place.scrollWidth - place.clientWidth,
    place.querySelector('table').getBoundingClientRect().right - innerWidth);
}"""


def make_long():
    """Give rows the long names and ids that a facility has."""
    for place, player in enumerate(Player.everyone.all()):
        player.first_name = "Maximiliana-Josephine"
        player.last_name = f"Featherstonehaugh-Cholmondeley {place}"
        player.org_player_id = f"{ID}-player-{place}"
        player.reboot_player_id = f"{ID}{place}"
        player.missing_since = timezone.now()
        player.corrected_fields = ["height_ft", "dominant_hand_hitting", "last_name"]
        player.save()
    for place, session in enumerate(Session.objects.all()):
        session.session_id = f"{ID}{place}"
        session.mocap_type_name = "Hawk-Eye Action Vision"
        session.save()
    for place, movement in enumerate(Movement.objects.all()):
        movement.org_movement_id = f"{ID}-{place}"
        movement.save()
    for session, state in zip(
        Session.objects.all(), ("no_data", "failed", "wanted"), strict=False
    ):
        ExportJob.objects.create(
            session=session,
            data_type="hitting-processed-metrics",
            state=state,
            last_error="Reboot Motion answered that it has no data of this session. "
            * 3,
            error_code="movement_id_missing",
            next_try_at=timezone.now(),
        )
    VendorSession.objects.create(
        session_id=f"{ID}x", last_error="It could not be read. " * 9
    )
    RawPayload.objects.create(
        kind="session_detail",
        vendor_id=f"{ID}x",
        payload={},
        sha256="0" * 64,
        fetched_at=timezone.now(),
    )
    SyncCursor.objects.create(name="sessions", value=timezone.now())
    staff = make_superuser(
        username="maximiliana.featherstonehaugh", email="maximiliana@facility.example"
    )
    record(
        Action.RECORD_CHANGED,
        by=staff,
        subject=player,
        player_id=player.pk,
        fields=["height_ft", "dominant_hand_hitting", "date_of_birth", "last_name"],
        until=dt.date(2026, 3, 1).isoformat(),
    )
    return staff


#: Where pictures go when somebody wants to look at the lists.
PICTURES = os.environ.get("PICTURES")


def picture(page, name):
    if PICTURES:
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            page.screenshot(path=Path(PICTURES) / f"{name}-{theme}.png")


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(3, id="a third"),
        pytest.param(1, id="all", marks=pytest.mark.nightly),
    ],
)
def test_every_list_shows_all_of_its_columns(pages, login_cookie, files, step):
    site_pages.make_world()
    staff = make_long()
    page = pages.open(width=WIDTH, session_cookie=login_cookie(staff))
    wider = {}
    seen = 0
    # An empty list shows no columns.
    models = [it for it in admin.site._registry if it._default_manager.exists()]
    for model in models[::step]:
        meta = model._meta
        go(page, reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"))
        picture(page, meta.label_lower)
        by = page.evaluate(WIDER)
        seen += by >= 0 or page.locator("#result_list").count()
        if by > 0 or page.evaluate(OVERFLOW) > 0:
            wider[meta.label] = by
    assert wider == {}
    assert seen > 20 / step
