"""The figure by hand, touch and keys: alone, and two of them in step."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from sharing.models import SavedComparison
from tests.browser.looks import (
    STILL,
    by_day_and_night,
    for_place,
    go,
    problems_at_each,
    show,
)
from tests.browser.site_pages import hit

pytestmark = pytest.mark.django_db(transaction=True)

ONE = "document.getElementById('figure').swingFigure"
PAIR = "document.getElementById('pair').swingFigure"
CLOCK = "[data-figure3d-time]"
# By the rule of the swing: "Contact (est.)" where peak bat speed stands in.
CONTACT = re.compile("^Contact")
# Fingers as the browser reports them.
PINCH = """(canvas) => {
  const send = (type, pointerId, clientX) => canvas.dispatchEvent(
    new PointerEvent(type, {pointerId, clientX, clientY: 100, bubbles: true}));
  canvas.setPointerCapture = () => {};
  send('pointerdown', 11, 100);
  send('pointerdown', 12, 200);
  send('pointermove', 12, 300);
  send('pointerup', 11, 100);
  send('pointerup', 12, 300);
}"""
SMALL = """() => [...document.querySelectorAll('.figure3d :is(button, label, nav a)')]
  .map((one) => [one.innerText, one.getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.width < 44 || box.height < 44))
  .map(([text, box]) => `${text} ${box.width} x ${box.height}`)"""


def swings_of(session):
    return list(session.movements.filter(is_swing=True).in_session_order())


def times_of(swing):
    return {name: entry["time_s"] for name, entry in swing.events.items()}


@pytest.fixture
def swing(transactional_db):
    return swings_of(hit(swings=slice(0, 1)))[0]


@pytest.fixture
def figure(visit, swing):
    """Function: the page of a swing, and the swing."""

    def open_figure(**options):
        page = visit(f"/athletes/swings/{swing.pk}/", **options)
        page.wait_for_function(f"() => {ONE} !== undefined && {ONE}.draws > 0")
        return page, swing

    return open_figure


@pytest.fixture
def pair(visit):
    """Function: a comparison of a right- and a left-hander's session."""
    few = slice(0, 3)
    sessions = hit(swings=few), hit(bats="L", date=dt.date(2026, 4, 1), swings=few)
    items = ",".join(f"session-{session.pk}" for session in sessions)

    def open_pair(query="", **options):
        page = visit(f"/athletes/compare/?items={items}{query}", **options)
        page.wait_for_function(f"() => {PAIR} !== undefined && {PAIR}.draws > 0")
        return page

    return open_pair


def test_a_swing_is_stepped_from_event_to_event_by_touch_and_keys(figure):
    page, swing = figure(width=820, height=1180, has_touch=True)
    times = times_of(swing)
    shown = f"() => {ONE}.time"
    # It starts at load, and says so.
    assert page.evaluate(shown) == pytest.approx(times["load"], abs=1e-4)
    assert page.locator(CLOCK).inner_text().endswith("Load")
    page.get_by_role("button", name="Next event").tap()
    assert page.evaluate(shown) == pytest.approx(times["first_move"], abs=1e-4)
    page.get_by_role("button", name="Next event").tap()
    assert page.evaluate(shown) == pytest.approx(times["foot_down"], abs=1e-4)
    page.get_by_role("button", name="Previous event").tap()
    assert page.evaluate(shown) == pytest.approx(times["first_move"], abs=1e-4)
    page.get_by_role("button", name=CONTACT).tap()
    assert page.evaluate(shown) == pytest.approx(times["reference"], abs=1e-4)
    assert page.locator(CLOCK).inner_text().split("\n")[0].startswith("0 ms")
    page.locator("#content").press("[")
    assert page.evaluate(shown) == pytest.approx(times["peak_hand_speed"], abs=1e-4)
    page.locator("#content").press("]")
    assert page.evaluate(shown) == pytest.approx(times["reference"], abs=1e-4)
    assert page.evaluate(SMALL) == []


