"""The charts of a comparison: sides, bands, events, and where curves differ."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import pytest

from athletes.analysis import run, session_summary
from athletes.frames.curves import store_packed
from athletes.frames.packing import pack
from athletes.models import Session
from dashboard.selectors.compare_keys import parse_items
from dashboard.selectors.compare_page import DRAWN, DrawnLimits, compare_page
from tests.dashboard.page_contents import (
    figure_of,
    numbers,
    swings_of,
    text_of,
)
from tests.factories import (
    make_player,
    make_session,
    make_swing,
    simulated_movements,
    store_simulated,
)

pytestmark = pytest.mark.django_db

FIVE = (-20.0, -10.0, 0.0, 10.0, 20.0)


def session_with_curves(player, *, middle, offsets, bump=0.0, early=0.0):
    """Swings whose torso turns at `middle` and an offset, which fades along the swing.

    `bump` is added from 60 to 20 ms before contact, `early` from 300 to 200.
    """
    session = make_session(player=player)
    time_s = np.arange(501) / 500.0
    for place, offset in enumerate(offsets):
        swing = make_swing(
            {"peak_torso_omega": middle + offset},
            session=session,
            events={
                "reference": {"time_s": 0.8, "rule": "contact"},
                "first_move": {"time_s": 0.5, "rule": "rule"},
            },
        )
        wave = np.sin(2 * np.pi * (time_s / 0.4 + place / len(offsets)))
        omega = middle + offset * (1.0 + 0.2 * wave)
        omega += bump * ((time_s > 0.739) & (time_s < 0.781))
        omega += early * ((time_s > 0.499) & (time_s < 0.601))
        store_packed({swing.pk: pack({"time": time_s, "torso_omega": omega})})
    return session


def traces_of(response, role):
    return [
        trace
        for trace in figure_of(response, "delta")["data"]
        if trace.get("role", "line") == role
    ]


def test_compare_says_where_the_curves_differ_and_which_way(client, coach):
    player = make_player()
    old = session_with_curves(player, middle=500.0, offsets=FIVE)
    new = session_with_curves(
        player, middle=500.0, offsets=FIVE, bump=60.0, early=-60.0
    )
    keys = f"session-{old.pk},session-{new.pk}"
    response = client.get(f"/athletes/compare/?items={keys}")
    assert (
        "B compared with A: torso slower from 300 to 200 ms before contact and faster "
        "from 60 to 20 ms before contact." in text_of(response)
    )
    (band,) = traces_of(response, "noise")
    assert numbers(band, "lower") == pytest.approx(-numbers(band, "upper"))
    (difference,) = traces_of(response, "line")
    (clear,) = traces_of(response, "mean")
    at = clear["x0"] + clear["dx"] * np.arange(len(numbers(clear, "y")))
    shown = np.isfinite(numbers(clear, "y"))
    assert at[shown].min() == pytest.approx(-300.0, abs=0.1)
    assert at[shown].max() == pytest.approx(-20.0, abs=0.1)
    assert np.nanmax(numbers(difference, "y")) == pytest.approx(60.0, abs=1.0)
    # Two means of five with a scatter of 15.8 each: a standard error of 10, times
    # Student's t for one look (2.3) and less than for a look at each sample (4).
    assert numbers(band, "upper").min() > 23.0
    assert numbers(band, "upper").max() < 40.0
    # What is thick is what leaves the band that is drawn.
    outside = np.abs(numbers(difference, "y")) > numbers(band, "upper")
    assert (outside == shown).all()
    percent = client.get(f"/athletes/compare/?items={keys}&align=percent")
    assert "faster from 80 to 93% of the swing" in text_of(percent)


@pytest.mark.parametrize("added", [1.8, 2.0])
def test_differences_in_the_table_of_curves_are_those_of_the_values(
    client, coach, added
):
    player = make_player()
    # In whole numbers 501 and 502 would stand beside a difference of 2.
    old = session_with_curves(player, middle=500.6, offsets=(0.0,) * 3)
    new = session_with_curves(player, middle=500.6 + added, offsets=(0.0,) * 3)
    keys = f"session-{old.pk},session-{new.pk}"
    body = client.get(f"/athletes/compare/?items={keys}").content.decode()
    table = body.split("Table of these charts")[1].split("</table>")[0]
    assert re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', table)[1:] == [
        "A",
        "B",
        "B − A",
    ]
    rows = re.findall(r'<td class="num">(.*?)</td>', table, re.S)
    cells = {re.sub(r"<[^>]+>|\s|°/s", "", cell) for cell in rows}
    wanted = {1.8: {"500.6", "502.4", "+1.8"}, 2.0: {"501", "503", "+2"}}
    assert cells == wanted[added]
    # No second table says it otherwise.
    assert "Difference over time" not in body


def test_curves_of_several_sessions_are_not_called_faster(client, coach):
    """Their swings' scatter does not tell how days differ."""
    player = make_player()
    old = session_with_curves(player, middle=500.0, offsets=FIVE)
    for day in (2, 3):
        new = session_with_curves(player, middle=500.0, offsets=FIVE, bump=60.0)
        new.session_date = dt.date(2026, 3, day)
        new.save()
        session_summary.refresh_session_summary(new.pk)
    words = f"session-{old.pk},range-{player.pk}-20260302-20260303"
    text = text_of(client.get(f"/athletes/compare/?items={words}"))
    assert "torso faster" not in text
    assert (
        "B compared with A: where they differ is not described, because several "
        "sessions are averaged and days vary too. See the numbers." in text
    )
    other = make_player()
    one = session_with_curves(other, middle=500.0, offsets=FIVE, bump=60.0)
    Session.objects.filter(pk=one.pk).update(session_date=dt.date(2026, 3, 2))
    session_summary.refresh_session_summary(one.pk)
    # A date range of one session is as that session.
    words = f"session-{old.pk},range-{other.pk}-20260302-20260303"
    assert "torso faster" in text_of(client.get(f"/athletes/compare/?items={words}"))


