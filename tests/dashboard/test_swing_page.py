"""The page of a swing as a coach gets it, and what they decide there."""

from __future__ import annotations

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import Action, AuditEntry
from athletes.analysis import run
from athletes.display import unit_factor
from athletes.models import Movement
from tests.dashboard.page_contents import figure_of, numbers, swings_of, text_of
from tests.factories import (
    make_movement,
    make_player,
    make_session,
    make_swing,
    metric,
    simulated_movements,
    store_simulated,
)

pytestmark = pytest.mark.django_db

MPH_PER_M_PER_S = unit_factor("m/s", "imperial")


def test_swing_page_draws_the_sequence_relative_to_contact(client, coach, session):
    swing = swings_of(session)[0]
    response = client.get(f"/athletes/swings/{swing.pk}/")
    figure = figure_of(response, "sequence")
    assert [trace["key"] for trace in figure["data"]] == [
        "pelvis_omega",
        "torso_omega",
        "lead_arm_omega",
        "bat_omega",
    ]
    zero = swing.events["reference"]["time_s"]
    assert figure["meta"]["time_zero_s"] == pytest.approx(zero)
    marks = {mark["name"]: mark for mark in figure["events"]}
    assert marks["reference"]["time"] == 0.0
    assert marks["reference"]["label"] == "Contact (est.)"
    assert marks["foot_down"]["time"] == pytest.approx(
        1000 * (swing.events["foot_down"]["time_s"] - zero), abs=0.01
    )
    # The bat peaks after the hands.
    assert marks["peak_hand_speed"]["time"] < 0


def ms_between(swing, name, zero):
    times = [swing.events[one]["time_s"] for one in (name, zero)]
    return 1000 * (times[0] - times[1])


@pytest.mark.parametrize("align", ["reference", "load", "first_move", "foot_down"])
def test_aligning_a_swing_moves_the_zero_and_cuts_nothing(
    client, coach, session, align
):
    swing = swings_of(session)[0]
    response = client.get(f"/athletes/swings/{swing.pk}/?tab=hands&align={align}")
    figure = figure_of(response, "detail")
    low, high = figure["layout"]["xaxis"]["range"]
    contact = ms_between(swing, "reference", align)
    first = min(
        ms_between(swing, "load", align) - 50,
        ms_between(swing, "first_move", align) - 100,
    )
    # The ends are multiples of ten.
    assert low == pytest.approx(first, abs=10)
    assert low <= first
    assert high == pytest.approx(contact + 150, abs=10)
    assert high >= contact + 150
    (bat,) = [trace for trace in figure["data"] if trace["key"] == "bat_speed"]
    at_contact = numbers(bat, "y")[round((contact - bat["x0"]) / bat["dx"])]
    speed = swing.metrics["bat_speed_ref"]["value"] * MPH_PER_M_PER_S
    assert at_contact == pytest.approx(speed, rel=0.02)
    marks = {mark["name"]: mark["time"] for mark in figure["events"]}
    assert set(marks) >= {"load", "first_move", "foot_down", "reference"}
    assert marks[align] == 0.0
    assert all(low <= at <= high for at in marks.values())
    assert "so times are from contact" not in text_of(response)


