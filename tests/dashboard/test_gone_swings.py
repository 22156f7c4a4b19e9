"""Swings that the vendor no longer sends: kept to look at, in nothing else."""

from __future__ import annotations

import pytest
from django.utils import timezone

from athletes.analysis.session_summary import refresh_session_summary
from athletes.analysis.summaries import refresh_player_summaries
from athletes.frames import presence
from athletes.frames.store import store_movement_metadata
from athletes.identity.session_parts import mark_parts
from athletes.models import BiomechanicsData, Session
from tests.dashboard.page_contents import swings_of, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def gone(session):
    """The first swing of the session, which the newest files lack."""
    first = swings_of(session)[0]
    BiomechanicsData.objects.filter(movement=first).update(missing_since=timezone.now())
    assert presence.settle([session.pk]) == {first.pk}
    refresh_session_summary(session.pk)
    refresh_player_summaries([session.player_id])
    session.refresh_from_db()
    return first


def test_a_gone_swing_is_folded_on_the_session_page(client, coach, session, gone):
    response = client.get(f"/athletes/sessions/{session.pk}/")
    text = text_of(response)
    assert "4 of 4 included in averages" in text
    assert "1 swing that Reboot Motion no longer sends" in text
    # A tile for each of the others, and a line of the table.
    assert response.content.decode().count('class="mini-chart"') == 4
    assert " data for " not in text
    assert (session.swing_count, session.player.swing_count) == (4, 4)
    table = client.get(
        f"/athletes/sessions/{session.pk}/",
        headers={"HX-Request": "true", "HX-Target": "swing-table"},
    )
    assert f"/athletes/swings/{gone.pk}/" not in table.content.decode()


def test_a_gone_swing_has_a_banner_and_its_numbers(client, coach, session, gone):
    text = text_of(client.get(f"/athletes/swings/{gone.pk}/"))
    assert "Reboot Motion no longer sends this swing" in text
    # The four that are there; neither itself nor what is no swing is counted.
    assert "Not one of the 4 swings" in text
    assert "All numbers" in text
    other = swings_of(session)[1]
    assert "1 of 4" in text_of(client.get(f"/athletes/swings/{other.pk}/"))


def test_a_gone_swing_is_compared_by_who_names_it(client, coach, session, gone):
    other = swings_of(session)[1]
    items = f"swing-{gone.pk},swing-{other.pk}"
    text = text_of(client.get(f"/athletes/compare/?items={items}"))
    assert "no longer sent by Reboot Motion" in text
    sheet = text_of(client.get(f"/athletes/sessions/{session.pk}/sheet/"))
    assert "4 included swings" in sheet


def test_a_gone_session_is_kept_to_look_at(client, coach, session):
    mark_parts(Session.objects.filter(pk=session.pk), timezone.now())
    refresh_player_summaries([session.player_id])
    text = text_of(client.get(f"/athletes/sessions/{session.pk}/"))
    assert "Reboot Motion no longer has this session" in text
    assert "6 swings that Reboot Motion no longer sends" in text
    athlete = client.get(f"/athletes/{session.player_id}/")
    assert f"/athletes/sessions/{session.pk}/" not in athlete.content.decode()
    assert f"/athletes/sessions/{session.pk}/" not in client.get("/").content.decode()
    found = client.get(f"/athletes/compare/?items=session-{session.pk}")
    assert found.status_code == 200
    store_movement_metadata(session_pk=session.pk, rows={"another": {}})
    assert session.movements.present().count() == 0
    mark_parts(Session.objects.filter(pk=session.pk), None)
    assert session.movements.present().count() == 7
