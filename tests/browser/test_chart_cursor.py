"""Reading values off curves by mouse, touch and keys, and taking charts away."""

from __future__ import annotations

import csv
import re

import pytest
from playwright.sync_api import expect

from athletes.display import unit_factor
from tests.browser.looks import (
    STILL,
    at_width_by_day,
    by_day_and_night,
    for_place,
    go,
    problems_at_each,
    show,
)
from tests.browser.site_pages import hit

pytestmark = pytest.mark.django_db(transaction=True)

MPH = unit_factor("m/s", "imperial")


@pytest.fixture
def two():
    """A swing of a right-hander and one of a left-hander."""
    return [
        hit(bats=bats, swings=slice(0, 1)).movements.get(is_swing=True) for bats in "RL"
    ]


@pytest.fixture
def compared(visit, two):
    """Function: a comparison of their bat speeds, on foot down."""

    def open_page(**options):
        items = ",".join(f"swing-{swing.pk}" for swing in two)
        page = visit(
            f"/athletes/compare/?items={items}&align=foot_down&series=bat_speed",
            **options,
        )
        show(page, "#overlay")
        return page

    return open_page


PIXEL = """([id, x]) => {
  const view = document.getElementById(id).swingChart;
  const { _fullLayout: { xaxis } } = view.plot;
  return view.plot.getBoundingClientRect().left + xaxis._offset + xaxis.d2p(x);
}"""


def point_of(page, chart, x):
    """Where a place of the axis is on the screen, in the middle of the plot."""
    box = page.locator(f"#{chart} [data-chart-plot]").bounding_box()
    return page.evaluate(PIXEL, [chart, x]), box["y"] + box["height"] * 0.6


def rows_of(page, chart="overlay"):
    """What the box at the cursor says, by name; its head is the time."""
    box = page.locator(f"#{chart} .chart__box")
    names = box.locator(".chart__box-name").all_inner_texts()
    values = box.locator(".chart__box-value").all_inner_texts()
    return box.locator(".chart__box-at").inner_text(), dict(
        zip(names, values, strict=True)
    )


def ms_to_contact(swing):
    times = [swing.events[name]["time_s"] for name in ("foot_down", "reference")]
    return 1000 * (times[1] - times[0])


def number(text):
    return float(re.search(r"[−+]?[\d.,]+", text)[0].replace("−", "-").replace(",", ""))


def test_a_tap_holds_the_values_of_both_sides_and_a_tap_beside_lets_go(compared, two):
    page = compared(width=820, height=1180, has_touch=True)
    contact = ms_to_contact(two[0])
    page.touchscreen.tap(*point_of(page, "overlay", contact))
    box = page.locator("#overlay .chart__box")
    expect(box).to_be_visible()
    expect(box).to_have_class(re.compile("is-held"))
    at, rows = rows_of(page)
    assert number(at) == pytest.approx(contact, abs=2)
    assert list(rows) == ["A", "B", "B − A"]
    speed = two[0].metrics["bat_speed_ref"]["value"] * MPH
    assert number(rows["A"]) == pytest.approx(speed, rel=0.02)
    difference = number(rows["B"]) - number(rows["A"])
    assert number(rows["B − A"]) == pytest.approx(difference, abs=0.11)
    # The chart of the difference below has the same cursor.
    expect(page.locator("#delta .chart__cursor")).to_be_visible()
    page.locator("#overlay .chart__title").tap()
    expect(box).to_be_hidden()
    page.touchscreen.tap(*point_of(page, "overlay", contact))
    expect(box).to_be_visible()
    page.touchscreen.tap(*point_of(page, "overlay", contact))
    expect(box).to_be_hidden()


def test_a_mouse_shows_the_values_and_a_click_holds_them(compared, two):
    page = compared()
    box = page.locator("#overlay .chart__box")
    page.mouse.move(*point_of(page, "overlay", 0))
    expect(box).to_be_visible()
    assert rows_of(page)[0] == "0 ms"
    page.mouse.move(2, 2)
    expect(box).to_be_hidden()
    page.mouse.click(*point_of(page, "overlay", 0))
    page.mouse.move(*point_of(page, "overlay", 100))
    expect(box).to_be_visible()
    assert rows_of(page)[0] == "0 ms"
    page.keyboard.press("Escape")
    page.mouse.click(5, 5)
    expect(box).to_be_hidden()


