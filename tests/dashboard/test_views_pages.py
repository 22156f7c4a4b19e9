"""Pages of athletes, sessions and swings as a coach gets them."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from django.urls import reverse

from accounts.models import Action, AuditEntry, Team
from athletes import decisions
from athletes.analysis import run, summaries
from athletes.models import (
    DataState,
    DataType,
    EventCorrection,
    Movement,
    Note,
    Player,
    Tag,
)
from tests.factories import (
    make_frames,
    make_movement,
    make_player,
    make_session,
    make_session_metric,
    make_staff,
    make_swing,
    make_synced_session,
    make_team,
    make_user,
    simulated_movements,
    store_simulated,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def coach(client):
    user = make_user()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


@pytest.fixture
def session():
    """Four swings, a walk-through and a swing without a bat, analysed."""
    session = make_session(data_state=DataState.COMPLETE, data_synced=True)
    store_simulated(session, simulated_movements())
    run.analyze_session(session.pk)
    summaries.refresh_player_summaries([session.player_id])
    session.refresh_from_db()
    return session


def swings_of(session):
    return list(session.movements.filter(is_swing=True).in_session_order())


def text_of(response):
    body = re.sub(r"<script.*?</script>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def figure_of(response, name):
    """The chart that a page put in for its script."""
    body = response.content.decode()
    found = re.search(
        rf'<script id="{name}-data" type="application/json">(.*?)</script>', body
    )
    assert found, f"no figure {name}"
    return json.loads(found[1].replace("\\u003C", "<"))


# --- Access --------------------------------------------------------------------------


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


# --- List ----------------------------------------------------------------------------


def test_list_answers_htmx_with_the_table_alone(client, coach):
    make_player(last_name="Alder")
    make_player(last_name="Birch")
    page = client.get("/athletes/?q=ald")
    fragment = client.get("/athletes/?q=ald", headers={"HX-Request": "true"})
    restored = client.get(
        "/athletes/?q=ald",
        headers={"HX-Request": "true", "HX-History-Restore-Request": "true"},
    )
    for response in (page, fragment, restored):
        assert "HX-Request" in response["Vary"]
        assert "Alder" in text_of(response)
        assert "Birch" not in text_of(response)
    assert b"<html" in page.content
    assert b"<html" not in fragment.content
    assert b"<html" in restored.content


def test_list_keeps_its_state_in_its_links(client, coach):
    for number in range(52):
        make_player(last_name=f"Elm {number:02d}", dominant_hand_hitting="left")
    response = client.get("/athletes/?q=elm&bats=left&sort=-swings")
    body = response.content.decode()
    assert "52 athletes" in text_of(response)
    next_url = re.search(r'rel="next" href="([^"]+)"', body)[1].replace("&amp;", "&")
    assert "q=elm&bats=left&sort=-swings&after=" in next_url
    second = client.get(f"/athletes/{next_url}")
    assert second.content.decode().count('<th scope="row" role="rowheader">') == 2
    assert 'rel="prev"' in second.content.decode()


def test_list_says_what_is_wrong_with_a_filter_and_shows_the_rest(client, coach):
    make_player(last_name="Alder", last_session_on=dt.date(2026, 3, 10))
    response = client.get("/athletes/?start=2026-03-09&end=2026-03-01&after=x")
    assert response.status_code == 200
    assert "The last date lies before the first one." in text_of(response)
    assert "Alder" in text_of(response)


def test_list_tells_an_empty_facility_from_an_empty_search(client, coach):
    assert "No athletes yet" in text_of(client.get("/athletes/"))
    make_player()
    assert "Nobody matches" in text_of(client.get("/athletes/?q=zzz"))


def test_list_shows_headline_numbers_in_the_units_of_the_reader(client, coach):
    make_player(latest_hand_speed_m_per_s=10.0)
    assert "22.4 mph" in text_of(client.get("/athletes/"))
    coach.units = "metric"
    coach.save(update_fields=["units"])
    assert "10.0 m/s" in text_of(client.get("/athletes/"))


@pytest.mark.parametrize("count", [1, 3])
def test_list_takes_as_many_queries_for_one_athlete_as_for_three(
    client, coach, count, django_assert_num_queries
):
    for _ in range(count):
        make_player(last_session_on=dt.date(2026, 3, 1), swing_count=3)
    with django_assert_num_queries(4):  # session, user, tags, rows
        client.get("/athletes/")


# --- Athlete -------------------------------------------------------------------------


def test_athlete_without_sessions_says_what_will_come(client, coach):
    player = make_player(height_ft=None, date_of_birth=None)
    response = client.get(f"/athletes/{player.pk}/")
    assert "No sessions yet" in text_of(response)
    assert b'id="numbers"' not in response.content


def history_of(player, means, metric="peak_torso_omega", **fields):
    """One session a week with one mean each."""
    sessions = []
    for week, mean in enumerate(means):
        session = make_synced_session(
            player=player, session_date=dt.date(2026, 3, 1) + dt.timedelta(weeks=week)
        )
        make_session_metric(
            session=session, metric=metric, mean=mean, sd=10.0, n=6, **fields
        )
        sessions.append(session)
    return sessions


def test_athlete_page_tells_a_real_change_in_a_sentence(client, coach):
    player = make_player()
    history_of(player, [900.0, 902.0, 898.0, 936.0])
    text = text_of(client.get(f"/athletes/{player.pk}/"))
    assert (
        "Peak shoulder-line turn rate: 4 % faster than in the three sessions before, "
        "a real change (900°/s → 936°/s; 18 and 6 swings)." in text
    )


def test_findings_say_of_which_session_they_are(client, coach):
    player = make_player()
    newest = history_of(player, [700.0, 720.0])[-1]
    # The newest of all has no numbers yet.
    make_session(player=player, session_date=dt.date(2026, 9, 1))
    page = client.get(reverse("dashboard:athlete", args=[player.pk])).content.decode()
    link = reverse("dashboard:session", args=[newest.pk])
    head = page.split("Newest session</h2>")[1].split("</div>")[0]
    assert f'href="{link}"' in head
    assert "Mar 8, 2026" in head
    assert "6 counted swings" in head


def test_athlete_page_tells_that_nothing_changed(client, coach):
    player = make_player()
    history_of(player, [900.0, 902.0, 898.0, 903.0])
    text = text_of(client.get(f"/athletes/{player.pk}/"))
    assert "Peak shoulder-line turn rate as before (903°/s)" in text
    assert "real change" not in text


def test_trend_never_mixes_conditions_unless_asked(client, coach):
    player = make_player()
    sessions = history_of(player, [900.0, 910.0, 920.0])
    sessions[0].condition = "machine"
    sessions[0].save()
    url = f"/athletes/{player.pk}/?metric=peak_torso_omega"
    apart = client.get(url)
    traces = [t for t in figure_of(apart, "trend-chart")["data"] if "y" in t]
    assert [trace["y"] for trace in traces] == [[910.0, 920.0]]
    assert "1 session with another condition" in text_of(apart)
    mixed = client.get(url + "&mixed=1")
    traces = [t for t in figure_of(mixed, "trend-chart")["data"] if "y" in t]
    assert [trace["y"] for trace in traces] == [[900.0], [910.0, 920.0]]
    assert len({trace["symbol"] for trace in traces}) == 2


def test_athlete_fragment_is_what_the_tiles_swap(client, coach):
    player = make_player()
    history_of(player, [900.0, 910.0])
    response = client.get(
        f"/athletes/{player.pk}/?metric=peak_torso_omega",
        headers={"HX-Request": "true", "HX-Boosted": "true", "HX-Target": "numbers"},
    )
    assert b"<html" not in response.content
    assert figure_of(response, "trend-chart")["meta"]["y_unit"] == "°/s"


def test_athlete_of_two_hundred_sessions_pages_them(client, coach):
    player = make_player()
    for day in range(200):
        make_session(
            player=player, session_date=dt.date(2025, 1, 1) + dt.timedelta(days=day)
        )
    first = client.get(f"/athletes/{player.pk}/")
    assert first.content.decode().count("Waiting for the vendor") == 20
    assert "page 1 of 10" in text_of(first)
    last = client.get(f"/athletes/{player.pk}/?page=99")
    assert "page 10 of 10" in text_of(last)
    assert "Jan 1, 2025" in text_of(last)


@pytest.mark.parametrize("count", [1, 3])
def test_athlete_page_takes_the_same_queries_for_any_history(
    client, coach, count, django_assert_num_queries
):
    player = make_player()
    history_of(player, [900.0] * count)
    # session, user, athlete, history, sides, count, sessions, their tags, peers, tags
    with django_assert_num_queries(10):
        client.get(f"/athletes/{player.pk}/")


# --- Session -------------------------------------------------------------------------


def test_session_shows_swings_and_says_why_a_walk_is_none(client, coach, session):
    response = client.get(f"/athletes/sessions/{session.pk}/")
    text = text_of(response)
    assert response.content.decode().count('class="mini-chart"') == 5
    assert "5 of 5 count in means" in text
    assert "Not counted as swings" in text
    walk = session.movements.get(is_swing=False)
    assert walk.quality_reasons[0]["text"].split(":")[0] in text


def test_session_chart_holds_counted_swings_their_mean_and_band(client, coach, session):
    response = client.get(f"/athletes/sessions/{session.pk}/?series=torso_omega")
    figure = figure_of(response, "session-curves-chart")
    roles = [trace.get("role", "line") for trace in figure["data"]]
    # The swing without a bat has another reference event and is left out.
    assert roles == ["single"] * 4 + ["band", "mean"]
    assert "1 swing left out" in text_of(response)
    assert figure["layout"]["xaxis"]["title"]["text"] == "Time from peak bat speed (ms)"


def test_session_chart_alone_for_htmx_and_by_another_event(client, coach, session):
    response = client.get(
        f"/athletes/sessions/{session.pk}/?series=x_factor&align=foot_down",
        headers={"HX-Request": "true"},
    )
    assert b"<html" not in response.content
    figure = figure_of(response, "session-curves-chart")
    assert figure["layout"]["xaxis"]["title"]["text"] == "Time from foot down (ms)"
    assert figure["layout"]["yaxis"]["title"]["text"] == ("Hip-shoulder separation (°)")


@pytest.mark.parametrize(
    ("count", "head", "title"),
    [
        (2, "Mean", "Pelvis turn rate"),
        (3, "Mean ± SD", "Pelvis turn rate, mean ± SD"),
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
    assert heads == ["Gap", head, "± SE", "Swings", "Told apart"]
    assert f'id="session-curves-chart-title">{title}</span>' in page.content.decode()
    # What stands under the head says over how many swings it is.
    cells = re.findall(r"Swings</span>(\d+)</td>", gaps.split("</table>")[0])
    assert cells == [str(count)] * 3
    spreads = gaps.split("</table>")[0].count("value__sd")
    assert spreads == (3 if count > 2 else 0)


def test_session_of_a_switch_hitter_says_that_both_sides_are_in_its_means(
    client, coach, session
):
    address = reverse("dashboard:session", args=[session.pk]) + "?side=both"
    assert "together<" not in client.get(address).content.decode()
    one, other = swings_of(session)[:2]
    Movement.objects.filter(pk__in=[one.pk, other.pk]).update(side="left")
    page = client.get(address).content.decode()
    words = "5 of 5 count in means, 3 batting right and 2 batting left together<"
    assert words in page
    # A swing that does not count is in no mean.
    decisions.set_inclusion(
        movement=one, inclusion="excluded", reason="Bunt.", user=coach
    )
    words = "4 of 5 count in means, 3 batting right and 1 batting left together<"
    assert words in client.get(address).content.decode()


def test_session_with_unknown_choices_falls_back(client, coach, session):
    response = client.get(f"/athletes/sessions/{session.pk}/?series=nope&align=nope")
    assert response.status_code == 200
    assert figure_of(response, "session-curves-chart")["meta"]["y_unit"] == "°/s"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DataState.WAITING, "Waiting for the vendor"),
        (DataState.NO_DATA, "The vendor has no data"),
        (DataState.FAILED, "The swings could not be fetched"),
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
    assert "Momentum and energy is not here" in text
    assert "Inverse kinematics is" not in text


@pytest.mark.parametrize("count", [1, 3])
def test_session_page_takes_the_same_queries_for_any_number_of_swings(
    client, coach, count, django_assert_num_queries
):
    session = make_synced_session(swings=count)
    # session, user, session with athlete, movements, metrics, frames by type, notes,
    # tags, earlier, later, curves
    with django_assert_num_queries(11):
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


def test_notes_are_written_and_deleted_by_their_writer_or_staff(client, coach, session):
    url = f"/athletes/sessions/{session.pk}/notes/"
    assert (
        client.post(url, {"text": "  "}, headers={"HX-Request": "true"}).status_code
        == 422
    )
    response = client.post(
        url, {"text": "Felt <b>heavy</b>"}, headers={"HX-Request": "true"}
    )
    assert b"Felt &lt;b&gt;heavy&lt;/b&gt;" in response.content
    note = Note.objects.get()
    assert note.created_by == coach
    delete = reverse("dashboard:note_delete", args=[note.pk])
    other = make_user()
    client.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(delete).status_code == 403
    client.force_login(
        make_staff(), backend="django.contrib.auth.backends.ModelBackend"
    )
    assert client.post(delete).status_code == 302
    assert not Note.objects.exists()


def test_tags_are_one_whatever_their_capitals(client, coach, session):
    client.post(f"/athletes/{session.player_id}/tags/", {"name": "Varsity"})
    client.post(f"/athletes/sessions/{session.pk}/tags/", {"name": "varsity"})
    assert [tag.name for tag in Tag.objects.all()] == ["Varsity"]
    assert session.player.full_name in text_of(client.get("/athletes/?tag=Varsity"))
    client.post(
        f"/athletes/{session.player_id}/tags/", {"name": "Varsity", "remove": "1"}
    )
    assert "Nobody matches" in text_of(client.get("/athletes/?tag=Varsity"))


def test_tag_of_another_team_finds_nobody_and_is_not_offered(client, session):
    Tag.objects.create(name="Knee").players.add(make_session().player)
    Tag.objects.create(name="Varsity").players.add(session.player)
    user = make_user(limited_to_teams=True)
    make_team(players=[session.player], members=[user])
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    assert "Knee" not in text_of(client.get("/athletes/"))
    for unknown in ("Knee", "Elbow"):
        page = text_of(client.get("/athletes/", {"tag": unknown}))
        assert "Nobody matches" in page
        assert session.player.full_name not in page
    assert session.player.full_name in text_of(client.get("/athletes/?tag=Varsity"))


# --- Swing ---------------------------------------------------------------------------


def test_swing_page_draws_the_sequence_relative_to_peak_hand_speed(
    client, coach, session
):
    swing = swings_of(session)[0]
    response = client.get(f"/athletes/swings/{swing.pk}/")
    figure = figure_of(response, "sequence")
    assert [trace["key"] for trace in figure["data"]] == [
        "pelvis_omega",
        "torso_omega",
        "lead_arm_omega",
        "bat_omega",
    ]
    zero = swing.events["peak_hand_speed"]["time_s"]
    assert figure["meta"]["time_zero_s"] == pytest.approx(zero)
    marks = {mark["name"]: mark["time"] for mark in figure["events"]}
    assert marks["peak_hand_speed"] == 0.0
    assert marks["foot_down"] == pytest.approx(
        1000 * (swing.events["foot_down"]["time_s"] - zero), abs=0.01
    )
    # The bat peaks after the hands.
    assert marks["reference"] > 0


def test_swing_without_a_bat_has_no_bat_curve_and_counts_from_the_hands(
    client, coach, session
):
    swing = swings_of(session)[-1]
    response = client.get(f"/athletes/swings/{swing.pk}/?tab=hands")
    keys = [trace["key"] for trace in figure_of(response, "sequence")["data"]]
    assert "bat_omega" not in keys
    assert "times from peak hand speed" in text_of(response)
    assert [t["key"] for t in figure_of(response, "detail")["data"]] == ["hand_speed"]
    assert "Bat tip" not in text_of(
        client.get(f"/athletes/swings/{swing.pk}/?tab=path")
    )


@pytest.mark.parametrize(
    ("tab", "keys"),
    [
        ("angles", {"pelvis_rotation", "lead_knee_flexion"}),
        ("separation", {"x_factor"}),
        ("hands", {"hand_speed", "bat_speed"}),
        ("energy", {"ke_total", "ke_bat"}),
        ("momentum", {"l_pelvis", "l_bat"}),
        ("path", {"bhead"}),
    ],
)
def test_swing_tabs_draw_their_curves(client, coach, session, tab, keys):
    swing = swings_of(session)[0]
    response = client.get(
        f"/athletes/swings/{swing.pk}/?tab={tab}", headers={"HX-Request": "true"}
    )
    assert b"<html" not in response.content
    assert keys <= {trace["key"] for trace in figure_of(response, "detail")["data"]}


def test_figure_has_the_bat_and_reads_the_same_for_both_hands(client, coach):
    for bats in ("R", "L"):
        session = make_session(player=make_player(dominant_hand_hitting=None))
        store_simulated(session, simulated_movements(bats=bats)[:1])
        run.analyze_session(session.pk)
        swing = swings_of(session)[0]
        figure = figure_of(client.get(f"/athletes/swings/{swing.pk}/"), "figure")
        lead = {
            figure["names"][a][0]
            for a, _, part in figure["bones"]
            if part == "lead_arm"
        }
        assert lead == {"l" if bats == "R" else "r"}
        assert "bat" in {part for _, _, part in figure["bones"]}
        zero = swing.events["peak_hand_speed"]["time_s"]
        assert figure["zero_s"] == pytest.approx(zero)


def test_waiting_movement_says_that_nothing_is_here(client, coach):
    movement = make_movement()
    response = client.get(f"/athletes/swings/{movement.pk}/")
    assert response.status_code == 200
    assert "Not analysed yet" in text_of(response)
    assert "not here yet" in text_of(response)


def test_walk_through_shows_what_was_recorded(client, coach, session):
    walk = session.movements.get(is_swing=False)
    response = client.get(f"/athletes/swings/{walk.pk}/")
    figure = figure_of(response, "sequence")
    assert figure["events"] == []
    assert figure["layout"]["xaxis"]["title"]["text"].startswith("Time from the start")
    assert "Not counted as a swing" in text_of(response)


def test_swing_links_to_its_neighbours(client, coach, session):
    movements = list(session.movements.in_session_order())
    body = client.get(f"/athletes/swings/{movements[1].pk}/").content.decode()
    assert f'rel="prev" href="/athletes/swings/{movements[0].pk}/' in body
    assert f'rel="next" href="/athletes/swings/{movements[2].pk}/' in body


def test_damaged_frames_leave_the_numbers_readable(client, coach, session):
    swing = swings_of(session)[0]
    swing.biomechanics.update(frames=b"broken")
    response = client.get(f"/athletes/swings/{swing.pk}/")
    assert response.status_code == 200
    assert "cannot be read" in text_of(response)
    assert "Headline numbers" in text_of(response)


def test_swing_page_takes_few_queries(
    client, coach, session, django_assert_max_num_queries
):
    swing = swings_of(session)[0]
    # session, user, movement, order, corrections, sides, means, stored, decisions,
    # curves, frames (one where a blob can be opened in place, else two)
    with django_assert_max_num_queries(12):
        client.get(f"/athletes/swings/{swing.pk}/")


def test_leaving_a_swing_out_needs_a_reason_and_changes_the_means(
    client, coach, session
):
    swing = swings_of(session)[0]
    url = f"/athletes/swings/{swing.pk}/inclusion/"
    client.post(url, {"inclusion": "excluded", "reason": " "})
    swing.refresh_from_db()
    assert swing.is_counted
    response = client.post(
        url,
        {
            "inclusion": "excluded",
            "reason": "checked swing",
            "next": f"/athletes/sessions/{session.pk}/",
        },
        follow=True,
    )
    swing.refresh_from_db()
    assert not swing.is_counted
    assert "4 of 5 count in means" in text_of(response)
    assert swing.inclusion_decisions.get().created_by == coach
    entry = AuditEntry.objects.get(action=Action.INCLUSION_CHANGED)
    assert (entry.subject_id, entry.player_number) == (swing.pk, session.player_id)


def test_inclusion_does_not_lead_to_other_hosts(client, coach, session):
    swing = swings_of(session)[0]
    response = client.post(
        f"/athletes/swings/{swing.pk}/inclusion/",
        {"inclusion": "excluded", "reason": "x", "next": "https://example.com/"},
    )
    assert response["Location"] == f"/athletes/swings/{swing.pk}/"


def event_form(swing, **changes):
    """What the form of the page posts when nothing but `changes` was typed."""
    data = {
        name: f"{swing.events[name]['time_s']:.3f}"
        for name in ("load", "first_move", "foot_down", "reference")
    }
    return data | changes


def test_moved_event_is_kept_and_taken_back(client, coach, session):
    swing = swings_of(session)[0]
    automatic = swing.events["foot_down"]["time_s"]
    url = f"/athletes/swings/{swing.pk}/events/"
    data = event_form(swing, foot_down=f"{automatic + 0.02:.3f}", reason="heel later")
    assert client.post(url, data).status_code == 302
    correction = EventCorrection.objects.get()
    assert correction.event == "foot_down"
    assert correction.automatic_time_s == pytest.approx(automatic)
    page = client.get(f"/athletes/swings/{swing.pk}/")
    assert "set by a person" in text_of(page)
    assert "heel later" in text_of(page)
    assert client.post(f"{url}foot_down/undo/").status_code == 302
    swing.refresh_from_db()
    assert swing.events["foot_down"]["time_s"] == pytest.approx(automatic)
    assert AuditEntry.objects.filter(action=Action.EVENT_MOVED).count() == 2


def test_event_outside_the_clip_is_refused_with_the_limits(client, coach, session):
    swing = swings_of(session)[0]
    response = client.post(
        f"/athletes/swings/{swing.pk}/events/", event_form(swing, foot_down="99")
    )
    assert response.status_code == 422
    assert "The time must lie between" in text_of(response)
    assert not EventCorrection.objects.exists()


def test_unchanged_events_are_not_moved(client, coach, session):
    swing = swings_of(session)[0]
    client.post(f"/athletes/swings/{swing.pk}/events/", event_form(swing))
    assert not EventCorrection.objects.exists()


# --- Home and definitions ------------------------------------------------------------


def test_home_lists_real_changes_of_the_last_week_of_data(client, coach):
    player = make_player(last_name="Maple")
    history_of(player, [900.0, 902.0, 898.0, 936.0])
    text = text_of(client.get("/"))
    assert "Maple" in text
    assert re.search(r"Shoulders peak Then 900 °/s Now 936 °/s Change \+36 °/s", text)


def test_home_says_once_that_a_session_waits(client, coach):
    make_session(data_state=DataState.WAITING, session_date=dt.date(2026, 3, 1))
    page = text_of(client.get("/"))
    assert page.count("Waiting for the vendor") == 1
    assert "no counted swings" not in page


def test_home_names_failed_sessions(client, coach):
    failed = make_session(data_state=DataState.FAILED)
    text = text_of(client.get("/"))
    assert (
        f"{failed.player.full_name} , Mar 1, 2026 : swings could not be fetched" in text
    )


def test_home_of_an_empty_facility_teaches(client, coach):
    assert "after the first sync" in text_of(client.get("/"))


@pytest.mark.parametrize("count", [1, 3])
def test_home_takes_the_same_queries_for_any_number_of_sessions(
    client, coach, count, django_assert_num_queries
):
    for _ in range(count):
        history_of(make_player(), [900.0, 910.0])
    # session, user, newest, history, sides, failed, quiet
    with django_assert_num_queries(7):
        client.get("/")


def test_definition_opens_as_page_and_as_fragment(client, coach):
    url = "/athletes/definitions/x_factor_max/"
    page = client.get(url)
    fragment = client.get(url, headers={"HX-Request": "true"})
    for response in (page, fragment):
        assert "The most the pelvis gets ahead of the shoulders." in text_of(response)
    assert b"<h1>" in page.content
    assert b"<h1>" not in fragment.content
    assert client.get("/athletes/definitions/no_such_metric/").status_code == 404


def test_definitions_list_every_metric(client, coach):
    from biomechanics.definitions import METRICS

    body = client.get("/athletes/definitions/").content.decode()
    for name in METRICS:
        assert f'id="{name}"' in body


# --- Compare -------------------------------------------------------------------------


def test_compare_holds_sessions_against_the_first(client, coach):
    player = make_player()
    keys = []
    for date, skip in ((dt.date(2026, 3, 1), 0), (dt.date(2026, 3, 8), 1)):
        session = make_session(player=player, session_date=date)
        store_simulated(session, simulated_movements()[skip:])
        run.analyze_session(session.pk)
        keys.append(f"session-{session.pk}")
    response = client.get(f"/athletes/compare/?items={','.join(keys)}")
    roles = [t.get("role") for t in figure_of(response, "overlay")["data"]]
    assert roles == ["band", "mean", "band", "mean"]
    delta = figure_of(response, "delta")["data"]
    assert [trace.get("role", "line") for trace in delta] == ["noise", "line"]
    assert "B against A" in text_of(response)


@pytest.mark.parametrize("align", ["load", "first_move", "foot_down", "percent"])
def test_compare_swings_of_both_hands_on_any_event(client, coach, align):
    keys = []
    for bats in ("R", "L"):
        session = make_session(player=make_player(dominant_hand_hitting=None))
        store_simulated(session, simulated_movements(bats=bats)[:1])
        run.analyze_session(session.pk)
        keys.append(f"swing-{swings_of(session)[0].pk}")
    response = client.get(
        f"/athletes/compare/?items={keys[0]}&items={keys[1]}&align={align}"
    )
    assert response.status_code == 200
    assert len(figure_of(response, "overlay")["data"]) == 2
    assert "These are different athletes" in text_of(response)


def test_compare_says_what_it_cannot_show(client, coach):
    player = make_player()
    response = client.get(
        f"/athletes/compare/?items=swing-999999,nonsense,athlete-{player.pk}"
    )
    text = text_of(response)
    assert "There is no swing 999999, or you may not see it." in text
    assert "“nonsense” is not something to compare." in text
    assert "Add a second swing, session or athlete" in text


def test_compare_finds_athletes_to_add(client, coach):
    player = make_player(last_name="Rowan")
    session = make_synced_session(player=player)
    response = client.get("/athletes/compare/?items=swing-1&q=row")
    assert f"session-{session.pk}" in response.content.decode()


def test_compare_of_the_same_numbers_finds_no_change(client, coach):
    player = make_player()
    sessions = history_of(player, [900.0, 900.0, 900.0])
    for session in sessions:
        session.movements.all().delete()
        for _ in range(3):
            make_swing({"peak_torso_omega": 900.0}, session=session)
    items = ",".join(f"session-{session.pk}" for session in sessions[:2])
    text = text_of(client.get(f"/athletes/compare/?items={items}"))
    assert "≈ no clear change" in text


@pytest.mark.parametrize("count", [2, 4])
def test_compare_takes_the_same_queries_for_any_number_of_items(
    client, coach, count, django_assert_num_queries
):
    player = make_player()
    sessions = history_of(player, [900.0] * count)
    items = ",".join(f"session-{session.pk}" for session in sessions)
    # session, user, sessions, movements, curves, history, sides
    with django_assert_num_queries(7):
        client.get(f"/athletes/compare/?items={items}")


# --- Kept out of pages ---------------------------------------------------------------


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


def test_movement_of_no_vendor_data_type_is_still_shown(client, coach):
    """A movement known from the metadata alone has a page and a line."""
    movement = make_movement()
    text = text_of(client.get(f"/athletes/sessions/{movement.session_id}/"))
    assert "Its frames are not here yet" in text
    assert Movement.objects.count() == 1
    assert Player.objects.count() == 1
    assert DataType.values == ["inverse-kinematics", "momentum-energy"]