def test_two_fingers_and_keys_enlarge_the_figure_and_a_view_shows_all(figure):
    page, _ = figure()
    zoom = f"() => {ONE}.zoom"
    canvas = page.locator("[data-figure3d-canvas]")
    canvas.evaluate(PINCH)
    assert page.evaluate(zoom) == pytest.approx(2.0, abs=0.01)
    canvas.press("-")
    assert page.evaluate(zoom) == pytest.approx(2 / 1.15, abs=0.01)
    canvas.press("0")
    assert page.evaluate(zoom) == 1
    canvas.press("+")
    page.get_by_role("button", name="Top", exact=True).click()
    assert page.evaluate(zoom) == 1


def test_nothing_moves_by_itself_where_less_motion_is_preferred(figure):
    page, swing = figure(reduced_motion="reduce")
    draws = page.evaluate(f"() => {ONE}.draws")
    page.evaluate("() => new Promise((done) => setTimeout(done, 400))")
    assert page.evaluate(f"() => {ONE}.time") == pytest.approx(
        times_of(swing)["load"], abs=1e-4
    )
    assert page.evaluate(f"() => {ONE}.draws") - draws <= 1
    # Who presses Play wants to see it move.
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(f"() => {ONE}.time > {times_of(swing)['load']}")
    page.get_by_role("button", name="Pause").click()


def test_while_a_swing_plays_words_are_written_with_some_pictures_alone(figure):
    page, swing = figure()
    load = times_of(swing)["load"]
    seen = page.evaluate(
        f"""(load) => {{
          const player = {ONE};
          const readout = document.querySelector("#sequence [data-chart-readout]");
          const chart = document.getElementById("sequence").swingChart;
          const clock = document.querySelector("{CLOCK}").firstChild;
          player.playing = true;
          const look = (act) => {{
            const before = player.draws;
            act();
            const drawn = player.draws - before;
            const told = readout.textContent;
            return [player.words(), clock.nodeValue, drawn, told, chart.at];
          }};
          const play = (ahead_s) => look(() => player.playTo(load + ahead_s));
          const rest = () => look(() => {{
            player.time = load + 0.25;
            player.pause();
            player.draw();
          }});
          return [...[0.1, 0.12, 0.14, 0.16, 0.2].map(play), rest()];
        }}""",
        load,
    )
    moments, written, draws, readouts, cursors = zip(*seen, strict=True)
    # Each picture is drawn, and the cursor of the charts goes along with each.
    assert draws == (1,) * 6
    assert len(set(moments)) == len(set(cursors)) == 6
    # Words of the first hold for the next three; at rest all is written.
    assert written[:4] == (moments[0],) * 4
    assert written[4:] == moments[4:]
    assert len(set(readouts[:4])) == 1
    assert len(set(readouts)) == 3


def test_body_positions_leave_no_place_empty(figure):
    page, _ = figure()
    rows = """() => [...document.querySelectorAll('#positions .position')]
      .map((one) => Math.round(one.getBoundingClientRect().top))"""
    for width, wanted in ((390, 3), (639, 3), (640, 1), (820, 1), (1180, 1), (1440, 1)):
        page.set_viewport_size({"width": width, "height": 900})
        assert len(set(page.evaluate(rows))) == wanted
        assert page.locator("#positions").evaluate(
            "(one) => one.scrollWidth <= one.clientWidth"
        )


def test_stills_are_there_without_scripts(swing, pages, login_cookie, coach):
    page = pages.open(session_cookie=login_cookie(coach), java_script_enabled=False)
    page.goto(f"/athletes/swings/{swing.pk}/")
    stills = page.get_by_role("img", name="seen from the open side")
    assert stills.count() == 3
    assert stills.first.bounding_box()["height"] > 100
    # A canvas that nothing draws on would be an empty box.
    assert page.locator("[data-figure3d-canvas]").is_hidden()