def test_each_item_has_a_band_of_its_own(client, coach):
    player = make_player()
    keys = [
        f"session-{session_with_curves(player, middle=at, offsets=offsets).pk}"
        for at, offsets in (
            (500.0, FIVE),
            (500.0, FIVE),
            (500.0, tuple(3 * one for one in FIVE + FIVE)),
        )
    ]
    response = client.get(f"/athletes/compare/?items={','.join(keys)}")
    b, c = traces_of(response, "noise")
    assert (b["key"], c["key"]) == ("b", "c")
    middle = len(numbers(b, "upper")) // 2
    assert numbers(c, "upper")[middle] != pytest.approx(numbers(b, "upper")[middle])
    text = text_of(response)
    for letter in "BC":
        assert f"{letter} compared with A: no clear difference at any time." in text


def test_single_swings_are_held_against_the_swings_around_them(client, coach):
    player = make_player()
    a = session_with_curves(player, middle=500.0, offsets=FIVE)
    b = session_with_curves(player, middle=530.0, offsets=(*FIVE, 0.0))
    one, other = swings_of(a)[0], swings_of(b)[0]
    for keys in ((one, other), swings_of(b)[:2]):
        items = ",".join(f"swing-{swing.pk}" for swing in keys)
        response = client.get(f"/athletes/compare/?items={items}")
        assert len(traces_of(response, "noise")) == 1
        assert "no clear difference at any time" in text_of(response)


def test_no_grey_band_where_too_little_is_known(client, coach):
    player = make_player()
    keys = [
        f"session-{session_with_curves(player, middle=at, offsets=(0.0, 9.0)).pk}"
        for at in (500.0, 530.0)
    ]
    response = client.get(f"/athletes/compare/?items={','.join(keys)}")
    assert traces_of(response, "noise") == []
    text = text_of(response)
    assert text.count("needs 5 included swings or more on each side") == 1
    assert "Gray:" not in text


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


