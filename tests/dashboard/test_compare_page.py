"""The page of a comparison as a coach gets it."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import pytest

from athletes.analysis import run, session_summary
from athletes.frames.curves import store_packed
from athletes.frames.packing import pack
from athletes.models import Session
from biomechanics.definitions import METHOD_VERSION
from dashboard.selectors.compare_keys import parse_items
from dashboard.selectors.compare_page import DRAWN, DrawnLimits, compare_page
from tests.dashboard.page_contents import (
    figure_of,
    history_of,
    numbers,
    swings_of,
    text_of,
)
from tests.factories import (
    make_player,
    make_session,
    make_swing,
    make_synced_session,
    metric,
    simulated_movements,
    store_simulated,
)

pytestmark = pytest.mark.django_db


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
    assert [trace.get("role", "line") for trace in delta] == ["line"]
    assert "not enough yet, it needs 5 included swings or more" in text_of(response)
    assert "B − A" in text_of(response)


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


FIVE = (-20.0, -10.0, 0.0, 10.0, 20.0)


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
    words = "A: the mean is over 5 of 8 swings; the other clips are too short."
    assert words in text_of(response)
    assert "B: the mean is over" not in text_of(response)
    means = [
        one
        for one in figure_of(response, "overlay")["data"]
        if one.get("role") == "mean"
    ]
    assert [one["n"] for one in means] == [5, 5]
    response = client.get(f"/athletes/sessions/{old.pk}/?series=torso_omega")
    text = text_of(response)
    assert "8 swings (mean of 5), aligned on contact" in text
    assert "3 swings drawn but not in the mean: the clip is too short." in text
    assert "8 swings (means of 5), aligned on contact" in text
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
    assert "B: 1 swing excluded, because first move is unsure." in text_of(response)
    # Its 500 ms to contact would have put the others' contact elsewhere.
    (contact,) = {
        one["time"]
        for one in figure_of(response, "overlay")["events"]
        if one["name"] == "reference"
    }
    assert contact == pytest.approx(300.0, abs=0.1)
    # Alone it is drawn, and it is said.
    response = client.get(f"{address}session-{old.pk},swing-{swing.pk}")
    assert "B: in this swing first move is unsure." in text_of(response)
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


def test_compare_says_what_it_cannot_show(client, coach):
    player = make_player()
    response = client.get(
        f"/athletes/compare/?items=swing-999999,nonsense,athlete-{player.pk}"
    )
    text = text_of(response)
    assert "There is no swing 999999, or you can't see it." in text
    assert "“nonsense” is not something to compare." in text
    assert "Add a second swing, session, date range or athlete" in text


def first_words(client, *items):
    """What stands behind each letter: the day of the session, or the swing."""
    response = client.get(f"/athletes/compare/?items={','.join(items)}")
    return [shown["item"].label for shown in response.context["items"]]


def test_sessions_of_one_athlete_stand_by_date_however_they_were_chosen(client, coach):
    player = make_player(first_name="Ada", last_name="Quill")
    old, middle, new = history_of(player, [900.0, 910.0, 950.0])
    undated = make_session(player=player, session_date=None)
    keys = [f"session-{one.pk}" for one in (new, old, middle)]
    days = [f"Mar {day}, 2026" for day in (1, 8, 15)]
    assert first_words(client, *keys) == [f"Ada Quill, {day}" for day in days]
    # Of an undated one nobody knows whether it was before or after.
    for mixed in ([keys[0], f"session-{undated.pk}"], [*keys, f"session-{undated.pk}"]):
        response = client.get(f"/athletes/compare/?items={','.join(mixed)}")
        shown = [str(one["item"].key) for one in response.context["items"]]
        assert shown == mixed
        assert "always newer minus older" not in text_of(response)
    response = client.get(f"/athletes/compare/?items={','.join(keys[:2])}")
    # The newer minus the older, and nobody can turn that round.
    assert response.context["swap_url"] == ""
    assert not any(shown["first_url"] for shown in response.context["items"])
    assert "a difference is always newer minus older" in text_of(response)
    swings = [f"swing-{swings_of(one)[0].pk}" for one in (new, old)]
    assert first_words(client, *swings) == ["Ada Quill, swing 1"] * 2
    shown = client.get(f"/athletes/compare/?items={','.join(swings)}").context["items"]
    assert [str(one["item"].key) for one in shown] == swings[::-1]
    assert [one["item"].letter for one in shown] == ["A", "B"]


def test_the_last_two_sessions_are_compared_as_newer_minus_older(client, coach):
    player = make_player()
    _, old, new = history_of(player, [880.0, 900.0, 950.0])
    page = client.get(f"/athletes/{player.pk}/").content.decode()
    assert f"?items=session-{old.pk},session-{new.pk}" in page


def test_other_things_stay_in_the_order_in_which_they_were_chosen(client, coach):
    player, other = make_player(last_name="Quill"), make_player(last_name="Rowan")
    (one,), (two,) = history_of(player, [900.0]), history_of(other, [900.0])
    make_session(player=player, session_date=dt.date(2026, 5, 1))
    for keys in (
        [f"session-{two.pk}", f"session-{one.pk}", f"session-{two.pk + 1}"],
        [f"athlete-{player.pk}", f"session-{one.pk}"],
        [f"swing-{swing.pk}" for swing in reversed(swings_of(one)[:2])],
    ):
        response = client.get(f"/athletes/compare/?items={','.join(keys)}")
        shown = [str(one["item"].key) for one in response.context["items"]]
        assert shown == [key for key in keys if key in shown]
        assert len(shown) >= 2


def test_any_of_different_athletes_may_be_the_baseline(client, coach):
    (one,), (two,), (three,) = (history_of(make_player(), [900.0]) for _ in range(3))
    keys = [f"session-{session.pk}" for session in (one, two, three)]
    pair = client.get(f"/athletes/compare/?items={','.join(keys[:2])}&align=foot_down")
    swap = pair.context["swap_url"]
    assert f"?items={keys[1]},{keys[0]}&" in swap
    assert swap.endswith("&align=foot_down")
    turned = client.get(f"/athletes/compare/{swap}")
    assert [str(item.key) for item in turned.context["page"].items] == keys[1::-1]
    # Twice is as before.
    assert f"?items={keys[0]},{keys[1]}&" in turned.context["swap_url"]
    of_three = client.get(f"/athletes/compare/?items={','.join(keys)}")
    assert of_three.context["swap_url"] == ""
    first, second, third = (one["first_url"] for one in of_three.context["items"])
    assert first == ""
    assert f"?items={keys[1]},{keys[0]},{keys[2]}&" in second
    assert f"?items={keys[2]},{keys[0]},{keys[1]}&" in third


def test_compare_finds_athletes_to_add(client, coach):
    player = make_player(last_name="Rowan")
    session = make_synced_session(player=player)
    response = client.get("/athletes/compare/?items=swing-1&q=row")
    assert f"session-{session.pk}" in response.content.decode()


def torso_session(player, day, middle, version=METHOD_VERSION):
    """Five swings around `middle`, 10 °/s apart, with their stored averages."""
    session = make_session(player=player, session_date=dt.date(2026, 3, day))
    for offset in (-20.0, -10.0, 0.0, 10.0, 20.0):
        make_swing(
            {"peak_torso_omega": middle + offset},
            session=session,
            method_version=version,
        )
    session_summary.refresh_session_summary(session.pk)
    session.session_metrics.update(method_version=version)
    return session


def test_compare_tells_sessions_apart_by_swings_and_days(client, coach):
    player = make_player()
    keys = [
        f"session-{torso_session(player, day, middle).pk}"
        for day, middle in enumerate((900.0, 905.0, 895.0, 902.0, 898.0, 1100.0), 1)
    ]
    rows = client.get(f"/athletes/compare/?items={','.join(keys)}").context["page"].rows
    (row,) = (row for row in rows if row.definition.id == "peak_torso_omega")
    first, *others = row.cells
    assert first.change is None
    assert [cell.change.verdict for cell in others] == [
        *["no_clear_change"] * 4,
        "real",
    ]
    assert others[-1].change.delta == pytest.approx(200.0)
    # B − A stands there always: what is about the same in gray, and what it needs.
    deltas = [str(cell.printed.delta) for cell in others]
    assert deltas == ["+5°/s", "−5°/s", "+2°/s", "−2°/s", "+200°/s"]
    assert [cell.difference.words for cell in others] == [
        *["About the same"] * 4,
        "More than usual",
    ]
    assert [cell.difference.is_change for cell in others] == [*[False] * 4, True]
    response = client.get(f"/athletes/compare/?items={keys[4]},{keys[0]}")
    text = text_of(response)
    assert re.search(r"B − A −2 °/s About the same · needs ± ?\d+ °/s", text), text
    assert "900 °/s" in text
    page = response.content.decode()
    assert page.count("change--none") == 1
    assert "change__mark" not in page
    changed = client.get(
        f"/athletes/compare/?items={keys[0]},{keys[5]}"
    ).content.decode()
    assert re.search(
        r'class="change change--real".*?<svg class="change__mark"', changed
    )


def torso_cells(client, *words):
    """The cells of the torso's speed of what an address names."""
    rows = client.get(f"/athletes/compare/?items={','.join(words)}").context["page"]
    (row,) = (one for one in rows.rows if one.definition.id == "peak_torso_omega")
    return row.cells


