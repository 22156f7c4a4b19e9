"""The page of a session as a coach gets it, and what they add to it."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape

import pytest
from django.urls import reverse

from athletes import decisions
from athletes.analysis import run, session_summary
from athletes.models import (
    DataState,
    Movement,
    Tag,
)
from tests.dashboard.page_contents import figure_of, numbers, swings_of, text_of
from tests.factories import (
    make_frames,
    make_player,
    make_session,
    make_swing,
    make_synced_session,
    make_team,
    make_user,
    metric,
    simulated_movements,
    store_simulated,
)

pytestmark = pytest.mark.django_db


def test_session_shows_swings_and_says_why_a_walk_is_none(client, coach, session):
    response = client.get(f"/athletes/sessions/{session.pk}/")
    text = text_of(response)
    assert response.content.decode().count('class="mini-chart"') == 5
    assert "5 of 5 included in averages" in text
    assert "Movements that aren't swings" in text
    walk = session.movements.get(is_swing=False)
    assert walk.quality_reasons[0]["text"].split(":")[0] in text


def test_session_names_what_captured_it(client, coach, session):
    """Reboot Motion sends a slug; one that is new here is shown as it is."""
    for slug, name in [("hawkeyehfr", "Hawk-Eye high frame rate"), ("nova9", "nova9")]:
        session.mocap_type_name = slug
        session.save(update_fields=["mocap_type_name"])
        page = text_of(client.get(f"/athletes/sessions/{session.pk}/"))
        assert f"· {name} " in page


def test_session_chart_holds_counted_swings_their_mean_and_band(client, coach, session):
    response = client.get(f"/athletes/sessions/{session.pk}/?series=torso_omega")
    figure = figure_of(response, "session-curves-chart")
    roles = [trace.get("role", "line") for trace in figure["data"]]
    # The swing without a bat has another reference event and is left out.
    assert roles == ["single"] * 4 + ["band", "mean"]
    hidden = [trace.get("hidden", False) for trace in figure["data"]]
    assert hidden == [True] * 4 + [False] * 2
    boxes = {item["label"]: item.get("hidden", False) for item in figure["legend"]}
    assert boxes == {"Average ± SD": False, "Each swing": True}
    by_another_rule = "swing excluded: the event was found there by a different rule."
    assert f"1 {by_another_rule}" in text_of(response)
    assert figure["layout"]["xaxis"]["title"]["text"] == "Time from contact (est.) (ms)"


def test_session_chart_alone_for_htmx_and_by_another_event(client, coach, session):
    response = client.get(
        f"/athletes/sessions/{session.pk}/?series=x_factor&align=foot_down",
        headers={"HX-Request": "true"},
    )
    assert b"<html" not in response.content
    figure = figure_of(response, "session-curves-chart")
    assert figure["layout"]["xaxis"]["title"]["text"] == "Time from foot down (ms)"
    assert figure["layout"]["yaxis"]["title"]["text"] == ("Hip-shoulder separation (°)")
    assert "found there by a different rule" not in text_of(response)


def test_session_in_percent_and_on_foot_down_holds_every_contact(
    client, coach, session
):
    swings = swings_of(session)[:4]
    address = f"/athletes/sessions/{session.pk}/?series=bat_speed"
    figure = figure_of(client.get(f"{address}&align=foot_down"), "session-curves-chart")
    marks = {mark["name"]: mark["time"] for mark in figure["events"]}
    contacts = [
        1000 * (one.events["reference"]["time_s"] - one.events["foot_down"]["time_s"])
        for one in swings
    ]
    assert marks["reference"] == pytest.approx(sum(contacts) / 4, abs=0.01)
    assert (
        figure["layout"]["xaxis"]["range"][1] == (max(contacts) + 150) // 10 * 10 + 10
    )
    (mean,) = [one for one in figure["data"] if one.get("role") == "mean"]
    at_contact = round((marks["reference"] - mean["x0"]) / mean["dx"])
    speeds = [one.metrics["bat_speed_ref"]["value"] * 2.23694 for one in swings]
    assert numbers(mean, "y")[at_contact] == pytest.approx(sum(speeds) / 4, rel=0.03)

    Movement.objects.filter(pk=swings[0].pk).update(
        events=swings[0].events | {"first_move": {"time_s": None, "rule": "none"}}
    )
    response = client.get(f"{address}&align=percent")
    figure = figure_of(response, "session-curves-chart")
    assert figure["meta"]["x_unit"] == "%"
    marks = {mark["name"]: mark["time"] for mark in figure["events"]}
    assert (marks["first_move"], marks["reference"]) == (0.0, 100.0)
    assert figure["data"][0]["dx"] == 1.0
    assert "1 swing excluded: no first move or contact was found." in text_of(response)
    assert "Swing (%)" in text_of(response)

    # An unsure first move, and one next to contact, make no axis for the others.
    before = figure["layout"]["xaxis"]["range"]
    contact_s = swings[0].events["reference"]["time_s"]
    for time_s, confidence, why in (
        (contact_s - 0.001, "rule", "first move is less than 50 ms before contact"),
        (contact_s - 0.15, "low", "first move is uncertain"),
    ):
        moved = {"time_s": time_s, "rule": "rule", "confidence": confidence}
        rule = swings[1].events["first_move"]["rule"]
        Movement.objects.filter(pk=swings[0].pk).update(
            events=swings[0].events | {"first_move": moved | {"rule": rule}}
        )
        response = client.get(f"{address}&align=percent")
        assert f"1 swing excluded: {why}." in text_of(response)
        figure = figure_of(response, "session-curves-chart")
        assert figure["layout"]["xaxis"]["range"] == before
        assert before[0] <= 0 < 100 <= before[1]


@pytest.mark.parametrize(
    ("count", "head", "title"),
    [
        (2, "Average", "Pelvis rotation speed"),
        (3, "Average ± SD", "Pelvis rotation speed, average ± SD"),
    ],
)
def test_session_speaks_of_a_spread_from_three_swings_on(
    client, coach, count, head, title
):
    session = make_session(data_state=DataState.COMPLETE, data_synced=True)
    store_simulated(session, simulated_movements()[:count])
    run.analyze_session(session.pk)
    address = reverse("dashboard:session", args=[session.pk])
    page = client.get(address, {"series": "pelvis_omega"})
    gaps = page.content.decode().split('<table class="stacks gaps-table"')[1]
    heads = re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', gaps.split("</thead>")[0])
    assert heads == ["Delay", head, "± SE", "Swings", "Different?"]
    assert f'id="session-curves-chart-title">{title}</span>' in page.content.decode()
    # What stands under the head says over how many swings it is.
    cells = re.findall(r"Swings</span>(\d+)</td>", gaps.split("</table>")[0])
    assert cells == [str(count)] * 3
    spreads = gaps.split("</table>")[0].count("value__sd")
    assert spreads == (3 if count > 2 else 0)
    told = re.findall(r"Different\?</span>([^<]*)</td>", gaps.split("</table>")[0])
    assert len(told) == 3
    assert ("needs 3 swings" in told) == (count < 3)
    assert ("yes" in told) == (count >= 3)


def test_session_of_a_switch_hitter_says_that_both_sides_are_in_its_means(
    client, coach, session
):
    address = reverse("dashboard:session", args=[session.pk]) + "?side=both"
    assert "together<" not in client.get(address).content.decode()
    one, other = swings_of(session)[:2]
    Movement.objects.filter(pk__in=[one.pk, other.pk]).update(side="left")
    page = client.get(address).content.decode()
    words = "5 of 5 included in averages, 3 batting right and 2 batting left together<"
    assert words in page
    # A swing that does not count is in no mean.
    decisions.set_inclusion(
        movement=one, inclusion="excluded", reason="Bunt.", user=coach
    )
    words = "4 of 5 included in averages, 3 batting right and 1 batting left together<"
    assert words in client.get(address).content.decode()


def test_session_with_unknown_choices_falls_back(client, coach, session):
    response = client.get(f"/athletes/sessions/{session.pk}/?series=nope&align=nope")
    assert response.status_code == 200
    figure = figure_of(response, "session-curves-chart")
    # The rotation speeds stand in the sequence above.
    assert figure["layout"]["yaxis"]["title"]["text"] == "Hip-shoulder separation (°)"
    assert figure["layout"]["xaxis"]["title"]["text"] == "Time from contact (est.) (ms)"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DataState.WAITING, "Waiting for Reboot Motion"),
        (DataState.NO_DATA, "Reboot Motion has no data"),
        (DataState.FAILED, "The swings couldn't be downloaded"),
    ],
)
def test_empty_session_says_why(client, coach, state, words):
    empty = make_session(data_state=state)
    assert words in text_of(client.get(f"/athletes/sessions/{empty.pk}/"))


def test_session_without_momentum_data_says_so(client, coach):
    session = make_synced_session()
    for movement in session.movements.all():
        make_frames(movement=movement)
    text = text_of(client.get(f"/athletes/sessions/{session.pk}/"))
    assert "No momentum and energy data yet" in text
    assert "Inverse kinematics is" not in text


@pytest.mark.parametrize("count", [1, 3])
def test_session_page_takes_the_same_queries_for_any_number_of_swings(
    client, coach, count, django_assert_num_queries
):
    session = make_synced_session(swings=count)
    # session, user, session with athlete, movements, metrics, frames by type, notes,
    # tags, earlier, later, history, sides, curves, uploads by hand, latest session of
    # the athlete, of the athlete before and of the one after
    with django_assert_num_queries(18):
        client.get(f"/athletes/sessions/{session.pk}/")


def test_condition_is_saved_and_another_one_refused(client, coach, session):
    url = f"/athletes/sessions/{session.pk}/facts/"
    assert client.post(url, {"condition": "tee", "bat": "33/30"}).status_code == 302
    session.refresh_from_db()
    assert (session.condition, session.bat) == ("tee", "33/30")
    refused = client.post(
        url, {"condition": "moon", "bat": ""}, headers={"HX-Request": "true"}
    )
    assert refused.status_code == 422
    session.refresh_from_db()
    assert session.condition == "tee"


@pytest.mark.both
def test_tags_are_one_whatever_their_capitals(client, coach, session):
    client.post(f"/athletes/{session.player_id}/tags/", {"name": "Varsity"})
    client.post(f"/athletes/sessions/{session.pk}/tags/", {"name": "varsity"})
    assert [tag.name for tag in Tag.objects.all()] == ["Varsity"]
    assert session.player.list_name in text_of(client.get("/athletes/?tag=Varsity"))
    client.post(
        f"/athletes/{session.player_id}/tags/", {"name": "Varsity", "remove": "1"}
    )
    assert "No athletes match" in text_of(client.get("/athletes/?tag=Varsity"))


def test_tag_of_another_team_finds_nobody_and_is_not_offered(client, session):
    Tag.objects.create(name="Knee").players.add(make_session().player)
    Tag.objects.create(name="Varsity").players.add(session.player)
    user = make_user(limited_to_teams=True)
    make_team(players=[session.player], members=[user])
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    offered = text_of(client.get("/athletes/"))
    assert "Varsity" in offered
    assert "Knee" not in offered
    for unknown in ("Knee", "Elbow"):
        page = text_of(client.get("/athletes/", {"tag": unknown}))
        assert "No athletes match" in page
        assert session.player.list_name not in page
    assert session.player.list_name in text_of(client.get("/athletes/?tag=Varsity"))


def test_average_says_which_swings_rest_on_something_else(client, coach):
    session = make_session()
    for value, foot_down in ((20.0, "vendor_norm_time"), (24.0, "vendor_norm_time")):
        _knee(session, value, foot_down)
    _knee(session, 50.0, "ankle_settles")
    session_summary.refresh_session_summary(session.pk)
    text = text_of(client.get(f"/athletes/sessions/{session.pk}/"))
    assert (
        "2 of 3 swings · 1 swing excluded: a different rule for foot down: lead ankle "
        "at "
        "rest instead of Reboot Motion’s"
    ) in unescape(text).replace("'", "’")
    assert "22°" in text


def _knee(session, value, foot_down):
    basis = f"reference=contact foot_down={foot_down}"
    swing = make_swing(session=session)
    swing.metrics = {"lead_knee_ext": metric(value, "deg") | {"basis": basis}}
    swing.save()


def test_a_mean_over_fewer_swings_than_are_included_says_so(client, coach):
    session = make_session()
    for speed in (9.0, 9.1, 9.2):
        make_swing({"peak_hand_speed": speed, "side_bend_ref": 20.0}, session=session)
    make_swing({"peak_hand_speed": 9.3}, session=session)
    session_summary.refresh_session_summary(session.pk)
    text = text_of(client.get(f"/athletes/sessions/{session.pk}/?numbers=all"))
    assert "3 of 4 swings" in text
    assert "4 of 4 swings" not in text
    row = text.split("Average ± SD of 4")[1]
    assert row.count("3 swings") == 1


def test_session_says_what_changed_first_and_asks_for_forms_last(
    client, coach, session
):
    page = client.get(f"/athletes/sessions/{session.pk}/")
    body = unescape(page.content.decode())
    name = session.player.full_name
    assert f"<h1>{name} · " in body
    assert f"<title>{name} · " in body
    heads = [
        "changed-head",
        "means-head",
        "sequence-head",
        "swings-head",
        "curves-head",
        "table-head",
        "orders-head",
        "notes-head",
        "facts-head",
        "tags-head",
    ]
    places = [body.index(f'id="{head}"') for head in heads]
    assert places == sorted(places)
    # All numbers come when they are asked for; without a script they are a link.
    assert "swing-table" in body
    assert '<table class="stacks stacks--wide swing-table"' not in body
    assert 'href="?numbers=all#table-head"' in body
    for query in ("?numbers=all", "?sort=-bat_speed_max"):
        asked = client.get(f"/athletes/sessions/{session.pk}/{query}")
        assert b'<table class="stacks stacks--wide swing-table"' in asked.content


def test_saved_setup_stands_in_the_head_at_once(client, coach, session):
    response = client.post(
        f"/athletes/sessions/{session.pk}/facts/",
        {"condition": "tee", "bat": ""},
        headers={"HX-Request": "true"},
    )
    assert b'<span id="session-setup" hx-swap-oob="true">Tee</span>' in response.content


def test_next_athlete_is_the_one_after_in_the_order_of_latest_sessions(client, coach):
    days = [dt.date(2026, 3, day) for day in (9, 8, 8, 7)]
    alder, birch, cedar = (make_player(first_name=n) for n in ("Ada", "Bo", "Cy"))
    last = make_session(player=alder, session_date=days[0])
    # Of two on one day the one that came later is first. An older session of somebody
    # who was here since is in nobody's way.
    make_session(player=cedar, session_date=days[2])
    middle = make_session(player=birch, session_date=days[1])
    old = make_session(player=alder, session_date=days[3])
    make_session(player=make_player(), session_date=None)
    for at, before, after in (
        (last, None, "Next: Bo"),
        (old, None, "Next: Bo"),
        (middle, "Previous: Ada", "Next: Cy"),
    ):
        text = text_of(client.get(f"/athletes/sessions/{at.pk}/"))
        assert ("Previous: " in text) is bool(before)
        assert (before or "") in text
        assert after in text


def test_next_athlete_is_never_of_another_team(client):
    mine, others = make_session(), make_session()
    user = make_user(limited_to_teams=True)
    make_team(players=[mine.player], members=[user])
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    text = text_of(client.get(f"/athletes/sessions/{mine.pk}/"))
    assert others.player.full_name not in text
    assert "Next: " not in text
    assert "Previous: " not in text


def decide(client, swing, page="", **answer):
    """What htmx gets for a decision about a swing that was made on this page."""
    return client.post(
        reverse("dashboard:swing_inclusion", args=[swing.pk]),
        answer,
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"},
    )


def test_tapped_reason_excludes_at_once_and_undo_brings_back_what_was(
    client, coach, session
):
    swing = swings_of(session)[0]
    address = f"/athletes/sessions/{session.pk}/"
    answer = decide(client, swing, address, inclusion="excluded", quick="Check swing")
    body = answer.content.decode()
    swing.refresh_from_db()
    assert (swing.inclusion, swing.inclusion_reason) == ("excluded", "Check swing")
    # The tile alone, with the way back; beside it the averages, and no table, because
    # the page shows none.
    assert body.startswith(f'<li id="tile-{swing.pk}" class="swing-strip__excluded"')
    assert body.count("<li id=") == 1
    assert 'name="inclusion" value="undo" autofocus' in body
    assert '<div id="session-means" hx-swap-oob="true">' in body
    assert "averages are updated" in body
    # What changed since before, and the curves, are of the swings that still count.
    assert '<div id="session-changed" hx-swap-oob="true">' in body
    assert body.count('id="mean-sequence" hx-swap-oob="true"') == 1
    assert body.count('<div id="session-curves" hx-swap-oob="true">') == 1
    fresh = client.get(address)
    for name in ("session-sequence", "session-curves-chart"):
        assert figure_of(answer, name) == figure_of(fresh, name)
    assert "4 of 5 included in averages" in body
    assert 'id="swing-table"' not in body
    again = decide(client, swing, address + "?numbers=all", inclusion="undo").content
    assert b'<div id="swing-table" hx-swap-oob="true">' in again
    swing.refresh_from_db()
    assert (swing.inclusion, swing.inclusion_reason) == ("auto", "")

    # Undone is the last decision, not everything that was decided before it.
    decide(client, swing, inclusion="included", reason="Fine")
    decide(client, swing, inclusion="excluded", reason="Tired")
    shown = decide(client, swing, inclusion="excluded", reason="Late")
    assert 'name="undone" value="Late"' in shown.content.decode()
    # Sent twice, because the first answer was lost, it undoes one decision and no more.
    for reason, now in (
        *[("Late", ("excluded", "Tired"))] * 2,
        *[("Tired", ("excluded", "Late"))],
    ):
        answer = decide(client, swing, inclusion="undo", undone=reason)
        assert answer.status_code == 200
        swing.refresh_from_db()
        assert (swing.inclusion, swing.inclusion_reason) == now
    decide(client, swing, inclusion="included", reason="Fine")
    decide(client, swing, inclusion="excluded", reason="Tired")
    for _ in range(2):
        decide(client, swing, inclusion="undo")
        swing.refresh_from_db()
        assert (swing.inclusion, swing.inclusion_reason) == ("included", "Fine")


def test_exclusion_needs_a_reason_and_works_without_scripts(client, coach, session):
    swing = swings_of(session)[0]
    refused = decide(client, swing, inclusion="excluded", reason=" ")
    assert refused.status_code == 422
    assert "Give a short reason" in text_of(refused)
    page = f"/athletes/sessions/{session.pk}/#tile-{swing.pk}"
    answer = client.post(
        reverse("dashboard:swing_inclusion", args=[swing.pk]),
        {"inclusion": "excluded", "quick": "Bad tracking", "next": page},
    )
    assert answer.headers["Location"] == page
    swing.refresh_from_db()
    assert swing.inclusion_reason == "Bad tracking"
    # Who may only look is offered nothing.
    assert b"popovertarget" in client.get(page).content