def bat_at_contact(figure, key, at):
    """The bat speed of one side at a place of the axis."""
    (line,) = [one for one in figure["data"] if one["key"] == key and "y" in one]
    return numbers(line, "y")[round((at - line["x0"]) / line["dx"])]


def test_bat_speed_at_contact_is_on_the_chart_whatever_is_aligned(client, coach):
    """Both contacts, each with its own mark, at the speed that the metric has."""
    swings = []
    for bats in ("R", "L"):
        session = make_session(player=make_player(dominant_hand_hitting=None))
        store_simulated(session, simulated_movements(bats=bats)[:1])
        run.analyze_session(session.pk)
        swings.append(swings_of(session)[0])
    items = ",".join(f"swing-{swing.pk}" for swing in swings)
    for align in ("load", "first_move", "foot_down"):
        address = f"/athletes/compare/?items={items}&align={align}&series=bat_speed"
        figure = figure_of(client.get(address), "overlay")
        low, high = figure["layout"]["xaxis"]["range"]
        ends = {}
        for letter, swing in zip("ab", swings, strict=True):
            times = {name: one["time_s"] for name, one in swing.events.items()}
            contact = 1000 * (times["reference"] - times[align])
            ends[letter] = contact
            (mark,) = [
                one
                for one in figure["events"]
                if one["name"] == "reference" and one["side"] == letter
            ]
            assert mark["time"] == pytest.approx(contact, abs=0.01)
            assert mark["sign"] == letter.upper()
            speed = swing.metrics["bat_speed_ref"]["value"] * 2.23694
            drawn = bat_at_contact(figure, letter, contact)
            assert drawn == pytest.approx(speed, rel=0.02)
            assert low <= 1000 * (times["first_move"] - times[align]) - 100
        assert max(ends.values()) + 150 <= high <= max(ends.values()) + 160
        # Where they meet there is one line without a letter.
        assert [one for one in figure["events"] if one["name"] == align] == [
            {
                "name": align,
                "time": 0.0,
                "label": {"load": "Load", "first_move": "Move"}.get(align, "Foot down"),
                "rule": "",
                "movable": False,
            }
        ]


def test_single_swings_are_drawn_when_asked_for(client, coach):
    player = make_player()
    old = session_with_curves(player, middle=500.0, offsets=FIVE)
    new = session_with_curves(player, middle=520.0, offsets=(0.0,))
    address = f"/athletes/compare/?items=session-{old.pk},session-{new.pk}"
    plain = client.get(address)
    assert [one.get("role") for one in figure_of(plain, "overlay")["data"]] == [
        "band",
        "mean",
        "mean",
    ]
    response = client.get(f"{address}&each=on")
    singles = [
        one
        for one in figure_of(response, "overlay")["data"]
        if one.get("role") == "single"
    ]
    # One swing alone is its own line already.
    assert [one["key"] for one in singles] == ["a"] * 5
    (mean,) = [
        one
        for one in figure_of(response, "overlay")["data"]
        if one.get("role") == "mean" and one["key"] == "a"
    ]
    assert singles[0]["dx"] == 2 * mean["dx"]
    drawn = np.mean([numbers(one, "y") for one in singles], axis=0)
    assert drawn == pytest.approx(numbers(mean, "y")[::2], abs=1e-2)
    body = response.content.decode()
    assert 'id="id_each" checked' in body
    # The links of the page keep it, and its form does not ask twice.
    assert "&amp;each=on" in body
    form = body.split('id="overlay-head"')[1].split("</form>")[0]
    assert form.count('name="each"') == 1