def test_numbers_of_two_versions_of_the_method_are_not_comparable(client, coach):
    player = make_player()
    old = torso_session(player, 1, 900.0, "2025.9")
    middles = enumerate((902.0, 898.0, 901.0, 1200.0), 2)
    *_, new = [torso_session(player, day, middle) for day, middle in middles]
    cell = torso_cells(client, f"session-{old.pk}", f"session-{new.pk}")[1]
    assert (cell.difference.change.verdict, cell.difference.is_change) == (
        "unknown",
        False,
    )
    assert cell.difference.words == "Not comparable"
    assert cell.difference.apart == "a different version of the method"
    response = client.get(f"/athletes/compare/?items=session-{old.pk},session-{new.pk}")
    assert (
        "Not comparable · They were computed with different versions of the method."
        in text_of(response)
    )
    assert "More than usual" not in text_of(response)


def test_a_number_of_several_sessions_is_by_one_version_of_the_method(client, coach):
    player = make_player()
    torso_session(player, 1, 600.0, "2025.9")
    for day, middle in enumerate((902.0, 898.0), 2):
        torso_session(player, day, middle)
    other = torso_session(make_player(), 2, 900.0)
    cell = torso_cells(client, f"athlete-{player.pk}", f"session-{other.pk}")[0]
    assert (cell.mean, cell.n) == (pytest.approx(900.0), 10)
    assert cell.remark == "5 swings excluded: a different version of the method"


