"""What staff may edit by hand, and what hand edits cannot touch."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from athletes.models import Movement
from tests.factories import (
    make_frames,
    make_player,
    make_session_metric,
    make_superuser,
    make_synced_session,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    user = make_superuser()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


def edit(client, player, **changes):
    data = {
        "first_name": player.first_name,
        "last_name": player.last_name,
        "date_of_birth": "",
        "height_ft": player.height_ft,
        "weight_lbs": player.weight_lbs,
        "dominant_hand_hitting": player.dominant_hand_hitting,
        "dominant_hand_throwing": player.dominant_hand_throwing,
        "corrected_fields": player.corrected_fields,
    }
    url = reverse("admin:athletes_player_change", args=[player.pk])
    return client.post(url, data | changes)


def test_corrected_height_is_marked_so_that_the_sync_leaves_it(client, staff):
    player = make_player(height_ft=5.5, weight_lbs=180.0)
    assert edit(client, player, height_ft="6.25").status_code == 302
    player.refresh_from_db()
    assert player.height_ft == 6.25
    assert player.corrected_fields == ["height_ft"]


def test_saving_without_a_change_marks_nothing(client, staff):
    player = make_player()
    edit(client, player)
    player.refresh_from_db()
    assert player.corrected_fields == []


def test_unticked_correction_is_the_vendors_again(client, staff):
    player = make_player(corrected_fields=["height_ft", "last_name"])
    edit(client, player, corrected_fields=["last_name"])
    player.refresh_from_db()
    assert player.corrected_fields == ["last_name"]


def test_renamed_athlete_is_found_by_the_new_name(client, staff):
    player = make_player()
    edit(client, player, last_name="Juniper")
    player.refresh_from_db()
    assert "juniper" in player.search_text


def test_impossible_height_is_refused_with_a_message(client, staff):
    player = make_player(height_ft=6.0)
    response = edit(client, player, height_ft="60")
    assert response.status_code == 200
    player.refresh_from_db()
    assert player.height_ft == 6.0


@pytest.mark.parametrize(
    "model",
    [
        "player",
        "session",
        "movement",
        "biomechanicsdata",
        "sessionmetric",
        "eventcorrection",
        "inclusiondecision",
        "note",
        "tag",
    ],
)
def test_every_list_opens_and_searches(client, staff, model):
    session = make_synced_session(swings=1)
    make_session_metric(session=session)
    make_frames(movement=session.movements.get())
    url = reverse(f"admin:athletes_{model}_changelist")
    assert client.get(url).status_code == 200
    assert client.get(url, {"q": "invented"}).status_code == 200


def test_frames_are_never_loaded(client, staff, django_assert_max_num_queries):
    frames = make_frames()
    with django_assert_max_num_queries(20) as captured:
        client.get(reverse("admin:athletes_biomechanicsdata_changelist"))
        client.get(reverse("admin:athletes_biomechanicsdata_change", args=[frames.pk]))
    for query in captured.captured_queries:
        assert not re.search(r'"biomechanics_data"\."frames"', query["sql"])


def test_movements_cannot_be_edited_or_deleted(client, staff):
    movement = make_synced_session(swings=1).movements.get()
    url = reverse("admin:athletes_movement_change", args=[movement.pk])
    assert client.post(url, {"quality_grade": "poor"}).status_code == 403
    delete = reverse("admin:athletes_movement_delete", args=[movement.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert Movement.objects.get().quality_grade == "good"


def test_records_link_to_their_pages(client, staff):
    session = make_synced_session(swings=1)
    for name, pk, page in (
        ("player", session.player_id, f"/athletes/{session.player_id}/"),
        ("session", session.pk, f"/athletes/sessions/{session.pk}/"),
        (
            "movement",
            session.movements.get().pk,
            f"/athletes/swings/{session.movements.get().pk}/",
        ),
    ):
        body = client.get(reverse(f"admin:athletes_{name}_change", args=[pk]))
        assert f'href="{page}"' in body.content.decode()


def test_coaches_do_not_enter(client):
    client.force_login(make_user(), backend="django.contrib.auth.backends.ModelBackend")
    url = reverse("admin:athletes_player_changelist")
    assert client.get(url).status_code == 302