def test_a_swing_in_percent_runs_from_first_move_to_contact(client, coach, session):
    swing = swings_of(session)[0]
    response = client.get(
        f"/athletes/swings/{swing.pk}/?align=percent&tab=hands&tables=all"
    )
    figure = figure_of(response, "sequence")
    marks = {mark["name"]: mark["time"] for mark in figure["events"]}
    assert (marks["first_move"], marks["reference"]) == (0.0, 100.0)
    lasting = ms_between(swing, "reference", "first_move") / 1000
    assert marks["foot_down"] == pytest.approx(
        ms_between(swing, "foot_down", "first_move") / lasting / 10, abs=0.01
    )
    meta = figure["meta"]
    assert meta["x_unit"] == "%"
    assert meta["time_zero_s"] == swing.events["first_move"]["time_s"]
    assert meta["time_per_x_s"] == pytest.approx(lasting / 100)
    low, high = figure["layout"]["xaxis"]["range"]
    assert low < 0
    assert high >= 100 + 0.15 / lasting * 100
    assert figure["layout"]["xaxis"]["title"]["text"] == (
        "Swing (%): 0 first move, 100 contact (est.)"
    )
    assert ">at (%)</th>" in response.content.decode()
    # The other curves keep the axis, and so do the next swings.
    assert "?tab=angles&amp;align=percent" in response.content.decode()
    assert figure_of(response, "detail")["meta"] == meta | {"y_unit": "mph"}


def test_a_swing_without_the_event_says_so_and_counts_from_contact(
    client, coach, session
):
    swing = swings_of(session)[0]
    swing.events["first_move"] = {"time_s": None, "rule": "none", "confidence": "low"}
    swing.save(update_fields=["events"])
    for align, words in (("percent", "first move or contact"), ("first_move", "")):
        response = client.get(f"/athletes/swings/{swing.pk}/?align={align}")
        said = f"No {words or 'first move'} was found in this swing, so times are from "
        assert f"{said}contact." in text_of(response)
        meta = figure_of(response, "sequence")["meta"]
        assert meta["time_zero_s"] == swing.events["reference"]["time_s"]
        assert meta["x_unit"] == "ms"


def test_a_swing_says_that_the_event_at_zero_is_unsure(client, coach, session):
    swing = swings_of(session)[0]
    address = f"/athletes/swings/{swing.pk}/?align=first_move"
    assert "is uncertain." not in text_of(client.get(address))
    swing.events["first_move"] |= {"confidence": "low"}
    swing.save(update_fields=["events"])
    assert "In this swing first move is uncertain." in text_of(client.get(address))


def test_swing_without_a_bat_has_no_bat_curve_and_counts_from_the_hands(
    client, coach, session
):
    with_bat, swing = swings_of(session)[0], swings_of(session)[-1]
    response = client.get(f"/athletes/swings/{with_bat.pk}/")
    assert "bat_omega" in {t["key"] for t in figure_of(response, "sequence")["data"]}
    path = client.get(f"/athletes/swings/{with_bat.pk}/?tab=path")
    assert "Bat tip" in text_of(path)
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
        zero = swing.events["reference"]["time_s"]
        assert figure["zero_s"] == pytest.approx(zero)


def test_waiting_movement_says_that_nothing_is_here(client, coach):
    movement = make_movement()
    response = client.get(f"/athletes/swings/{movement.pk}/")
    assert response.status_code == 200
    assert "Not analyzed yet" in text_of(response)
    assert "haven't arrived" in text_of(response)


def test_walk_through_shows_what_was_recorded(client, coach, session):
    walk = session.movements.get(is_swing=False)
    response = client.get(f"/athletes/swings/{walk.pk}/")
    figure = figure_of(response, "sequence")
    assert figure["events"] == []
    assert figure["layout"]["xaxis"]["title"]["text"].startswith("Time from the start")
    assert "Not a swing" in text_of(response)


def test_swing_links_to_its_neighbours(client, coach, session):
    movements = list(session.movements.in_session_order())
    body = client.get(f"/athletes/swings/{movements[1].pk}/").content.decode()
    assert f'rel="prev" href="/athletes/swings/{movements[0].pk}/' in body
    assert f'rel="next" href="/athletes/swings/{movements[2].pk}/' in body


@pytest.mark.both
def test_damaged_frames_leave_the_numbers_readable(client, coach, session):
    swing = swings_of(session)[0]
    swing.biomechanics.update(frames=b"broken")
    response = client.get(f"/athletes/swings/{swing.pk}/")
    assert response.status_code == 200
    assert "can't be read" in text_of(response)
    assert "Headline numbers" in text_of(response)