def test_a_difference_is_printed_although_nobody_knows_what_is_usual(client, coach):
    sessions = [make_session(player=make_player()) for _ in range(2)]
    for session, value in zip(sessions, (900.0, 950.0), strict=True):
        make_swing({"peak_torso_omega": value}, session=session)
    response = client.get(
        f"/athletes/compare/?items=session-{sessions[0].pk},session-{sessions[1].pk}"
    )
    assert "B − A +50 °/s Not enough yet" in text_of(response)


def test_a_difference_of_two_athletes_is_no_change(client, coach):
    """It has its band, and neither an arrow nor the words of a change."""
    keys = []
    for middle in (900.0, 1200.0):
        player = make_player()
        days = [torso_session(player, day, middle) for day in (1, 2, 3)]
        keys.append(f"session-{days[-1].pk}")
    response = client.get(f"/athletes/compare/?items={','.join(keys)}")
    (row,) = response.context["page"].rows
    difference = row.cells[1].difference
    assert (difference.is_clear, difference.is_change) == (True, False)
    assert difference.apart == "different athletes"
    text = text_of(response)
    assert re.search(r"\+300 °/s Clear difference · needs ± ?\d+ °/s", text), text
    assert "More than usual" not in text
    assert "change__mark" not in response.content.decode()


def test_a_difference_of_two_setups_is_no_change(client, coach):
    player = make_player()
    sessions = [
        torso_session(player, day, middle)
        for day, middle in ((1, 900.0), (2, 902.0), (3, 901.0), (4, 1200.0))
    ]
    sessions[-1].condition = "live"
    sessions[-1].save()
    for session in sessions:
        session_summary.refresh_session_summary(session.pk)
    response = client.get(
        f"/athletes/compare/?items=session-{sessions[0].pk},session-{sessions[3].pk}"
    )
    (row,) = response.context["page"].rows
    assert row.cells[1].difference.apart == "a different setup"
    assert not row.cells[1].difference.is_change
    assert "The setups differ." in text_of(response)


def test_a_row_adds_up_as_it_is_printed(client, coach):
    """37.6, 39.4 and 38.2 are 38, 39 and 38, whose differences would be 1 and 0."""
    keys = []
    for value in (37.6, 39.4, 38.2):
        session = make_session(player=make_player())
        for offset in (-1.0, 0.0, 1.0):
            make_swing({"attack_angle": value + offset}, session=session)
        keys.append(f"session-{session.pk}")
    response = client.get(f"/athletes/compare/?items={','.join(keys)}")
    (row,) = response.context["page"].rows
    assert row.definition.decimals == 0
    text = text_of(response)
    for shown in ("37.6°", "39.4°", "38.2°", "+1.8°", "+0.6°"):
        assert shown in text


