"""A coach's ways through the pages, in a real browser on simulated swings."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from athletes.models import EventCorrection, Note
from simulator.swings import truth
from tests.browser.looks import DRAWN, PAINTED, SETTLED, show
from tests.browser.site_pages import hit
from tests.factories import make_player, simulated_movements

pytestmark = pytest.mark.django_db(transaction=True)

HIGHEST = """() => Object.fromEntries(
  document.querySelector("#sequence .js-plotly-plot")._fullData.map((trace) =>
    [trace.name, Math.max(...Array.from(trace.y).filter(Number.isFinite))]))"""

#: From the second line of each written peak to the first line of the one below.
BETWEEN_PEAKS = """() => {
  const number = (text, name) => Number(text.getAttribute(name));
  const lines = (kind) =>
    [...document.querySelectorAll(`#sequence .chart__peak-${kind}`)]
    .map((text) => [number(text, "y"), number(text, "font-size")])
    .sort((one, two) => one[0] - two[0]);
  const [values, words] = [lines("value"), lines("words")];
  // A capital is 0.73 of its font high, a tail goes 0.22 below the line.
  return values.slice(1).map(([y, size], i) =>
    y - 0.73 * size - (words[i][0] + 0.22 * words[i][1]));
}"""


def first_swing(session):
    return session.movements.filter(is_swing=True).in_session_order().first()


@pytest.mark.parametrize("bats", ["R", pytest.param("L", marks=pytest.mark.nightly)])
def test_drawn_peaks_are_those_that_were_put_in(visit, bats):
    session = hit(bats=bats, swings=slice(0, 1))
    known = truth(simulated_movements(bats=bats)[0])["peaks"]
    page = visit(f"/athletes/swings/{first_swing(session).pk}/")
    show(page, "#sequence")
    drawn = page.evaluate(HIGHEST)
    for name, part in (
        ("Peak pelvis rotation speed", "pelvis"),
        ("Peak torso rotation speed", "torso"),
        ("Peak lead arm speed", "lead_arm"),
    ):
        curve = name.removeprefix("Peak ").capitalize()
        assert drawn[curve] == pytest.approx(known[part]["deg_per_s"], rel=0.03)
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate(PAINTED)
    apart = page.evaluate(BETWEEN_PEAKS)
    assert len(apart) >= 2
    assert min(apart) > 8


def test_search_while_typing_narrows_the_list_and_keeps_the_address(visit):
    make_player(first_name="Ash", last_name="Alder")
    make_player(first_name="Bay", last_name="Birch")
    page = visit("/athletes/")
    page.locator("#id_q").press_sequentially("irc")
    page.wait_for_url("**/athletes/?*q=irc*")
    names = page.locator("#athlete-table tbody th")
    expect(names).to_have_text(["Birch, Bay"])
    page.go_back()
    expect(names).to_have_count(2)


def test_keys_lead_past_what_stands_before_the_swings(visit):
    session = hit(swings=slice(0, 2))
    page = visit(f"/athletes/sessions/{session.pk}/")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to swings")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    swings = page.get_by_role("region", name="Swings")
    assert swings.evaluate("part => part.contains(document.activeElement)")
    expect(page.get_by_role("heading", name="Swings", exact=True)).to_be_in_viewport()


@pytest.mark.parametrize(
    ("path", "field"), [("/athletes/", "bats"), ("/athletes/sessions/", "period")]
)
def test_filters_of_a_phone_open_by_touch_and_by_key(visit, path, field):
    page = visit(path)
    page.set_viewport_size({"width": 390, "height": 844})
    name, filters = page.locator("#id_q"), page.locator(f"#id_{field}")
    expect(name).to_be_visible()
    expect(filters).to_be_hidden()
    page.get_by_text("More filters").click()
    expect(filters).to_be_visible()
    page.get_by_role("switch", name="More filters").press("Space")
    expect(filters).to_be_hidden()
    # One that is in use is never out of sight.
    page.goto(f"{page.url}?setup=tee")
    expect(page.locator("#id_setup")).to_have_value("tee")
    expect(page.locator("#id_setup")).to_be_visible()
    page.set_viewport_size({"width": 820, "height": 1180})
    page.goto(page.url.partition("?")[0])
    expect(filters).to_be_visible()
    expect(page.get_by_text("More filters")).to_be_hidden()


def test_order_holds_while_the_list_is_narrowed(visit):
    for number, name in enumerate(("Alder", "Aspen", "Birch")):
        make_player(first_name="Fern", last_name=name, swing_count=number)
    page = visit("/athletes/")
    page.get_by_role("link", name="Swings", exact=True).last.click()
    page.wait_for_url("**sort=-swings**")
    page.wait_for_function(SETTLED)
    page.locator("#id_q").press_sequentially("a")
    page.wait_for_url("**q=a**")
    # The address changes before the table does.
    names = page.locator("#athlete-table tbody th")
    expect(names).to_have_text(["Aspen, Fern", "Alder, Fern"])


@pytest.mark.nightly
def test_way_from_home_to_a_swing_and_to_the_next_by_key(visit):
    session = hit()
    page = visit("/")
    page.get_by_role("link", name="Mar 1, 2026").first.click()
    page.wait_for_url("**/sessions/**")
    page.wait_for_function(SETTLED)
    page.locator(".swing-strip a").first.click()
    page.wait_for_url("**/swings/**")
    page.wait_for_function(SETTLED)
    first = page.url
    page.keyboard.press("j")
    page.wait_for_url(lambda url: "/swings/" in url and url != first)
    page.wait_for_function(SETTLED)
    page.keyboard.press("k")
    page.wait_for_url(lambda url: url.split("?")[0] == first.split("?")[0])
    assert session.movements.count() == 6


def test_tile_changes_the_trend_in_place(visit):
    player = make_player()
    for week in range(2):
        hit(player=player, date=dt.date(2026, 3, 1 + 7 * week), swings=slice(0, 3))
    page = visit(f"/athletes/{player.pk}/")
    show(page, "#trend-chart")
    page.locator(".metric-tile__pick").nth(3).click()
    page.wait_for_url("**metric=peak_pelvis_omega**")
    title = page.locator("#trend-chart-title")
    expect(title).to_have_text("Peak pelvis rotation speed", use_inner_text=True)
    page.wait_for_function(DRAWN)


@pytest.mark.nightly
def test_definition_opens_beside_its_number(visit):
    session = hit(swings=slice(0, 1))
    page = visit(f"/athletes/swings/{first_swing(session).pk}/")
    page.get_by_role("link", name="Peak pelvis rotation speed").first.click()
    dialog = page.locator("#definition-dialog")
    dialog.get_by_text("How fast the hips rotate at their fastest.").wait_for()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


@pytest.mark.nightly
def test_series_and_alignment_of_a_session_are_in_the_address(visit):
    session = hit()
    page = visit(f"/athletes/sessions/{session.pk}/")
    title = page.locator("#session-curves-chart-title")
    page.select_option("#id_series", "x_factor")
    title.get_by_text("Hip-shoulder separation").wait_for()
    page.wait_for_function(SETTLED)
    page.select_option("#id_align", "foot_down")
    page.locator("#session-curves-chart").get_by_text("aligned on foot down").wait_for()
    assert "series=x_factor" in page.url
    assert "align=foot_down" in page.url
    show(page, "#session-curves-chart")
    assert title.inner_text() == "Hip-shoulder separation, average ± SD"
    page.reload()
    assert page.locator("#id_align").input_value() == "foot_down"


def test_condition_and_note_are_saved_in_place(visit):
    session = hit(swings=slice(0, 1))
    page = visit(f"/athletes/sessions/{session.pk}/")
    page.select_option("#id_condition", "machine")
    page.get_by_text("Saved.").wait_for()
    page.get_by_text("Add a note").click()
    page.fill("#id_text", "Tired legs today")
    page.get_by_role("button", name="Save the note").click()
    page.locator("#session-notes").get_by_text("Tired legs today").wait_for()
    session.refresh_from_db()
    assert session.condition == "machine"
    assert Note.objects.get().text == "Tired legs today"


def foot_down_ms(swing):
    """Foot down as the page counts it, in ms from contact."""
    return 1000 * (
        swing.events["foot_down"]["time_s"] - swing.events["reference"]["time_s"]
    )


def test_event_is_moved_by_typing_and_undone(visit):
    session = hit(swings=slice(0, 1))
    swing = first_swing(session)
    page = visit(f"/athletes/swings/{swing.pk}/")
    page.keyboard.press("e")
    field = page.locator('[data-event-form] input[name="foot_down"]')
    assert field.input_value() == f"{foot_down_ms(swing):.0f}"
    field.fill(f"{foot_down_ms(swing) + 30:.0f}")
    page.get_by_role("button", name="See what changes").click()
    listed = page.locator("[data-moved-preview]")
    listed.get_by_text("+30 ms").first.wait_for()
    assert not EventCorrection.objects.exists()
    listed.get_by_role("button", name="Save").click()
    page.get_by_text("Saved, and all numbers recomputed.").wait_for()
    assert EventCorrection.objects.get().event == "foot_down"
    page.locator(".moved-bar--saved").get_by_role("button", name="Undo").click()
    page.get_by_text("the automatic event is back").wait_for()
    assert EventCorrection.objects.get().undone_at is not None
    swing.refresh_from_db()
    assert field.input_value() == f"{foot_down_ms(swing):.0f}"


@pytest.mark.nightly
def test_event_line_dragged_in_the_chart_fills_the_form(visit):
    session = hit(swings=slice(0, 1))
    swing = first_swing(session)
    page = visit(f"/athletes/swings/{swing.pk}/")
    show(page, "#sequence")
    line = page.locator('#sequence .chart__event--movable[data-event="foot_down"]')
    line.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    typed = float(page.locator('input[name="foot_down"]').input_value())
    assert typed < foot_down_ms(swing) - 5


def test_moved_line_is_saved_or_put_back_where_it_was_moved(visit):
    session = hit(swings=slice(0, 1))
    swing = first_swing(session)
    page = visit(f"/athletes/swings/{swing.pk}/")
    show(page, "#sequence")
    field = page.locator('input[name="foot_down"]')
    before = int(field.input_value())
    bar = page.locator("[data-moved-bar]")
    assert bar.is_hidden()
    line = page.locator('#sequence .chart__event--movable[data-event="foot_down"]')
    line.focus()
    page.keyboard.press("Shift+ArrowLeft")
    moved = int(field.input_value())
    assert moved < before - 20
    words = page.locator("[data-moved-words]")
    assert words.inner_text() == (
        f"Foot down moved from −{-before} ms to −{-moved} ms, not saved"
    )
    # What would change is listed by itself, where one looks.
    bar.get_by_role("button", name="Save").wait_for()
    box = bar.bounding_box()
    assert 0 < box["y"] < box["y"] + box["height"] <= page.viewport_size["height"]
    bar.get_by_role("button", name="Reset").click()
    assert int(field.input_value()) == before
    assert bar.is_hidden()
    line.focus()
    page.keyboard.press("Shift+ArrowLeft")
    bar.get_by_role("button", name="Save").click()
    page.get_by_text("Saved, and all numbers recomputed.").wait_for()
    correction = EventCorrection.objects.get()
    assert correction.time_s == pytest.approx(
        swing.events["foot_down"]["time_s"] + (moved - before) / 1000, abs=0.0006
    )
    assert bar.is_hidden()


def test_a_long_wait_is_announced_and_ends(visit):
    session = hit(swings=slice(0, 1))
    page = visit(f"/athletes/sessions/{session.pk}/", alone=True)
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    slow = {"downloadThroughput": -1, "uploadThroughput": -1, "latency": 1500}
    wire.send("Network.emulateNetworkConditions", {"offline": False, **slow})
    waiting = page.locator("#waiting[role=status]")
    dimmed = page.locator("#session-curves.is-waiting")
    page.select_option("#id_align", "foot_down")
    page.wait_for_function("() => document.querySelector('#waiting').textContent")
    assert waiting.inner_text() == "Loading …"
    assert dimmed.count() == 1
    page.wait_for_function("() => !document.querySelector('#waiting').textContent")
    assert dimmed.count() == 0
    assert "align=foot_down" in page.url


@pytest.mark.nightly
def test_compare_is_built_by_search_and_kept_in_the_link(visit):
    one = hit(player=make_player(last_name="Rowan"), swings=slice(0, 3))
    two = hit(player=make_player(last_name="Sorrel"), bats="L", swings=slice(0, 3))
    page = visit(f"/athletes/compare/?items=session-{one.pk}")
    page.locator("#pick-q").press_sequentially("sorr")
    page.locator(".picker__sessions").get_by_role("link", name="Add Mar 1").click()
    page.wait_for_url(f"**session-{two.pk}**")
    show(page, "#overlay")
    show(page, "#delta")
    page.select_option("#id_align", "percent")
    page.wait_for_url("**align=percent**")
    show(page, "#overlay")
    expect(page.get_by_text("These are different athletes")).to_be_visible()


def test_lists_tables_and_definitions_work_without_scripts(visit):
    session = hit(swings=slice(0, 2))
    page = visit("/athletes/?q=invented", java_script_enabled=False)
    page.locator("#athlete-table tbody a").first.click()
    page.get_by_role("link", name="Mar 1, 2026").first.click()
    assert page.locator("table tbody tr").count() >= 2
    page.goto(f"/athletes/swings/{first_swing(session).pk}/")
    page.get_by_role("link", name="Peak pelvis rotation speed").first.click()
    assert (
        page.get_by_role("heading", level=1).inner_text()
        == "Peak pelvis rotation speed"
    )


def test_paper_has_nothing_to_press(visit, coach):
    coach.is_staff = True
    coach.save()
    session = hit()
    page = visit(f"/athletes/sessions/{session.pk}/", width=820)
    to_press = page.locator("main").get_by_text(
        re.compile(
            "^(Add a note|Add a tag|Show all|Setup of individual|Administration|Align)"
        )
    )
    assert to_press.first.is_visible()
    page.emulate_media(media="print")
    assert [one.inner_text() for one in to_press.all() if one.is_visible()] == []
    assert not page.locator("#tags-head").is_visible()
    assert page.get_by_role("heading", name="Session averages").is_visible()
    # On letter paper averages are one row, so that the sequence fits below them.
    page.set_viewport_size({"width": 720, "height": 930})
    page.evaluate(PAINTED)
    tiles = page.locator(".tiles--six").first.locator("> *").all()
    assert len(tiles) == 6
    assert len({tile.bounding_box()["y"] for tile in tiles}) == 1
