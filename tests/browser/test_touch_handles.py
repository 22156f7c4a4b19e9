"""Events are moved by a finger: handles that it can hit, and only when asked for."""

from __future__ import annotations

from itertools import combinations

import pytest

from athletes.models import EventCorrection
from tests.browser.looks import at_width_by_day, go
from tests.browser.site_pages import hit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

HANDLES = "#sequence .chart__event--movable .chart__event-handle"


@pytest.fixture
def tablet(pages, login_cookie, coach):
    """Opens the page of a swing as a device with a touch screen does."""

    def open_page(swing, **options):
        cookie = login_cookie(coach)
        page = pages.open(session_cookie=cookie, has_touch=True, **options)
        go(page, f"/athletes/swings/{swing.pk}/")
        page.mouse.move(1, 1)
        page.locator("#sequence").scroll_into_view_if_needed()
        page.locator("#sequence[data-drawn]").wait_for()
        return page

    return open_page


@pytest.fixture
def swing(transactional_db):
    session = hit(swings=slice(0, 1))
    return session.movements.get(is_swing=True)


def apart(one, two):
    """Whether two boxes do not cover each other."""
    return (
        one["x"] + one["width"] <= two["x"]
        or two["x"] + two["width"] <= one["x"]
        or one["y"] + one["height"] <= two["y"]
        or two["y"] + two["height"] <= one["y"]
    )


@at_width_by_day(390, others=(820, 1180))
def test_handles_are_large_and_none_covers_another(tablet, swing, width):
    page = tablet(swing, width=width, height=820)
    handles = page.locator(HANDLES)
    assert handles.count() == 4
    # Nothing is moved by who scrolls: first they are asked for.
    assert not any(handle.is_visible() for handle in handles.all())
    page.locator("#sequence").get_by_role("button", name="Move events").click()
    boxes = [handle.bounding_box() for handle in handles.all()]
    assert all(min(box["width"], box["height"]) >= 44 for box in boxes)
    for one, two in combinations(boxes, 2):
        assert apart(one, two), (one, two)
    plot = page.locator("#sequence [data-chart-plot]").bounding_box()
    for box in boxes:
        assert box["x"] >= plot["x"] - 1
        assert box["x"] + box["width"] <= plot["x"] + plot["width"] + 1


def test_finger_moves_an_event_sees_what_changes_saves_and_undoes(tablet, swing):
    page = tablet(swing, width=820, height=1180)
    page.locator("#sequence").get_by_role("button", name="Move events").tap()
    field = page.locator('input[name="foot_down"]')
    before = int(field.input_value())
    box = page.locator("#sequence [data-event=foot_down] .chart__event-handle")
    at = box.bounding_box()
    # Not in its middle: the event moves by as much as the finger, it does not jump.
    x, y = at["x"] + 10, at["y"] + 22
    touch = page.context.new_cdp_session(page)

    def send(kind, *points):
        touch.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": px, "y": py} for px, py in points]},
        )

    send("touchStart", (x, y))
    send("touchMove", (x + 10, y))
    send("touchMove", (x + 20, y))
    send("touchEnd")
    moved = int(field.input_value())
    pixels_per_ms = page.evaluate(
        """() => {
          const {frame} = document.querySelector("#sequence").swingChart;
          return frame.pixel(1) - frame.pixel(0);
        }"""
    )
    assert moved - before == pytest.approx(20 / pixels_per_ms, abs=2)
    bar = page.locator("[data-moved-bar]")
    bar.get_by_role("button", name="Save").tap()
    saved = page.locator(".moved-bar--saved")
    saved.wait_for()
    correction = EventCorrection.objects.get()
    assert correction.time_s == pytest.approx(
        swing.events["foot_down"]["time_s"] + (moved - before) / 1000, abs=0.0006
    )
    saved.get_by_role("button", name="Undo").tap()
    page.get_by_text("the automatic event is back").wait_for()
    assert int(page.locator('input[name="foot_down"]').input_value()) == before


@pytest.mark.nightly
def test_event_is_moved_without_a_script(pages, login_cookie, coach, swing):
    page = pages.open(session_cookie=login_cookie(coach), java_script_enabled=False)
    page.goto(f"/athletes/swings/{swing.pk}/")
    still = page.locator("#sequence .chart__still")
    assert still.evaluate("image => image.complete && image.naturalWidth") == 720
    assert page.locator("#sequence .legend").is_hidden()
    assert page.get_by_role("button", name="Save image").count() == 0
    page.get_by_text("Move an event").click()
    before = int(page.locator('input[name="foot_down"]').input_value())
    page.fill('input[name="foot_down"]', str(before + 20))
    page.get_by_role("button", name="See what changes").click()
    assert page.get_by_role("row", name="Foot down").first.is_visible()
    assert not EventCorrection.objects.exists()
    page.get_by_role("button", name="Save", exact=True).first.click()
    assert EventCorrection.objects.get().undone_at is None
    page.get_by_role("button", name="Undo").first.click()
    assert EventCorrection.objects.get().undone_at is not None


def test_the_search_in_the_head_is_as_high_as_a_finger(visit):
    page = visit("/athletes/", has_touch=True)
    for width in (390, 820):
        page.set_viewport_size({"width": width, "height": 900})
        box = page.locator("[data-search]").bounding_box()
        assert box["height"] >= 44
        assert box["y"] > 0