def test_swing_page_takes_few_queries(
    client, coach, session, django_assert_max_num_queries
):
    swing = swings_of(session)[0]
    # session, user, movement, order, corrections, sides, means, stored, decisions,
    # curves, frames (one where a blob can be opened in place, else two), what came by
    # hand, and notes
    with django_assert_max_num_queries(14):
        client.get(f"/athletes/swings/{swing.pk}/")


def test_tables_of_a_swing_come_when_they_are_asked_for(client, coach, session):
    path = f"/athletes/swings/{swings_of(session)[0].pk}/"
    tables = {
        "swing-numbers": ("numbers", "numbers-head", '<table class="stacks numbers'),
        "sequence-table": ("tables", "sequence-table", "Kinematic sequence at even"),
        "detail-table": ("tables", "detail-table", "Angles at even steps"),
    }
    plain = client.get(path + "?tab=angles").content.decode()
    for target, (name, place, words) in tables.items():
        assert words not in plain
        # Without a script it is one link away.
        query = f"?tab=angles&amp;{name}=all"
        assert f'href="{path}{query}#{place}"' in plain
        assert f'id="{place}"' in plain
        whole = client.get(path + query.replace("&amp;", "&"))
        assert words in whole.content.decode()
        part = client.get(
            path + query.replace("&amp;", "&"),
            headers={"HX-Request": "true", "HX-Target": target},
        )
        assert words in part.content.decode()
        assert "<h1>" not in part.content.decode()
        assert "HX-Target" in part["Vary"]
        assert "HX-Target" in whole["Vary"]


def test_a_swing_without_frames_has_no_table_of_its_charts(client, coach):
    swing = make_swing()
    part = client.get(
        f"/athletes/swings/{swing.pk}/?tables=all",
        headers={"HX-Request": "true", "HX-Target": "detail-table"},
    )
    assert part.status_code == 200
    assert b"<table" not in part.content


def test_a_swing_that_was_not_analyzed_is_not_said_to_be_no_swing(client, coach):
    text = text_of(client.get(f"/athletes/swings/{make_swing(is_swing=None).pk}/"))
    assert "No events yet: this movement hasn't been analyzed." in text
    assert "It doesn't move like a swing." not in text


@pytest.mark.both
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
    assert "4 of 5 included in averages" in text_of(response)
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


def test_swing_page_shows_how_sure_a_number_is(client, coach):
    swing = make_swing()
    doubt = "bat speed here is far below its maximum"
    swing.metrics = {
        "attack_angle": metric(8.0, "deg") | {"uncertainty": 2.1},
        "side_bend_ref": metric(28.0, "deg", "unusual: outside 5 to 25 deg")
        | {"uncertainty": 0.3},
        "pelvis_rot_ref": metric(80.0, "deg", doubt)
        | {"flagged": True, "uncertainty": None},
    }
    swing.save()
    page = client.get(f"/athletes/swings/{swing.pk}/?numbers=all").content.decode()
    sure = (
        '<span class="value__sd" title="Measurement uncertainty, one standard '
        'deviation">{}</span>'
    )
    # In the tile and in the table.
    assert page.count(sure.format("± 2°")) == 2
    assert page.count(sure.format("± 0.3°")) == 2
    assert f"Not in averages: {doubt}" in page
    assert "Not in averages: unusual" not in page
    assert 'metric-tile__note">unusual: outside 5 to 25 deg' in page
    assert f'value--flagged" title="{doubt}"' in page


