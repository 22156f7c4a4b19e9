"""A switch hitter has two swings: nothing that is compared joins them."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import re
import zipfile
from collections import Counter
from statistics import fmean, stdev

import numpy as np
import pytest
from django.urls import reverse
from pypdf import PdfReader

from athletes import decisions
from athletes.admin.metrics_csv import metrics_csv
from athletes.analysis import percentiles, run, session_summary, summaries
from athletes.analysis.changes import session_changes
from athletes.analysis.history import histories, newest_side, of_side, sides_in
from athletes.frames import curves as stored_curves
from athletes.frames.format import CLOCK
from athletes.frames.packing import pack
from athletes.models import Movement, Player, Session
from biomechanics.definitions import METHOD_VERSION, NUMERIC_HEADLINES
from biomechanics.variance import published_prior
from dashboard.selectors.compare_keys import parse_items
from privacy.archive import write_archive
from sharing import links
from sharing.models import SavedComparison
from sharing.sheet import athlete_sheet, session_sheet
from tests.dashboard.page_contents import figure_of, text_of
from tests.factories import (
    make_player,
    make_session,
    make_swing,
    make_token,
    make_user,
    simulated_movements,
    store_simulated,
)
from tests.shared_rows import rows_shared

pytestmark = pytest.mark.django_db

METRIC = "peak_hand_speed"
RULE = {"reference": {"time_s": 1.0, "rule": "hand_peak"}}
DAY = dt.date(2026, 3, 1)

# Hand speeds in m/s. The left swing is the slower one; it became faster, while the
# right one stayed. Of all swings together the mean says neither, since the last session
# has more from the left.
RIGHT = [
    (10.0, 10.1, 9.9, 10.0),
    (10.1, 10.0, 9.9, 10.0),
    (10.0, 9.9, 10.0, 10.1),
    (10.0, 10.1, 9.9),
]
LEFT = [
    (8.0, 8.1, 7.9),
    (8.1, 8.0, 7.9),
    (8.0, 7.9, 8.1),
    (8.6, 8.7, 8.5, 8.6, 8.6),
]


def swings(session, side, speeds, metric="peak_hand_speed"):
    for speed in speeds:
        make_swing(
            {metric: speed},
            session=session,
            side=side,
            events=RULE,
            method_version=METHOD_VERSION,
        )


def session_of(player, week, right=(), left=(), **fields):
    """A session whose swings from each side have these hand speeds, in turn."""
    session = make_session(
        player=player,
        session_date=DAY + dt.timedelta(weeks=week),
        swing_count=len(right) + len(left),
        data_synced=True,
        data_state="complete",
        **fields,
    )
    swings(session, "right", right)
    swings(session, "left", left)
    session_summary.refresh_session_summary(session.pk)
    return session


@rows_shared
def switch():
    player = make_player(dominant_hand_hitting="switch", last_name="Twohand")
    for week, (right, left) in enumerate(zip(RIGHT, LEFT, strict=True)):
        session_of(player, week, right, left)
    summaries.refresh_player_summaries([player.pk])
    return player


@rows_shared
def righty():
    player = make_player()
    for week, right in enumerate(RIGHT):
        session_of(player, week, right)
    summaries.refresh_player_summaries([player.pk])
    return player


@pytest.fixture
def coach(client):
    user = make_user(units="metric")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return user


def history_of(player, *names):
    names = names or NUMERIC_HEADLINES
    return histories(Session.objects.all(), [player.pk], names)[player.pk]


def published(metric, basis):
    """A facility in which nobody says anything of anybody else."""
    return published_prior(metric)


def newest_of(player):
    return player.sessions.order_by("session_date").last()


# --- Means of each side ---------------------------------------------------------------


def test_a_session_of_both_sides_has_a_point_for_each(switch):
    points = history_of(switch)["peak_hand_speed"]
    assert [point.basis.side for point in points] == ["right", "left"] * 4
    for place, (right, left) in enumerate(zip(RIGHT, LEFT, strict=True)):
        for point, values in zip(
            points[2 * place : 2 * place + 2], (right, left), strict=True
        ):
            assert point.n == len(values)
            assert point.mean == pytest.approx(fmean(values))
            assert point.sd == pytest.approx(stdev(values))
            assert point.is_part
    assert points[0].basis.label.startswith("batting right · ")


def test_what_is_kept_and_what_is_computed_are_the_same(switch):
    kept = history_of(switch)
    assert set(newest_of(switch).summary["sides"]) == {"right", "left"}
    for session in switch.sessions.all():
        del session.summary["sides"]  # as before sides were told apart
        session.save()
    assert history_of(switch) == kept


def test_a_metric_that_is_not_kept_is_computed_of_each_side(switch):
    session = newest_of(switch)
    swings(session, "right", [500.0, 520.0], "com_speed_max")
    swings(session, "left", [300.0], "com_speed_max")
    session_summary.refresh_session_summary(session.pk)
    points = history_of(switch, "peak_hand_speed", "com_speed_max")["com_speed_max"]
    assert {p.basis.side: (p.n, p.mean) for p in points} == {
        "right": (2, 510.0),
        "left": (1, 300.0),
    }


def test_a_metric_that_the_first_side_lacks_is_there_of_the_second(switch):
    session = newest_of(switch)
    swings(session, "left", [300.0, 310.0], "com_speed_max")
    session_summary.refresh_session_summary(session.pk)
    (point,) = history_of(switch, "com_speed_max")["com_speed_max"]
    assert (point.basis.side, point.n, point.mean) == ("left", 2, 305.0)


def test_who_swings_from_one_side_reads_as_ever(righty):
    points = history_of(righty)["peak_hand_speed"]
    assert [point.mean for point in points] == pytest.approx(
        [fmean(values) for values in RIGHT]
    )
    assert {point.basis.side for point in points} == {"right"}
    assert points[0].basis.label == (
        "no setup recorded · times from: peak hand speed · single-camera"
    )
    assert not any(point.is_part for point in points)


def test_an_unknown_side_is_a_group_of_its_own(righty):
    session = newest_of(righty)
    swings(session, None, [20.0, 20.2])
    session_summary.refresh_session_summary(session.pk)
    history = history_of(righty)
    assert sides_in(history) == ("right", "")
    (point,) = of_side(history, "")["peak_hand_speed"]
    assert (point.n, point.mean) == (2, pytest.approx(20.1))
    assert point.basis.label.startswith("batting side not known")
    (change,) = (
        c for c in session_changes(history, session.pk, published) if c.basis.side == ""
    )
    assert (change.verdict, change.now) == ("unknown", pytest.approx(20.1))


def test_a_swing_that_does_not_count_makes_no_second_side(righty, coach):
    session = newest_of(righty)
    bunt = make_swing({"peak_hand_speed": 3.0}, session=session, side="left")
    decisions.set_inclusion(
        movement=bunt, inclusion="excluded", reason="Bunt.", user=coach
    )
    for _ in ("kept", "computed"):
        points = history_of(righty)["peak_hand_speed"]
        assert {point.basis.side for point in points} == {"right"}
        assert points[-1].mean == pytest.approx(fmean(RIGHT[-1]))
        session.refresh_from_db()
        session.summary.pop("sides", None)
        session.save()


def test_moved_events_keep_their_rule_on_each_side(switch):
    session = newest_of(switch)
    for swing in session.movements.filter(side="left"):
        swing.events = {"reference": {"time_s": 1.1, "rule": "manual"}}
        swing.automatic_events = RULE
        swing.save()
    session_summary.refresh_session_summary(session.pk)
    kept = history_of(switch)["peak_hand_speed"]
    assert {point.basis.rule for point in kept} == {"hand_peak"}
    Session.objects.update(summary={})
    assert history_of(switch)["peak_hand_speed"] == kept


@pytest.mark.parametrize("count", [1, 4])
def test_history_takes_as_many_queries_for_one_session_as_for_four(
    count, django_assert_num_queries
):
    player = make_player()
    for week in range(count):
        session_of(player, week, RIGHT[week])
    with django_assert_num_queries(2):
        history_of(player)
    for week in range(count):
        session_of(player, week + 4, RIGHT[week], LEFT[week])
    with django_assert_num_queries(3):
        history_of(player)
    Session.objects.update(summary={})
    with django_assert_num_queries(4):
        history_of(player)


# --- Changes --------------------------------------------------------------------------


def test_change_is_held_against_the_same_side(switch):
    history = history_of(switch)
    last = history["peak_hand_speed"][-1].session_id
    stayed, faster = session_changes(history, last, published)
    assert (stayed.real, faster.real) == (False, True)
    assert faster.before == pytest.approx(8.0)
    assert faster.delta == pytest.approx(0.6)
    assert (faster.n_before, faster.n_now) == (9, 5)
    assert stayed.before == pytest.approx(10.0, abs=0.01)
    assert (stayed.side, faster.side) == ("batting right", "batting left")
    # The left side, which stays within 0.1 m/s, has a variation of its own.
    assert 0 < faster.needed < 0.6


def test_home_tells_the_change_of_the_side_that_changed(client, coach, switch):
    response = client.get("/")
    card = response.context["page"].newest[0]
    assert card.compared
    assert [(change.side, change.now) for change in card.changes] == [
        ("batting left", pytest.approx(8.6))
    ]
    page = response.content.decode()
    assert "Hand speed, batting left" in page
    link = reverse("dashboard:athlete", args=[switch.pk])
    assert f'href="{link}?metric=peak_hand_speed&amp;side=left"' in page


def test_home_says_no_side_of_others(client, coach, righty):
    session_of(righty, 4, [12.0, 12.1, 11.9])
    page = client.get("/").content.decode()
    assert "Hand speed" in page
    assert "batting" not in page
    assert "side=" not in page


# --- The athlete's page ---------------------------------------------------------------


def trend_of(response):
    return [
        trace["y"]
        for trace in figure_of(response, "trend-chart")["data"]
        if "y" in trace
    ]


def test_athlete_page_is_of_the_side_of_most_swings_in_the_newest_session(
    client, coach, switch
):
    assert newest_side(history_of(switch)) == "left"
    response = client.get(f"/athletes/{switch.pk}/")
    assert trend_of(response) == [pytest.approx([8.0, 8.0, 8.0, 8.6])]
    text = text_of(response)
    assert "Latest session batting left" in text
    assert "5 included swings" in text
    assert (
        "Peak hand speed, batting left: 0.6 m/s faster than the last 3 "
        "sessions (8.0 m/s → 8.6 m/s), more than their usual variation" in text
    )
    assert "4 session averages from the other side, or with a different setup" in text
    assert "batting left · no setup recorded" in text


def test_athlete_page_of_the_other_side_when_asked(client, coach, switch):
    response = client.get(f"/athletes/{switch.pk}/?side=right")
    assert trend_of(response) == [pytest.approx([10.0, 10.0, 10.0, 10.0])]
    text = text_of(response)
    assert "Peak hand speed, batting right: about the same (10.0 m/s" in text
    assert "batting left" not in text.split("Sessions")[0]


def test_both_lines_are_drawn_apart_on_request(client, coach, switch):
    response = client.get(f"/athletes/{switch.pk}/?mixed=1")
    assert trend_of(response) == [
        pytest.approx([10.0, 10.0, 10.0, 10.0]),
        pytest.approx([8.0, 8.0, 8.0, 8.6]),
    ]


def test_list_of_sessions_has_a_speed_for_each_side(client, coach, switch):
    page = client.get(f"/athletes/{switch.pk}/").content.decode()
    row = page.split('id="sessions"')[1].split("<tbody")[1].split("</tr>")[0]
    words = " ".join(re.sub(r"<[^>]+>", " ", row).split())
    assert re.search(r"8\.6 .*batting left 10\.0 .*batting right", words), words


def test_page_of_one_side_says_no_side(client, coach, righty):
    page = client.get(f"/athletes/{righty.pk}/").content.decode()
    assert "batting" not in page.lower()
    assert "side=" not in page
    same = client.get(f"/athletes/{righty.pk}/?side=left").content.decode()
    assert trend_of(client.get(f"/athletes/{righty.pk}/?side=left")) == [
        pytest.approx([fmean(values) for values in RIGHT])
    ]
    assert "batting" not in same.lower()


# --- Among the facility's athletes ----------------------------------------------------


def crowd():
    for place in range(percentiles.LEAST_ATHLETES):
        session_of(make_player(), 0, [9.0 + place / 10] * 3)
    summaries.refresh_player_summaries(Player.objects.values_list("pk", flat=True))


def test_no_percentile_of_a_session_of_both_sides(client, coach, switch):
    crowd()
    text = text_of(client.get(f"/athletes/{switch.pk}/"))
    assert "No percentile: this session has swings from both sides." in text
    assert "of 21 lower" not in text


def test_percentile_of_a_newest_session_of_one_side_but_not_of_the_other(
    client, coach, switch
):
    session_of(switch, 4, right=[10.0, 10.1, 10.0])
    session_of(switch, 5, left=[8.6] * 3)
    crowd()
    text = text_of(client.get(f"/athletes/{switch.pk}/"))
    assert "0 of 21 lower" in text
    assert "For a switch hitter the number is the average of both sides" in text
    other = text_of(client.get(f"/athletes/{switch.pk}/?side=right"))
    assert "No percentile: it is from the latest session, on the other side." in other
    assert "of 21 lower" not in other


def test_of_others_the_percentile_says_nothing_of_switch_hitters(client, coach, righty):
    crowd()
    text = text_of(client.get(f"/athletes/{righty.pk}/"))
    assert "of 21 lower" in text
    assert "switch hitter" not in text.lower()


# --- Compare ------------------------------------------------------------------------


def compared(response):
    """Of each item of the first row its mean, its n and what is said of it."""
    (row,) = [r for r in response.context["page"].rows if r.definition.id == METRIC]
    return [(cell.mean, cell.n, cell.change and cell.change.real) for cell in row.cells]


def compare(client, *items):
    return client.get(reverse("dashboard:compare"), {"items": ",".join(items)})


def test_two_sessions_are_held_against_each_other_on_one_side(client, coach, switch):
    before, after = switch.sessions.order_by("session_date")[2:]
    response = compare(client, f"session-{before.pk}", f"session-{after.pk}")
    # Of all the swings there are 7 from the right and 8 from the left.
    assert compared(response) == [
        (pytest.approx(8.0), 3, None),
        (pytest.approx(8.6), 5, True),
    ]
    text = text_of(response)
    assert f"{switch.full_name}, Mar 15, 2026, batting left 3 swings included" in text
    assert f"{switch.full_name}, Mar 22, 2026, batting left 5 swings included" in text
    one = compare(client, f"session-{before.pk}-right", f"session-{after.pk}")
    assert compared(one) == [
        (pytest.approx(10.0), 4, None),
        (pytest.approx(10.0), 3, False),
    ]


def test_both_sides_of_a_session_can_be_held_against_each_other(client, coach, switch):
    key = f"session-{newest_of(switch).pk}"
    response = compare(client, f"{key}-right", f"{key}-left")
    assert compared(response) == [
        (pytest.approx(10.0), 3, None),
        (pytest.approx(8.6), 5, True),
    ]
    assert "a clear difference between them is not a change" in text_of(response)


def test_a_comparison_of_one_side_is_saved_with_it(client, coach, switch):
    key = f"session-{newest_of(switch).pk}"
    items = f"{key}-right,{key}-left,athlete-{switch.pk}-left"
    page = compare(client, *items.split(",")).content.decode()
    assert "Save this comparison</button>" in page
    client.post(
        reverse("sharing:save_comparison"), {"items": items, "name": "Both sides"}
    )
    saved = SavedComparison.objects.get()
    opened = client.get(reverse("sharing:comparison", args=[saved.pk]))
    assert f"?items={items}&" in opened["Location"]
    listed = text_of(client.get(reverse("sharing:comparisons")))
    day = "Mar 22, 2026"
    assert f"{switch.full_name}, {day}, batting right" in listed
    assert f"{switch.full_name}, {day}, batting left" in listed
    assert f"{switch.full_name}, batting left" in listed


def test_scatter_is_that_of_the_side(client, coach, switch):
    # Wild from the left, as ever from the right.
    for session in switch.sessions.all():
        left = session.movements.filter(side="left")[:3]
        for swing, off in zip(left, (-2, 0, 2), strict=True):
            swing.metrics[METRIC]["value"] = 8.0 + off
            swing.save()
        session_summary.refresh_session_summary(session.pk)
    before, after = switch.sessions.order_by("session_date")[2:]
    response = compare(
        client, f"session-{before.pk}-right", f"session-{after.pk}-right"
    )
    (row,) = response.context["page"].rows
    right = row.cells[1].change
    response = compare(client, f"session-{before.pk}-left", f"session-{after.pk}-left")
    (row,) = response.context["page"].rows
    assert row.cells[1].change.needed > 5 * right.needed
    assert right.needed < 0.5


def test_a_swing_is_held_against_the_scatter_of_its_own_side(client, coach, switch):
    session = newest_of(switch)
    left, other = session.movements.filter(side="left")[:2]
    response = compare(client, f"swing-{left.pk}", f"swing-{other.pk}")
    for item in response.context["page"].items:
        assert {swing.side for swing in item.around} == {"left"}
    assert "batting" not in text_of(response)


def test_an_athlete_is_compared_by_one_side(client, coach, switch, righty):
    response = compare(client, f"athlete-{righty.pk}", f"athlete-{switch.pk}")
    # The right-handed hitter's side is the one that both have.
    assert [item.side for item in response.context["page"].items] == ["right"] * 2
    assert [n for _, n, _ in compared(response)] == [11, 11]
    told = "11 swings included · last 3 sessions · No setup recorded"
    words = f"{switch.full_name}, batting right {told}"
    assert words in text_of(response)
    assert f"{righty.full_name} {told}" in text_of(response)


@pytest.mark.parametrize("item", ["session-1-up", "session-1-", "swing-1-left", "x-1"])
def test_what_is_no_side_is_refused(item):
    assert parse_items([item]) == ((), (f"“{item}” is not something to compare.",))


def test_comparison_of_one_side_says_no_side(client, coach, righty):
    one, other = righty.sessions.order_by("session_date")[:2]
    response = compare(client, f"session-{one.pk}", f"session-{other.pk}")
    assert "batting" not in text_of(response)
    assert [item.detail for item in response.context["page"].items] == [
        "4 swings included"
    ] * 2


# --- The swing's page ---------------------------------------------------------------


def test_a_swing_stands_beside_the_mean_of_its_side(client, coach, switch):
    left = newest_of(switch).movements.filter(side="left").first()
    page = text_of(client.get(f"/athletes/swings/{left.pk}/"))
    assert "session average batting left 8.6 m/s, 5 swings" in page
    assert "included in averages batting left" in page


def test_a_swing_of_one_side_stands_beside_the_session_mean(client, coach, righty):
    swing = newest_of(righty).movements.first()
    page = text_of(client.get(f"/athletes/swings/{swing.pk}/"))
    assert "session average 10.0 m/s, 3 swings" in page
    assert "batting" not in page


# --- The session's page -------------------------------------------------------------


def session_at(client, session, **query):
    address = reverse("dashboard:session", args=[session.pk])
    return client.get(address, {"numbers": "all"} | query)


def tiles_of(response):
    """The mean of the hand speed of each part that the page tells of."""
    return [
        (part.key, part.counted, part.first_means[0].value)
        for part in response.context["page"].parts
    ]


def test_session_tells_of_each_side_by_itself(client, coach, switch):
    response = session_at(client, newest_of(switch))
    assert tiles_of(response) == [
        ("right", 3, pytest.approx(10.0)),
        ("left", 5, pytest.approx(8.6)),
    ]
    text = text_of(response)
    assert "8 of 8 included in averages, 3 batting right and 5 batting left" in text
    assert "together" not in text.replace("Both together", "")
    assert "Batting right: average ± SD of 3" in text
    assert "Batting left: average ± SD of 5" in text
    # Over all eight it would be 9.1.
    assert "9.1 m/s" not in text


@pytest.mark.parametrize(
    ("side", "counted", "mean"), [("right", 3, 10.0), ("left", 5, 8.6)]
)
def test_session_of_one_side_on_request(client, coach, switch, side, counted, mean):
    response = session_at(client, newest_of(switch), side=side)
    assert tiles_of(response) == [(side, counted, pytest.approx(mean))]
    page = response.context["page"]
    assert {swing.side for swing in page.swings} == {side}
    assert f"{counted} of {counted} included in averages" in text_of(response)
    assert f'name="side" value="{side}"' in response.content.decode()


def test_session_of_both_together_says_so(client, coach, switch):
    response = session_at(client, newest_of(switch), side="both")
    every = [*RIGHT[-1], *LEFT[-1]]
    assert tiles_of(response) == [("both", 8, pytest.approx(fmean(every)))]
    text = text_of(response)
    assert "3 batting right and 5 batting left together" in text
    assert "Both sides are averaged together here" in text
    assert "Both sides together: average ± SD of 8" in text
    assert "9.1 m/s" in text


def test_side_alone_comes_for_htmx(client, coach, switch):
    response = client.get(
        reverse("dashboard:session", args=[newest_of(switch).pk])
        + "?side=left&numbers=all",
        headers={"HX-Request": "true", "HX-Target": "session-swings"},
    )
    assert b"<html" not in response.content
    assert "Batting left: average" in text_of(response)
    assert 'aria-current="true">Batting left<' in response.content.decode()


@pytest.mark.parametrize("side", ["", "left", "both", "up"])
def test_session_of_one_side_has_nothing_to_choose(client, coach, righty, side):
    response = session_at(client, newest_of(righty), side=side)
    assert tiles_of(response) == [("", 3, pytest.approx(10.0))]
    text = text_of(response)
    assert "3 of 3 included in averages " in text
    assert "batting" not in text.lower()
    assert "Average ± SD of 3" in text


@pytest.mark.parametrize("left", [[8.0], LEFT[-1]])
@pytest.mark.parametrize("side", ["", "left", "both"])
def test_session_of_both_sides_takes_no_more_queries(
    client, coach, side, left, django_assert_max_num_queries
):
    session = session_of(make_player(), 0, RIGHT[0], left)
    with django_assert_max_num_queries(20):
        session_at(client, session, side=side)


@rows_shared
def recorded():
    """Eight swings with curves: of those from the left all is slower."""
    session = make_session(data_state="complete", data_synced=True)
    store_simulated(session, simulated_movements(swings=8))
    run.analyze_session(session.pk)
    swings = list(session.movements.filter(is_swing=True).in_session_order())
    left = [swing.pk for swing in swings[::2]][:3]
    Movement.objects.filter(pk__in=left).update(side="left")
    slower = {}
    for pk, curves in stored_curves.load_curves(left).items():
        values = {name: 0.8 * curve for name, curve in curves.values.items()}
        packed = pack({CLOCK: curves.time_s, **values})
        slower[pk] = packed
    stored_curves.store_packed(slower)
    session_summary.refresh_session_summary(session.pk)
    session.refresh_from_db()
    return session


def means_drawn(response):
    """The largest value of each mean curve, by the side in its name."""
    figure = figure_of(response, "session-curves-chart")
    found = {}
    for trace in figure["data"]:
        if trace.get("role") == "mean":
            y = np.frombuffer(base64.b64decode(trace["y"]["bdata"]), dtype="<f4")
            found[trace["name"]] = float(np.nanmax(y))
    return found


def test_curves_have_a_mean_for_each_side(client, coach, recorded):
    apart = means_drawn(session_at(client, recorded, series="torso_omega"))
    assert list(apart) == ["Average, batting right", "Average, batting left"]
    right, left = apart.values()
    assert left == pytest.approx(0.8 * right, rel=0.05)
    alone = means_drawn(session_at(client, recorded, series="torso_omega", side="left"))
    assert alone == {"Average": pytest.approx(left)}
    every = means_drawn(session_at(client, recorded, series="torso_omega", side="both"))
    assert left * 1.02 < every["Average"] < right * 0.98
    response = session_at(client, recorded, series="torso_omega")
    counts = Counter(
        swing.side for swing in response.context["page"].swings if swing.counted
    )
    # The swing without a bat has another reference event.
    assert (
        f"{counts['right'] - 1} swings batting right and 3 swings batting left, aligned"
    ) in response.context["curves"].caption
    assert "Average, batting left" in text_of(response)


def test_each_side_has_its_own_typical_swing(client, coach, recorded):
    def typical(**query):
        response = session_at(client, recorded, **query)
        return {
            tile.swing.side: tile.swing.id
            for tile in response.context["strip"]
            if tile.is_typical
        }

    apart = typical()
    assert set(apart) == {"right", "left"}
    assert typical(side="left") == {"left": apart["left"]}
    # Also where their means are together: no swing is typical of both sides.
    assert typical(side="both") == apart


def test_each_side_has_its_own_fastest_swing(client, coach, recorded):
    response = session_at(client, recorded)
    fastest = {
        tile.swing.side: tile
        for tile in response.context["strip"]
        if tile.fastest is not None
    }
    assert set(fastest) == {"right", "left"}
    for side, tile in fastest.items():
        name = tile.fastest.definition.id
        speeds = [
            swing.reading(name).value
            for swing in response.context["page"].swings
            if swing.counted and swing.side == side
        ]
        assert tile.swing.reading(name).value == max(v for v in speeds if v)


# --- The list -----------------------------------------------------------------------


def test_list_says_over_what_a_switch_hitters_speeds_are(client, coach, righty):
    words = "A switch hitter's speeds are averages over all swings"
    assert words not in text_of(client.get("/athletes/"))
    make_player(dominant_hand_hitting="switch")
    assert words in text_of(client.get("/athletes/"))


# --- What leaves the house ----------------------------------------------------------


def test_sheet_is_of_one_side_and_says_so(switch):
    sheet = athlete_sheet(switch, Session.objects.all(), units="metric")
    assert sheet.facts == (
        *("Switch hitter", "No setup recorded", "5 included swings", "Batting left"),
        "3 swings from the other side not included",
    )
    (row,) = sheet.rows
    assert (row.before, row.before_n, row.now, row.n) == ("8.0", "9", "8.6", "5")
    assert row.change_words == "More than usual"
    assert "batting left: 0.6 m/s faster" in sheet.findings[0]
    assert "same side, setup, timing event" in sheet.remarks[0]
    right = athlete_sheet(switch, Session.objects.all(), units="metric", side="right")
    (row,) = right.rows
    assert (row.before, row.now, row.n) == ("10.0", "10.0", "3")
    assert "Batting right" in right.facts


def test_sheet_of_a_session_has_the_sides_of_that_session(switch):
    both = newest_of(switch)
    alone = session_of(switch, 6, right=[10.5, 10.6, 10.4])
    sheet = session_sheet(both, Session.objects.all(), units="metric", side="right")
    assert (sheet.rows[0].now, sheet.side_key) == ("10.0", "right")
    sheet = session_sheet(alone, Session.objects.all(), units="metric", side="left")
    assert (sheet.rows[0].now, sheet.rows[0].n) == ("10.5", "3")
    assert "Batting right" in sheet.facts
    assert sheet.side_choices == ()


def test_sheet_of_one_side_says_no_side(righty):
    sheet = athlete_sheet(righty, Session.objects.all(), units="metric", side="left")
    assert sheet.facts == ("Bats right", "No setup recorded", "3 included swings")
    assert "same setup, timing event" in sheet.remarks[0]
    assert sheet.side_choices == ()


def test_sheet_page_and_file_follow_the_side(client, coach, switch):
    address = reverse("sharing:athlete", args=[switch.pk])
    page = client.get(address, {"side": "right"}).content.decode()
    assert ".pdf?side=right" in page
    assert "Batting right</bdi>" in page
    file = client.get(
        reverse("sharing:athlete_pdf", args=[switch.pk]), {"side": "right"}
    )
    words = "".join(p.extract_text() for p in PdfReader(io.BytesIO(file.content)).pages)
    assert "Batting right" in words
    assert "3 included swings" in words


def test_shared_link_shows_either_side(client, coach, switch):
    _, token = links.make_link(by=coach, player=switch)
    address = reverse("shared", args=[token])
    assert "Batting left</bdi>" in client.get(address).content.decode()
    page = client.get(address, {"side": "right"}).content.decode()
    assert "Batting right</bdi>" in page


def test_json_has_the_means_of_each_side(client, switch):
    session = newest_of(switch)
    answer = client.get(f"/sessions/{session.pk}/metrics", headers=make_token())
    metric = answer.json()["metrics"][METRIC]
    # What was there before is as it was: all swings together.
    assert metric["n"] == 8
    assert metric["mean"] == pytest.approx(fmean([*RIGHT[-1], *LEFT[-1]]))
    assert [
        (row["side"], row["n"], row["mean"], row["sd"], row["event_rule"])
        for row in metric["sides"]
    ] == [
        (
            side,
            len(values),
            pytest.approx(fmean(values)),
            pytest.approx(stdev(values)),
            "hand_peak",
        )
        for side, values in (("left", LEFT[-1]), ("right", RIGHT[-1]))
    ]
    assert [row["side"] for row in metric["values"]] == ["right"] * 3 + ["left"] * 5


def test_json_of_one_side_has_the_same_mean_twice(client, righty):
    session = newest_of(righty)
    answer = client.get(f"/sessions/{session.pk}/metrics", headers=make_token())
    metric = answer.json()["metrics"][METRIC]
    (row,) = metric["sides"]
    assert (row["side"], row["n"]) == ("right", metric["n"])
    assert row["mean"] == pytest.approx(metric["mean"])


def lines_of(text):
    return [
        (row["side"], int(row["n"]), pytest.approx(float(row["mean"])))
        for row in csv.DictReader(io.StringIO(text))
        if row["metric"] == METRIC
    ]


def test_files_say_from_which_side(switch, righty):
    both, one = newest_of(switch), newest_of(righty)
    together = fmean([*RIGHT[-1], *LEFT[-1]])
    wanted = [("both", 8, together), ("right", 3, 10.0), ("left", 5, 8.6)]
    assert lines_of("".join(metrics_csv([both]))) == wanted
    assert lines_of("".join(metrics_csv([one]))) == [("right", 3, 10.0)]
    file = io.BytesIO()
    write_archive(switch, file)
    with zipfile.ZipFile(file) as archive:
        text = archive.read("session_metrics.csv").decode()
    rows = lines_of(text)
    assert [row for row in rows if row[0] == "both"][-1] == wanted[0]
    assert [row for row in rows if row[0] != "both"][-2:] == wanted[1:]


@pytest.mark.parametrize("lacking", ["left", "right"])
def test_a_side_without_the_number_does_not_hide_the_other(lacking):
    player = make_player(dominant_hand_hitting="switch")
    other = {"left": "right", "right": "left"}[lacking]
    session = session_of(player, 0, **{other: (9.0, 9.2)})
    swings(session, lacking, (None, None))
    session_summary.refresh_session_summary(session.pk)
    points = histories(Session.objects.all(), [player.pk], [METRIC])[player.pk][METRIC]
    assert [(p.basis.side, p.n, p.mean) for p in points] == [
        (other, 2, pytest.approx(9.1))
    ]


def test_percentile_over_all_setups_is_of_the_number_beside_it(client, coach, switch):
    session_of(switch, 4, right=[10.0, 10.1, 10.0])
    session_of(switch, 5, left=[8.6] * 3)
    days = Session.objects.filter(player=switch).order_by("-session_date")[:2]
    for day, condition in zip(days, ("front_toss", "tee"), strict=True):
        day.condition = condition
        decisions.save_conditions(day)
    crowd()
    shown = text_of(client.get(f"/athletes/{switch.pk}/?side=right"))
    assert "10.0 m/s" in shown
    assert "on the other side." in shown
    assert not re.search(r"10\.0 m/s\s+0 of 2\d lower", shown)
