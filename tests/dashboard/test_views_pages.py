"""What holds for all pages: who may open them, and what they never hold."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import Team
from athletes.models import (
    DataType,
    Movement,
    Note,
    Player,
)
from tests.dashboard.page_contents import swings_of, text_of
from tests.factories import (
    make_movement,
    make_user,
)

pytestmark = pytest.mark.django_db


def test_pages_need_a_login(client, session):
    for url in (
        "/",
        "/athletes/",
        f"/athletes/{session.player_id}/",
        f"/athletes/sessions/{session.pk}/",
        f"/athletes/swings/{swings_of(session)[0].pk}/",
        "/athletes/compare/",
        "/athletes/definitions/",
    ):
        response = client.get(url)
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/")


def test_limited_coach_finds_nothing_of_other_teams(client, session):
    coach = make_user(limited_to_teams=True)
    coach.teams.add(Team.objects.create(name="Empty team"))
    client.force_login(coach, backend="django.contrib.auth.backends.ModelBackend")
    swing = swings_of(session)[0]
    name = session.player.full_name
    everybody = Client()
    everybody.force_login(
        make_user(), backend="django.contrib.auth.backends.ModelBackend"
    )
    assert session.player.list_name in text_of(everybody.get("/athletes/"))
    compared = f"/athletes/compare/?items=athlete-{session.player_id}"
    assert name in text_of(everybody.get(compared))
    for url in (
        f"/athletes/{session.player_id}/",
        f"/athletes/sessions/{session.pk}/",
        f"/athletes/swings/{swing.pk}/",
    ):
        assert client.get(url).status_code == 404
    compared = client.get(
        f"/athletes/compare/?items=swing-{swing.pk},session-{session.pk},"
        f"athlete-{session.player_id}&q={session.player.last_name}"
    )
    for page in (client.get("/"), client.get("/athletes/"), compared):
        assert page.status_code == 200
        assert name not in text_of(page)
    for url, data in (
        (f"/athletes/swings/{swing.pk}/inclusion/", {"inclusion": "excluded"}),
        (f"/athletes/swings/{swing.pk}/events/", {"foot_down": "1.0"}),
        (f"/athletes/swings/{swing.pk}/events/foot_down/undo/", {}),
        (f"/athletes/sessions/{session.pk}/facts/", {"condition": "tee"}),
        (f"/athletes/sessions/{session.pk}/notes/", {"text": "x"}),
        (f"/athletes/sessions/{session.pk}/tags/", {"name": "x"}),
        (f"/athletes/{session.player_id}/tags/", {"name": "x"}),
    ):
        assert client.post(url, data).status_code == 404
    assert not Note.objects.exists()


def test_pages_hold_no_inline_script_style_or_handler(client, coach, session):
    swing = swings_of(session)[0]
    for url in (
        "/",
        "/athletes/",
        f"/athletes/{session.player_id}/",
        f"/athletes/sessions/{session.pk}/",
        f"/athletes/swings/{swing.pk}/",
        f"/athletes/compare/?items=swing-{swing.pk},session-{session.pk}",
        "/athletes/definitions/",
    ):
        body = client.get(url).content.decode()
        assert not re.search(r"<[^>]+\sstyle=", body), url
        assert not re.search(r"<[^>]+\son[a-z]+=", body), url
        assert not re.search(r"<script(?![^>]*(src=|application/json))[^>]*>", body), (
            url
        )


def test_the_vendors_own_numbers_stand_apart_on_the_swings_page(client, coach):
    movement = make_movement(
        vendor_metrics={"impact_event": 410.0, "bat_speed_max": 33.25, "other": None}
    )
    text = text_of(client.get(f"/athletes/swings/{movement.pk}/"))
    own = text[text.index("From Reboot Motion") :]
    assert "impact_event 410.0" in own
    assert "bat_speed_max 33.25" in own
    assert "other –" in own
    without = make_movement()
    text = text_of(client.get(f"/athletes/swings/{without.pk}/"))
    assert "From Reboot Motion" not in text


def test_movement_of_no_vendor_data_type_is_still_shown(client, coach):
    """A movement known from the metadata alone has a page and a line."""
    movement = make_movement()
    text = text_of(client.get(f"/athletes/sessions/{movement.session_id}/"))
    assert "Its frames haven't arrived" in text
    assert Movement.objects.count() == 1
    assert Player.objects.count() == 1
    assert DataType.values == ["inverse-kinematics", "momentum-energy"]
