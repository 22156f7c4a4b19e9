"""What stands for a session is the same average and the same n wherever it is shown."""

from __future__ import annotations

import pytest
from django.urls import reverse

from athletes.analysis import session_summary
from athletes.analysis.summaries import refresh_player_summaries
from athletes.models import Movement, Player, Session
from dashboard.selectors.athlete_page import athlete_page
from dashboard.selectors.session_averages import computed_averages, stored_averages
from dashboard.selectors.swing_rows import swing_row
from tests.dashboard.page_contents import text_of
from tests.factories import make_session, make_swing, metric

pytestmark = pytest.mark.django_db

METRIC = "peak_hand_speed"
HANDS, WRISTS = (f"reference=contact hands={points}" for points in ("hands", "wrists"))


def swing_on(session, value, basis):
    """A swing whose hand speed rests on this basis."""
    swing = make_swing(session=session)
    swing.metrics = {METRIC: metric(value, "m/s") | {"basis": basis}}
    swing.save()
    return swing


def test_of_two_bases_with_as_many_swings_all_show_the_same(client, coach):
    session = make_session(data_state="complete", data_synced=True)
    # The first by name comes last.
    for value in (8.0, 8.2):
        swing_on(session, value, WRISTS)
    for value in (9.0, 9.2):
        swing_on(session, value, HANDS)
    session_summary.refresh_session_summary(session.pk)
    refresh_player_summaries([session.player_id])
    session.refresh_from_db()
    player = Player.objects.get(pk=session.player_id)
    movements = list(Movement.objects.in_session_order())
    for movement in movements:
        movement.session = session
    rows = [swing_row(movement) for movement in movements]
    page = athlete_page(player, Session.objects.all())
    json = client.get(f"/sessions/{session.pk}/metrics").json()["metrics"][METRIC]
    changes = {
        one["metric"]: one
        for one in client.get(f"/players/{player.pk}/changes").json()["changes"]
    }
    ((_, line),) = page.sessions[0].hand_speeds
    tile = next(one for one in page.tiles if one.metric == METRIC)
    shown = {
        "summary": session.summary["headlines"][METRIC]["mean"],
        "JSON": json["mean"],
        "JSON of the side": json["sides"][0]["mean"],
        "changes": changes[METRIC]["now"]["mean"],
        "session page": reading_of(stored_averages(session, movements, rows)),
        "session page of a few": reading_of(computed_averages(movements, rows)),
        "tile": tile.reading.value,
        "list of sessions": line.value,
        "list of athletes": player.latest_hand_speed_m_per_s,
    }
    assert shown == dict.fromkeys(shown, pytest.approx(9.1))


def reading_of(part):
    """The average hand speed of a part of the session's page."""
    return next(one.value for one in part.summary if one.metric == METRIC)


def test_latest_session_counts_its_included_swings_and_not_those_of_one_number(
    client, coach
):
    session = make_session()
    for value, basis in ((9.0, HANDS), (9.2, HANDS), (9.1, HANDS), (8.0, WRISTS)):
        swing_on(session, value, basis)
    session_summary.refresh_session_summary(session.pk)
    make_session(player=session.player)
    page = client.get(f"/athletes/{session.player_id}/").content.decode()
    head = page.split("Latest session</h2>")[1].split("</div>")[0]
    assert "4 included swings" in head


def test_latest_session_of_a_side_counts_the_swings_of_that_side(client, coach):
    session = make_session()
    for value, basis in ((9.0, HANDS), (9.2, HANDS), (9.1, WRISTS)):
        swing_on(session, value, basis)
    left = swing_on(session, 8.0, HANDS)
    Movement.objects.filter(pk=left.pk).update(side="left")
    session_summary.refresh_session_summary(session.pk)
    page = client.get(f"/athletes/{session.player_id}/").content.decode()
    head = page.split("Latest session")[1].split("</div>")[0]
    assert "3 included swings" in head


def test_of_two_setups_with_as_many_swings_all_show_the_same(client, coach):
    session = make_session(condition="live", data_state="complete", data_synced=True)
    for value in (8.0, 8.2, 8.1):
        swing_on(session, value, HANDS)
    tee = [swing_on(session, value, HANDS).pk for value in (9.0, 9.2, 9.1)]
    Movement.objects.filter(pk__in=tee).update(condition="tee")
    session_summary.refresh_session_summary(session.pk)
    session.refresh_from_db()
    player = session.player
    page = athlete_page(player, Session.objects.all())
    tile = next(one for one in page.tiles if one.metric == METRIC)
    answer = client.get(f"/players/{player.pk}/changes").json()
    (change,) = (one for one in answer["changes"] if one["metric"] == METRIC)
    sheet = text_of(client.get(reverse("sharing:session", args=[session.pk])))
    assert answer["setup"] == "tee"
    assert change["now"]["mean"] == pytest.approx(9.1)
    assert tile.reading.value == pytest.approx(9.1)
    assert page.trend.basis.condition == "tee"
    # 9.1 and 8.1 m/s.
    assert "20.4" in sheet
    assert "18.1" not in sheet