def test_arrow_keys_move_the_cursor_of_the_chart_that_has_the_focus(compared):
    page = compared()
    keys = page.locator("#overlay [role=slider]")
    page.locator("#id_align").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        if keys.evaluate("(one) => one === document.activeElement"):
            break
    expect(keys).to_be_focused()
    assert rows_of(page)[0] == "0 ms"
    page.keyboard.press("ArrowRight")
    assert rows_of(page)[0] == "+2 ms"
    page.keyboard.press("Shift+ArrowLeft")
    at, rows = rows_of(page)
    assert at == "−18 ms"
    said = keys.get_attribute("aria-valuetext")
    assert said.startswith(f"−18 ms: A {rows['A']}, B {rows['B']}, B − A ")
    page.keyboard.press("End")
    assert number(rows_of(page)[0]) > 150
    page.keyboard.press("Escape")
    expect(page.locator("#overlay .chart__box")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    expect(page.locator("#overlay .chart__box")).to_be_hidden()


def test_the_cursor_of_a_swing_moves_the_figure_too(visit, two):
    page = visit(f"/athletes/swings/{two[0].pk}/?align=percent")
    show(page, "#sequence")
    page.mouse.move(*point_of(page, "sequence", 50))
    at, rows = rows_of(page, "sequence")
    assert at in ("+50%", "+51%", "+49%")
    assert next(iter(rows)).startswith("Pelvis")
    # The figure shows the same moment on the same axis, within a frame.
    page.wait_for_function(
        "() => /^(49|50|51)%/.test("
        "document.querySelector('[data-figure3d-time]').innerText)"
    )


def test_what_is_seen_is_saved_as_a_table_and_as_a_picture(compared, two):
    page = compared()
    with page.expect_download() as saved:
        page.locator("#overlay [data-chart-table]").click()
    assert saved.value.suggested_filename == "overlay.csv"
    text = saved.value.path().read_text(encoding="utf-8-sig")
    head, *rows = csv.reader(text.splitlines())
    assert head[0] == "Time from foot down (ms)"
    assert [name[:2] for name in head[1:]] == ["A ", "B "]
    assert all(name.endswith("(mph)") for name in head[1:])
    contact = round(ms_to_contact(two[0]) / 2) * 2
    (at_contact,) = [row for row in rows if float(row[0]) == contact]
    speed = two[0].metrics["bat_speed_ref"]["value"] * MPH
    assert float(at_contact[1]) == pytest.approx(speed, rel=0.02)
    low, high = page.evaluate(
        "() => document.getElementById('overlay').swingChart.figure.layout.xaxis.range"
    )
    assert (float(rows[0][0]), float(rows[-1][0])) == pytest.approx((low, high), abs=2)
    with page.expect_download() as saved:
        page.locator("#overlay [data-chart-save]").click()
    content = saved.value.path().read_bytes()
    assert saved.value.suggested_filename == "overlay.png"
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    # Width and height stand in its head.
    assert int.from_bytes(content[16:20]) == 2400
    assert int.from_bytes(content[20:24]) == 1440


LABELS = """(id) => [...document.querySelectorAll(`#${id} .chart__event-label,
  #${id} .chart__sign, #${id} .chart__peak-value, #${id} .chart__peak-words,
  #${id} .chart__end`)]
  .filter((one) => one.getAttribute('display') !== 'none' && one.textContent)
  .map((one) => { const { x, y, width, height } = one.getBoundingClientRect();
                  return [one.textContent, x, y, width, height]; })"""


def overlaps(found):
    """Pairs of texts that cover each other by more than a rim."""
    pairs = []
    for place, (text, x, y, width, height) in enumerate(found):
        for other, x2, y2, width2, height2 in found[place + 1 :]:
            wide = min(x + width, x2 + width2) - max(x, x2)
            high = min(y + height, y2 + height2) - max(y, y2)
            if wide > 1 and high > 7:
                pairs.append((text, other))
    return pairs


@at_width_by_day(390, others=(820, 1180, 1440))
def test_no_text_on_a_chart_covers_another(visit, width):
    sessions = [hit(bats=bats) for bats in "RL"]
    swing = sessions[0].movements.filter(is_swing=True).in_session_order().first()
    items = ",".join(f"session-{one.pk}" for one in sessions)
    page = visit("/athletes/definitions/", width=width)
    for address, chart, texts in (
        (f"/athletes/compare/?items={items}&align=load", "overlay", {"A", "B"}),
        (f"/athletes/swings/{swing.pk}/", "sequence", {"Move", "Foot down", "Load"}),
        (f"/athletes/sessions/{sessions[0].pk}/", "session-sequence", {"Move"}),
    ):
        go(page, address)
        show(page, f"#{chart}")
        found = page.evaluate(LABELS, chart)
        assert texts <= {text for text, *_ in found}
        assert overlaps(found) == []
        assert all(x >= 0 and x + wide <= width for _, x, _, wide, _ in found)


@by_day_and_night
def test_charts_of_sides_can_be_read_by_everybody(compared, looks):
    page = compared(width=390, **STILL)
    page.locator("#overlay [role=slider]").focus()
    page.keyboard.press("ArrowRight")
    assert problems_at_each(page, for_place(looks, 0)) == []