def test_sides_have_their_letter_and_a_is_what_the_others_are_held_against(
    client, coach
):
    player = make_player()
    keys = [
        f"session-{session_with_curves(player, middle=at, offsets=FIVE).pk}"
        for at in (500.0, 520.0, 540.0)
    ]
    response = client.get(f"/athletes/compare/?items={','.join(keys)}")
    overlay, delta = figure_of(response, "overlay"), figure_of(response, "delta")
    tags = {one["key"]: one["tag"] for one in overlay["data"] if "tag" in one}
    assert tags == {"a": "A", "b": "B", "c": "C"}
    assert overlay["meta"]["against"] == "a"
    names = [(one["name"], one["tag"]) for one in delta["data"] if "tag" in one]
    assert names == [("B − A", "B"), ("C − A", "C")]
    assert delta["layout"]["xaxis"] == overlay["layout"]["xaxis"]


def test_compare_names_swings_that_have_no_percent(client, coach):
    player = make_player()
    old = session_with_curves(player, middle=500.0, offsets=FIVE)
    new = session_with_curves(player, middle=500.0, offsets=FIVE)
    swing = swings_of(new)[0]
    swing.events = {"reference": swing.events["reference"]}
    swing.save(update_fields=["events"])
    keys = f"session-{old.pk},session-{new.pk}"
    words = "B: 1 swing excluded, because no first move or contact was found."
    response = client.get(f"/athletes/compare/?items={keys}&align=percent")
    assert words in text_of(response)
    figure = figure_of(response, "overlay")
    # First move 300 ms before contact: 100 ms are a third of the swing.
    assert figure["layout"]["xaxis"]["range"] == [-40, 150]
    assert {(one["name"], one["time"]) for one in figure["events"]} == {
        ("first_move", 0.0),
        ("reference", 100.0),
    }
    assert "left out" not in text_of(client.get(f"/athletes/compare/?items={keys}"))


def test_mean_says_over_how_many_swings_it_is_where_clips_are_short(client, coach):
    player = make_player()
    old = session_with_curves(player, middle=500.0, offsets=(*FIVE, 1.0, 2.0, 3.0))
    new = session_with_curves(player, middle=500.0, offsets=FIVE)
    time_s = np.arange(90) / 500.0 + 0.7
    for swing in swings_of(old)[5:]:
        short = pack({"time": time_s, "torso_omega": 500.0 + time_s})
        store_packed({swing.pk: short})
    response = client.get(
        f"/athletes/compare/?items=session-{old.pk},session-{new.pk}&series=torso_omega"
    )
    words = "A: the average is over 5 of 8 swings; the other clips are too short."
    assert words in text_of(response)
    assert "B: the average is over" not in text_of(response)
    means = [
        one
        for one in figure_of(response, "overlay")["data"]
        if one.get("role") == "mean"
    ]
    assert [one["n"] for one in means] == [5, 5]
    response = client.get(f"/athletes/sessions/{old.pk}/?series=torso_omega")
    text = text_of(response)
    assert "8 swings (average of 5), aligned on contact" in text
    assert "3 swings drawn but not in the average: the clip is too short." in text
    assert "8 swings (averages of 5), aligned on contact" in text
    assert "; over 5 swings." in text


def test_compare_leaves_out_swings_whose_event_at_zero_is_unsure(client, coach):
    player = make_player()
    old = session_with_curves(player, middle=500.0, offsets=FIVE)
    new = session_with_curves(player, middle=500.0, offsets=FIVE)
    swing = swings_of(new)[0]
    swing.events["first_move"] |= {"time_s": 0.1, "confidence": "low"}
    swing.save(update_fields=["events"])
    keys = f"session-{old.pk},session-{new.pk}"
    address = "/athletes/compare/?align=first_move&items="
    response = client.get(f"{address}{keys}")
    assert "B: 1 swing excluded, because first move is uncertain." in text_of(response)
    # Its 500 ms to contact would have put the others' contact elsewhere.
    (contact,) = {
        one["time"]
        for one in figure_of(response, "overlay")["events"]
        if one["name"] == "reference"
    }
    assert contact == pytest.approx(300.0, abs=0.1)
    # Alone it is drawn, and it is said.
    response = client.get(f"{address}session-{old.pk},swing-{swing.pk}")
    assert "B: in this swing first move is uncertain." in text_of(response)
    assert len(figure_of(response, "overlay")["data"]) >= 3


