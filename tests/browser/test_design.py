"""Frame, components, charts and figure in a real browser, on pages of their own."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import gallery
from tests.browser.looks import (
    PAINTED,
    STILL,
    by_day_and_night,
    problems_at_each,
    show,
    violations,
)
from tests.factories import make_user

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.browser.gallery"),
]


@pytest.fixture
def swing(visit):
    def open_swing(**options):
        page = visit("/swing/", **options)
        show(page, "#sequence")
        return page

    return open_swing


def strokes(page, selector="#sequence"):
    """Colors of the curves as drawn, by name of the trace."""
    return page.evaluate(
        f"""() => Object.fromEntries(
          document.querySelector('{selector} [data-chart-plot]')._fullData
            .filter((t) => t.name && t.visible === true && t.fill !== 'toself')
            .map((t) => [t.name, t.line.color]))"""
    )


def token(page, name):
    return page.evaluate(
        f"getComputedStyle(document.documentElement).getPropertyValue('--{name}').trim()"
    )


def number(page, selector, attribute="x1"):
    return float(page.locator(selector).first.get_attribute(attribute))


@by_day_and_night
def test_pages_have_no_accessibility_violation_and_fit(visit, looks):
    page = visit("/", width=390, **STILL)
    assert problems_at_each(page, looks) == []


@by_day_and_night
def test_page_of_a_swing_has_no_accessibility_violation_and_fits(swing, looks):
    page = swing(width=390, **STILL)
    # The figure's buttons are looked at where they stand, on the page of a real swing.
    assert problems_at_each(page, looks, targets=False) == []


# test_all_pages.py looks at each of them in one theme.
@pytest.mark.nightly
@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/accounts/password_reset/", "/no/such/page"]
)
def test_pages_without_login_have_no_violation(pages, path):
    page = pages.open(**STILL)
    page.goto(path)
    problems = {"light": violations(page)}
    page.emulate_media(color_scheme="dark")
    page.evaluate(PAINTED)
    problems["dark"] = violations(page, colors_alone=True)
    assert problems == {"light": [], "dark": []}
    pages.problems[:] = [p for p in pages.problems if "404" not in p]


def test_theme_follows_the_system_until_chosen_and_is_remembered(swing):
    page = swing(scheme="light")
    root = page.locator("html")
    assert root.get_attribute("data-theme") == "light"
    light = strokes(page)
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Dark", exact=True).click()
    assert root.get_attribute("data-theme") == "dark"
    dark = strokes(page)
    assert set(dark) == set(light)
    assert all(dark[name] != light[name] for name in light)
    page.reload(wait_until="commit")
    page.wait_for_selector("body", state="attached")
    assert root.get_attribute("data-theme") == "dark"
    page.locator(".menu summary").click()
    page.get_by_role("button", name="System", exact=True).click()
    assert root.get_attribute("data-theme") == "light"


BACKGROUND = "getComputedStyle(document.documentElement).backgroundColor"
LIGHT_BACKGROUND, DARK_BACKGROUND = "rgb(245, 246, 247)", "rgb(14, 18, 22)"


@pytest.mark.parametrize(
    ("scheme", "background"), [("light", LIGHT_BACKGROUND), ("dark", DARK_BACKGROUND)]
)
def test_without_scripts_the_theme_is_the_system_s(visit, scheme, background):
    page = visit("/", scheme=scheme, java_script_enabled=False)
    assert page.evaluate(BACKGROUND) == background


def test_remembered_theme_holds_before_the_page_has_a_body(visit):
    page = visit("/", scheme="light", alone=True)
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.add_init_script(
        """new MutationObserver((_, observer) => {
          if (!document.body) return;
          observer.disconnect();
          window.firstTheme = document.documentElement.dataset.theme;
        }).observe(document, { childList: true, subtree: true });"""
    )
    page.reload()
    assert page.evaluate("window.firstTheme") == "dark"
    assert page.evaluate(BACKGROUND) == DARK_BACKGROUND
    page.emulate_media(media="print")
    assert page.evaluate(BACKGROUND) == "rgb(255, 255, 255)"


def test_curves_have_the_color_dash_and_peak_of_their_part_and_can_be_hidden(swing):
    page = swing()
    colors = strokes(page)
    assert colors == {
        part: token(page, f"part-{part.replace('_', '-')}") for part in gallery.PEAKS
    }
    dashes = page.evaluate(
        """() => document.querySelector('#sequence [data-chart-plot]')._fullData
        .filter((t) => t.name && t.fill !== 'toself').map((t) => t.line.dash)"""
    )
    assert dashes == ["solid", "longdash", "dot", "dashdot"]
    x, y = page.evaluate(
        """() => {
          const t = document.querySelector('#sequence [data-chart-plot]')
            .calcdata.find((c) => c[0].trace.name === 'hands');
          const top = t.reduce((a, b) => (b.y > a.y ? b : a));
          return [top.x, top.y];
        }"""
    )
    assert x == pytest.approx(-8.0, abs=gallery.DX_MS)
    assert y == pytest.approx(1750.0, rel=0.01)
    # Plotly brings no upload button and no style element.
    assert page.locator(".modebar-btn").count() == 0
    assert page.locator("style").count() == 0
    page.get_by_label("torso").uncheck()
    assert sorted(strokes(page)) == ["hands", "lead_arm", "pelvis"]
    page.get_by_label("torso").check()
    assert sorted(strokes(page)) == sorted(gallery.PEAKS)


def test_zoomed_chart_offers_the_whole_range_again(swing):
    page = swing()
    whole = page.get_by_role("button", name="Full range")
    assert not whole.is_visible()
    box = page.locator("#sequence .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 90)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 95, steps=5)
    page.mouse.up()
    whole.wait_for()
    extent = (
        "document.querySelector('#sequence [data-chart-plot]')._fullLayout.xaxis.range"
    )
    low, high = page.evaluate(extent)
    assert high - low < 400
    whole.click()
    whole.wait_for(state="hidden")
    low, high = page.evaluate(extent)
    assert high - low > 780


def test_picture_of_a_chart_can_be_saved(swing):
    page = swing()
    with page.expect_download() as saved:
        page.locator("#sequence [data-chart-save]").click()
    assert saved.value.suggested_filename == "sequence.png"
    assert saved.value.path().stat().st_size > 10_000


def test_hover_on_a_chart_moves_the_figure_and_says_the_numbers(swing):
    page = swing()
    clock = page.locator("[data-figure3d-time]")
    assert clock.inner_text().startswith("−400 ms")
    box = page.locator("#sequence .nsewdrag").first.bounding_box()
    # The axis runs from −600 to 200 ms; half along is −200 ms.
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    page.wait_for_function(
        "() => !document.querySelector('[data-figure3d-time]')"
        ".innerText.startsWith('−400 ms')"
    )
    shown = int(re.match(r"−(\d+) ms", clock.inner_text()).group(1))
    assert shown == pytest.approx(200, abs=20)
    assert "pelvis" in page.locator("#sequence [data-chart-readout]").inner_text()


def test_stepping_the_figure_moves_the_cursor_of_the_chart(swing):
    page = swing()
    page.get_by_role("button", name="One frame forward").click()
    page.wait_for_selector("#sequence .chart__cursor:not([hidden])")
    cursor = "document.querySelector('#sequence .chart__cursor')"
    place = f"{cursor}.getBoundingClientRect().left"
    first = page.evaluate(place)
    for _ in range(12):
        page.keyboard.press("Tab")  # away from the button, whose keys are its own
    page.locator("body").click(position={"x": 2, "y": 300})
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => {place} > {first}")
    assert page.locator("[data-figure3d-time]").inner_text().startswith("−392 ms")


SMOOTH = """() => {
  const now = [document.getElementById('figure').swingFigure.draws, performance.now()];
  const seen = (window.seenDraws ||= []);
  seen.push(now);
  return seen.some(([draws, at]) =>
    now[1] - at >= 500 && (now[0] - draws) / (now[1] - at) > 0.02);
}"""


def test_figure_plays_smoothly_and_stops_at_the_end(swing):
    page = swing()
    figure = "document.getElementById('figure').swingFigure"
    page.get_by_role("button", name="Play", exact=True).click()
    # More than 20 pictures a second over half a second, once: another process may take
    # the processor for a while. Benchmarks measure how many it can be.
    page.wait_for_function(SMOOTH)
    page.get_by_role("button", name="Pause").click()
    page.evaluate(f"{figure}.moveTo(1.55)")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_selector("[data-figure3d-play][aria-label=Play]")
    assert page.evaluate(f"{figure}.frame") == 239


def test_figure_is_turned_by_drag_keys_and_buttons(swing):
    page = swing()
    where = "document.getElementById('figure').swingFigure.azimuth"
    canvas = page.locator("[data-figure3d-canvas]")
    canvas.scroll_into_view_if_needed()
    start = page.evaluate(where)
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 150, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 190, box["y"] + 150, steps=4)
    page.mouse.up()
    dragged = page.evaluate(where)
    assert dragged == pytest.approx(start - 0.4, abs=0.02)
    canvas.focus()
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate(where) > dragged
    page.get_by_role("button", name="Pitcher").click()
    assert page.evaluate(where) == 0
    page.get_by_role("button", name="Behind").click()
    assert page.evaluate(where) == pytest.approx(3.14159, abs=1e-4)


def test_dragged_event_fills_the_form_and_typing_moves_the_line(swing):
    page = swing()
    line = "#sequence .chart__event[data-event=foot_down] .chart__event-line"
    start = number(page, line)
    handle = page.locator("#sequence [data-event=foot_down] .chart__event-handle")
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y, steps=5)
    page.mouse.up()
    assert number(page, line) == pytest.approx(start + 30, abs=1.5)
    field = page.locator("#foot_down")
    typed = float(field.input_value())
    assert typed > -148
    field.evaluate("(input) => { input.closest('details').open = true; }")
    field.fill("-200")
    page.wait_for_function(
        f"() => Number(document.querySelector('{line}').getAttribute('x1')) < {start}"
    )


def test_event_line_is_moved_by_arrow_keys(swing):
    page = swing()
    page.locator("#sequence [data-event=foot_down]").focus()
    page.keyboard.press("ArrowRight")
    moved = float(page.locator("#foot_down").input_value())
    assert moved == pytest.approx(-148 + 1000 / 240, abs=1)


def test_keys_search_play_edit_help_and_next_swing(swing):
    page = swing()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "site-search"
    page.keyboard.type("jk?")  # typed, not obeyed
    assert page.locator("#site-search").input_value() == "jk?"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys-dialog")).to_be_hidden()
    page.keyboard.press("Space")
    page.wait_for_selector("[data-figure3d-play][aria-label=Pause]")
    page.keyboard.press("Space")
    page.keyboard.press("e")
    assert page.evaluate("document.activeElement.id") == "foot_down"
    assert page.locator("#edit").get_attribute("open") is not None
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    page.wait_for_url("**/?swing=4")


def test_definition_opens_in_place_and_gives_the_focus_back(visit):
    page = visit("/")
    link = page.locator(".metric-tile .definition-link").first
    label = link.inner_text()
    link.click()
    dialog = page.locator("#definition-dialog")
    dialog.wait_for(state="visible")
    assert dialog.locator("h2").inner_text() == label
    assert dialog.locator("p").inner_text()
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.innerText") == label


def test_invalid_form_is_swapped_in_and_a_fault_is_told(visit, pages):
    page = visit("/")
    page.locator("#invalid").click()
    page.wait_for_selector("#here b")
    page.locator("#quiet").click()
    page.locator("#broken").click()
    alert = page.locator("#toasts .alert")
    alert.wait_for()
    assert alert.count() == 1
    assert "went wrong on the server" in alert.inner_text()
    assert page.locator("#here").inner_text() == "Not a date"
    page.context.set_offline(True)
    page.locator("#broken").click()
    page.get_by_text("No connection").wait_for()
    pages.problems.clear()  # these errors were wanted


def test_request_that_ends_at_the_login_takes_the_window_there(visit):
    page = visit("/")
    page.context.clear_cookies()
    page.locator("#expired").click()
    page.wait_for_url("**/accounts/login/?next=/")


def test_chart_that_htmx_brings_is_drawn_and_cleared_when_it_goes(swing):
    page = swing()
    page.locator("#load").click()
    page.locator("#late").scroll_into_view_if_needed()
    page.wait_for_selector("#late[data-drawn]")
    assert set(strokes(page, "#late")) == {"A", "B"}
    page.evaluate("window.late = document.querySelector('#late [data-chart-plot]')")
    page.locator("#clear").click()
    page.wait_for_selector("#late", state="detached")
    assert page.evaluate("window.late.data === undefined")


def test_charts_below_the_screen_wait_until_the_reader_moves(visit):
    page = visit("/swing/", width=390, height=300, alone=True)
    page.wait_for_load_state("networkidle")
    box = page.locator("#sequence").bounding_box()
    assert box["y"] > 300
    assert page.evaluate("() => typeof window.Plotly") == "undefined"
    page.locator("#sequence").scroll_into_view_if_needed()
    page.wait_for_selector("#sequence[data-drawn]")


# Colors of a canvas, fully covered pixels only: edges of lines are mixtures.
CANVAS_COLORS = """() => {
  const canvas = document.querySelector('#sequence canvas.chart__sketch');
  const { data } = canvas.getContext('2d')
    .getImageData(0, 0, canvas.width, canvas.height);
  const found = new Set();
  for (let i = 0; i < data.length; i += 4)
    if (data[i + 3] === 255)
      found.add('#' + [0, 1, 2]
        .map((k) => data[i + k].toString(16).padStart(2, '0')).join(''));
  return [...found];
}"""


def test_first_picture_has_curves_legend_and_events_before_plotly(pages, login_cookie):
    page = pages.open(session_cookie=login_cookie(make_user()), alone=True)
    page.route("**/plotly-basic*", lambda route: route.abort())
    page.goto("/swing/")
    page.locator("#sequence").scroll_into_view_if_needed()
    page.wait_for_selector("#sequence[data-sketched] canvas")
    colors = {
        part: token(page, f"part-{part.replace('_', '-')}") for part in gallery.PEAKS
    }
    assert set(colors.values()) <= set(page.evaluate(CANVAS_COLORS))
    page.get_by_label("torso").uncheck()
    shown = set(page.evaluate(CANVAS_COLORS))
    assert shown & set(colors.values()) == set(colors.values()) - {colors["torso"]}
    page.locator(
        "#sequence [data-chart-readout]", has_text="could not be loaded"
    ).wait_for()
    page.locator("#sequence [data-event=foot_down]").focus()
    page.keyboard.press("ArrowRight")
    moved = float(page.locator("#foot_down").input_value())
    assert moved == pytest.approx(-148 + 1000 / 240, abs=1)
    pages.problems.clear()  # the aborted requests were wanted


def test_first_picture_has_the_scales_that_plotly_gives_the_chart(swing):
    page = swing()
    assert page.locator("canvas.chart__sketch").count() == 0
    first, then = page.evaluate(
        """() => {
          const view = document.getElementById('sequence').swingChart;
          const axis = view.plot._fullLayout.xaxis;
          const places = [-500, 0, 150];
          const now = (x) => axis._offset + axis.d2p(x);
          return [places.map(view.frame.pixel), places.map(now)];
        }"""
    )
    assert first == pytest.approx(then, abs=0.5)


def test_page_left_alone_gets_plotly_by_itself(visit):
    page = visit("/swing/", height=2400, alone=True)
    page.wait_for_selector("#sequence[data-drawn] .main-svg path.js-line")


def test_page_works_without_scripts(visit):
    page = visit("/swing/", java_script_enabled=False)
    assert page.get_by_role("link", name="Athletes").first.is_visible()
    assert not page.locator("[data-chart-save]").is_visible()
    page.get_by_text("Table of this chart").click()
    assert page.get_by_role("cell", name="pelvis").is_visible()


def test_numbers_stand_in_the_vendored_font(visit):
    page = visit("/")
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.fonts.check('16px Inter')")
    loaded = page.evaluate(
        "[...document.fonts].filter((f) => f.family.includes('Inter') &&"
        " f.status === 'loaded').length"
    )
    assert loaded >= 1
    assert (
        page.locator(".metric-tile__value").first.evaluate(
            "(e) => getComputedStyle(e).fontVariantNumeric"
        )
        == "tabular-nums"
    )


def test_paper_is_white_and_charts_below_the_fold_are_drawn(swing):
    page = swing(scheme="dark", height=500)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert strokes(page)["pelvis"] == "#d05a00"
    page.emulate_media(media="screen")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert strokes(page)["pelvis"] == "#f0793a"