def test_compare_names_the_swings_that_lack_a_number(client, coach):
    player = make_player()
    a = torso_session(player, 1, 900.0)
    b = make_session(player=player, session_date=dt.date(2026, 3, 2))
    for value in (900.0, None, 910.0):
        make_swing({"peak_torso_omega": value}, session=b)
    session_summary.refresh_session_summary(b.pk)
    response = client.get(f"/athletes/compare/?items=session-{a.pk},session-{b.pk}")
    (row,) = (
        row
        for row in response.context["page"].rows
        if row.definition.id == "peak_torso_omega"
    )
    second = swings_of(b)[1].position
    assert [(cell.n, cell.remark) for cell in row.cells] == [
        (5, ""),
        (2, f"swing {second} doesn't have it"),
    ]
    text = text_of(response)
    assert f"swing {second} doesn't have it" in text
    assert "None has a setup recorded" in text
    a.condition = "tee"
    a.save()
    keys = f"session-{a.pk},session-{b.pk}"
    again = text_of(client.get(f"/athletes/compare/?items={keys}"))
    assert "None has a setup recorded" not in again
    assert "The setups differ." in again


def measured(value, basis, *, uncertainty=None, unit="m/s", name="peak_hand_speed"):
    """A swing of a session of its own with one number."""
    swing = make_swing()
    swing.metrics = {
        name: metric(value, unit) | {"basis": basis, "uncertainty": uncertainty}
    }
    swing.save()
    return swing


def compared(client, *swings):
    items = ",".join(f"swing-{swing.pk}" for swing in swings)
    return text_of(client.get(f"/athletes/compare/?items={items}"))


def test_compare_holds_no_wrists_against_hands(client, coach):
    hands = "reference=contact hands=hands"
    first, second = measured(9.0, hands), measured(9.2, hands)
    third = measured(7.8, "reference=contact hands=wrists")
    text = compared(client, first, second, third)
    assert "measured at a different point: wrists instead of hands" in text
    # 7.8 m/s, which stands nowhere.
    assert "17.4" not in text
    for shown in ("20.13", "20.58", "+0.45"):
        assert shown in text


def test_compare_says_that_a_difference_is_within_the_measurement(client, coach):
    basis = "reference=bat_peak bat=sweet_spot frame_rate=over_150_hz"

    session = make_session()

    def angle(value, uncertainty=2.0):
        swing = measured(
            value, basis, uncertainty=uncertainty, unit="deg", name="attack_angle"
        )
        swing.session = session
        swing.position = session.movements.count() + 1
        swing.save()
        return swing

    for value in (9.0, 9.5, 10.0, 10.5, 11.0):
        angle(value)
    one, near, far, unsure = angle(8.0), angle(13.0), angle(14.0), angle(13.0, None)
    session_summary.refresh_session_summary(session.pk)
    within = "The difference is within the measurement uncertainty."
    # 1.96 · √(2² + 2²) = 5.5
    assert within in compared(client, one, near)
    assert within not in compared(client, one, far)
    assert within not in compared(client, one, unsure)


@pytest.mark.parametrize("count", [2, 4])
def test_compare_takes_the_same_queries_for_any_number_of_items(
    client, coach, count, django_assert_num_queries
):
    player = make_player()
    sessions = history_of(player, [900.0] * count)
    items = ",".join(f"session-{session.pk}" for session in sessions)
    # session, user, sessions, movements, names of curves, curves, history, sides,
    # scatter; drawn swings and their points; and of the picker the athlete, their
    # sessions, speeds and sides
    with django_assert_num_queries(15):
        client.get(f"/athletes/compare/?items={items}")


def test_links_and_forms_pass_on_what_other_parts_of_the_page_keep(client, coach):
    one, other = history_of(make_player(), [900.0, 950.0])
    keys = f"session-{one.pk},session-{other.pk}"
    response = client.get(f"/athletes/compare/?items={keys}&camera=top&camera=%3Cb")
    for shown in response.context["items"]:
        assert shown["remove_url"].endswith("&camera=top&camera=%3Cb")
    page = response.content.decode()
    # The two forms of the picker and that of the curves.
    assert page.count('name="camera" value="top"') == 3
    assert page.count('name="camera" value="&lt;b"') == 3
    many = "&".join(f"x{place}=1" for place in range(30))
    kept = client.get(f"/athletes/compare/?items={keys}&{many}").context["kept"]
    assert len(kept) == 20


# --- Much to draw -------------------------------------------------------------------


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