def test_two_figures_go_to_contact_together_and_the_charts_follow(pair):
    page = pair("&align=foot_down", width=1180, height=820, has_touch=True)
    page.get_by_role("button", name=CONTACT).tap()
    bodies = page.evaluate(
        f"""() => {PAIR}.bodies.map((body) => ({{
          letter: body.letter, side: body.side, at: body.frameAt({PAIR}.time),
          mine: body.frameNear(body.events.find((e) => e.name === 'reference').time_s),
          scale: body.scale}}))"""
    )
    a, b = bodies
    assert (a["letter"], b["letter"]) == ("A", "B")
    # A is at its contact; B where it is as long after its own foot down.
    assert a["at"] == a["mine"]
    assert b["at"] != b["mine"]
    # Both face the same way, and legs are as long.
    assert a["side"] == b["side"] == "right"
    assert b["scale"] > 1
    time = page.evaluate(f"() => {PAIR}.time")
    assert page.locator(CLOCK).inner_text().startswith(f"+{round(1000 * time)} ms")
    page.get_by_role("button", name="Previous event").tap()
    assert page.evaluate(f"() => {PAIR}.time") < time
    assert page.evaluate(SMALL) == []
    # The curves below show the same moment, once they are drawn.
    show(page, "#overlay")
    page.locator("#content").press("]")
    page.wait_for_selector("#overlay .chart__cursor:not([hidden])")


def test_layout_placing_and_view_are_in_the_address(pair):
    page = pair()
    page.get_by_label("Side by side").check()
    page.get_by_label("Front foot").check()
    page.get_by_label("Ghost at each event").check()
    page.get_by_label("Same size").uncheck()
    page.get_by_role("button", name="Behind").click()
    for part in ("fig=side", "place=foot", "ghosts=on", "size=own", "view=behind"):
        assert part in page.url
    assert page.evaluate(f"() => {PAIR}.painter.isApart") is True
    # Another alignment: the page comes anew, and all of it is kept.
    page.select_option("#id_align", "foot_down")
    page.wait_for_function("() => location.search.includes('align=foot_down')")
    page.wait_for_function(f"() => {PAIR} && {PAIR}.painter.isApart")
    assert "place=foot" in page.url
    go(page, page.url)
    page.wait_for_function(f"() => {PAIR} !== undefined")
    assert page.get_by_label("Side by side").is_checked()
    assert page.get_by_label("Ghost at each event").is_checked()
    assert not page.get_by_label("Same size").is_checked()
    assert page.evaluate(f"() => {PAIR}.bodies[1].scale") == 1
    assert page.evaluate(f"() => {PAIR}.azimuth") == pytest.approx(3.14159, abs=1e-4)
    # Turned by hand it stays so turned, in the address and where it is saved.
    page.locator("[data-figure3d-canvas]").press("Shift+ArrowRight")
    page.locator("[data-figure3d-canvas]").press("+")
    page.wait_for_function("() => location.search.includes('camera=-173,7,115')")
    page.get_by_label("Name", exact=True).fill("Turned")
    with page.expect_navigation():
        page.get_by_role("button", name="Save this comparison").click()
    page.wait_for_function(f"() => {PAIR} && {PAIR}.painter.isApart")
    saved = SavedComparison.objects.get().figure
    assert saved == "fig=side&place=foot&size=own&ghosts=on&camera=-173,7,115"
    assert saved in page.url
    turned = page.evaluate(f"() => [{PAIR}.azimuth, {PAIR}.elevation, {PAIR}.zoom]")
    assert turned == pytest.approx([-3.019, 0.122, 1.15], abs=1e-3)
    # At contact each has the other's pose at its own contact behind it.
    page.get_by_role("button", name=CONTACT).click()
    assert page.evaluate(
        f"() => [0, 1].map((w) => {PAIR}.pair.ghostFrame(w) >= 0)"
    ) == [
        True,
        True,
    ]


@by_day_and_night
def test_a_comparison_with_figures_has_no_barriers_and_fits(pair, looks):
    page = pair("&fig=side", width=390, **STILL)
    assert problems_at_each(page, for_place(looks, 1)) == []