def test_all_numbers_stay_whatever_is_chosen_after_them(client, coach, session):
    swing = swings_of(session)[0]
    path = f"/athletes/swings/{swing.pk}/"

    def asked(query, target, now):
        """What htmx gets for a part of the page whose address is now this."""
        return client.get(
            path + query,
            headers={
                "HX-Request": "true",
                "HX-Target": target,
                "HX-Current-URL": f"http://testserver{path}{now}",
            },
        )

    now = "?tab=angles&align=foot_down"
    # The link is of the page as it came, the tab was chosen after that.
    answer = asked("?numbers=all", "swing-numbers", now)
    assert answer["HX-Push-Url"] == f"{path}{now}&numbers=all"
    kept = '<span id="align-keeps" hidden hx-swap-oob="true">'
    inputs = '<input type="hidden" name="{}" value="{}">'
    both = inputs.format("tab", "{}") + inputs.format("numbers", "all")
    assert kept + both.format("angles") in answer.content.decode()
    answer = asked("?tab=hands&align=foot_down", "swing-detail", now + "&numbers=all")
    assert answer["HX-Push-Url"] == f"{path}?tab=hands&align=foot_down&numbers=all"
    body = answer.content.decode()
    assert kept + both.format("hands") in body
    assert "?tab=angles&amp;align=foot_down&amp;numbers=all" in body
    answer = asked("?tab=hands", "swing-detail", "?tab=angles")
    assert "HX-Push-Url" not in answer
    assert b"numbers=all" not in answer.content


def test_tables_that_the_address_asks_for_stay_with_the_next_tab(
    client, coach, session
):
    path = f"/athletes/swings/{swings_of(session)[0].pk}/"
    for query in ("?tab=angles", "?tab=angles&tables=all"):
        body = client.get(path + query).content.decode()
        has_tables = "tables" in query
        assert ('href="?tab=hands&amp;tables=all"' in body) == has_tables
        kept = '<input type="hidden" name="tables" value="all">'
        # Of the event that is aligned on, and of whose angles are shown.
        assert body.count(kept) == (2 if has_tables else 0)
    part = client.get(
        f"{path}?tab=hands&tables=all",
        headers={"HX-Request": "true", "HX-Target": "swing-detail"},
    ).content.decode()
    assert "Hand" in part
    assert "<table" in part


def test_swing_is_titled_with_the_name_before_the_date(client, coach, session):
    swing = session.movements.filter(is_swing=True).in_session_order()[0]
    day = date_format(session.session_date, "M j")
    body = client.get(f"/athletes/swings/{swing.pk}/").content.decode()
    title = f"{session.player.full_name} · {day} · Swing {swing.position}"
    assert f"<h1>{title}</h1>" in body
    assert f"<title>{title} ·" in body


def test_what_is_no_swing_is_not_counted_among_them(client, coach):
    session = make_session()
    first, second = make_swing(session=session), make_swing(session=session)
    walk = make_movement(session=session, is_swing=False)
    page = client.get(f"/athletes/swings/{second.pk}/").context["page"]
    assert (page.number, page.total) == (2, 2)
    assert (page.previous_id, page.next_id) == (first.pk, None)
    # Its own page leads back to the swings, and does not count it among them.
    answer = client.get(f"/athletes/swings/{walk.pk}/")
    page = answer.context["page"]
    assert page.previous_id
    assert (page.number, page.total) == (None, 2)
    assert "Not one of the 2 swings" in answer.content.decode()
    Movement.objects.filter(pk=first.pk).update(missing_since=timezone.now())
    page = client.get(f"/athletes/swings/{first.pk}/").context["page"]
    assert (page.number, page.total) == (None, 1)


def test_contact_stands_once_among_the_events_and_says_when_it_is_estimated(
    client, coach, session
):
    swing = swings_of(session)[0]

    def labels():
        rows = client.get(f"/athletes/swings/{swing.pk}/").context["page"].listed_events
        return [row.label for row in rows]

    assert swing.events["reference"]["rule"] == "bat_peak"
    assert labels().count("Contact (est.)") == 1
    contact = swing.events["reference"] | {"rule": "contact"}
    swing.events |= {"contact": contact, "reference": contact}
    swing.save(update_fields=["events"])
    assert labels().count("Contact") == 1
    assert "Contact (est.)" not in labels()