def test_compare_names_swings_without_the_curve_and_by_another_rule(client, coach):
    player = make_player()
    old = session_with_curves(player, middle=500.0, offsets=FIVE)
    new = session_with_curves(player, middle=500.0, offsets=FIVE)
    bare, other = swings_of(new)[:2]
    store_packed(
        {bare.pk: pack({"time": np.arange(501) / 500.0, "x_factor": np.ones(501)})}
    )
    other.events["first_move"] |= {"rule": "manual"}
    other.automatic_events = {"first_move": {"time_s": 0.4, "rule": "another"}}
    other.save(update_fields=["events", "automatic_events"])
    address = f"/athletes/compare/?items=session-{old.pk},session-{new.pk}"
    response = client.get(f"{address}&series=torso_omega&align=first_move")
    text = text_of(response)
    assert (
        "B: 1 swing excluded, because first move was found there by a different rule."
        in text
    )
    assert "B: 1 swing excluded, without a curve of" in text
    assert "A: 1 swing excluded" not in text


def page_of(coach, words, **choices):
    keys, _ = parse_items([words])
    asked = {"series": "", "align": "reference", "system": "metric"} | choices
    return compare_page(coach, keys, **asked)


def test_of_many_swings_the_newest_are_drawn_and_the_numbers_are_of_all(coach):
    player = make_player()
    days = []
    for week, middle in enumerate((300.0, 500.0)):
        session = session_with_curves(player, middle=middle, offsets=FIVE)
        session.session_date = dt.date(2026, 3, 2 + 7 * week)
        session.save()
        session_summary.refresh_session_summary(session.pk)
        days.append(session)
    other = session_with_curves(make_player(), middle=400.0, offsets=FIVE[:3])
    words = f"range-{player.pk}-20260301-20260331,session-{other.pk}"
    choices = {"series": "torso_omega", "each": True}

    def middle_of(page):
        return numbers(
            next(t for t in page.curves.overlay["data"] if t.get("role") == "mean"), "y"
        ).mean()

    def single_lines(page):
        return [t for t in page.curves.overlay["data"] if t.get("role") == "single"]

    every = page_of(coach, words, **choices)
    assert (every.drawn_of, every.curves.left_out) == ((), ())
    assert middle_of(every) == pytest.approx(400.0, abs=2.0)
    assert len(single_lines(every)) == 10 + 3
    few = page_of(coach, words, **choices, limits=DrawnLimits(swings=4, each=2))
    assert few.drawn_of == (
        "A: lines and figures are of the latest 4 of 10 swings; the numbers are of "
        "all.",
    )
    # The last four of the later session: its offsets are -10, 0, 10 and 20.
    assert middle_of(few) == pytest.approx(505.0, abs=2.0)
    assert few.curves.left_out == (
        "A: of 4 single swings the latest 2 are drawn.",
        "B: of 3 single swings the latest 2 are drawn.",
    )
    assert len(single_lines(few)) == 2 + 2
    assert few.figures.drawn[0].why == "typical of 4 included swings"
    for page in (every, few):
        (torso,) = [row for row in page.rows if row.definition.id == "peak_torso_omega"]
        assert [cell.n for cell in torso.cells] == [10, 3]


def test_page_says_of_how_many_swings_its_lines_are(client, coach):
    player = make_player()
    session = make_session(player=player)
    for _ in range(DRAWN.swings + 1):
        make_swing({"peak_torso_omega": 500.0}, session=session)
    other = session_with_curves(player, middle=400.0, offsets=FIVE[:3])
    response = client.get(
        f"/athletes/compare/?items=session-{session.pk},session-{other.pk}"
    )
    assert "lines and figures are of the latest 200 of 201 swings" in text_of(response)
