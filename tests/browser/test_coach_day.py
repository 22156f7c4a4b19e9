"""A coach between two athletes: by touch with few taps, by keyboard, zoomed, no script.

Taps are counted from the page a coach has open: home. How long they take is measured by
`make bench`.
"""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import expect

from athletes.analysis.marked_swings import fastest_swing
from athletes.analysis.summaries import refresh_player_summaries
from tests.browser.looks import OVERFLOW, PAINTED, go
from tests.browser.site_pages import hit
from tests.browser.taps import Taps
from tests.factories import make_player

pytestmark = pytest.mark.django_db(transaction=True)

TABLET = {"width": 820, "height": 1180, "has_touch": True}


def swings_of(session):
    return session.movements.filter(is_swing=True).in_session_order()


def fastest(session):
    return fastest_swing(swings_of(session)).movement_id


def hit_today():
    """Ada's first and latest session of the year, and Bay's latest, a day before."""
    ada = make_player(first_name="Ada", last_name="Quill")
    bay = make_player(first_name="Bay", last_name="Birch")
    first = hit(player=ada, date=dt.date(2026, 1, 9), swings=slice(0, 3))
    latest = hit(player=ada, date=dt.date(2026, 6, 2), swings=slice(0, 3))
    other = hit(player=bay, bats="L", date=dt.date(2026, 6, 1), swings=slice(0, 3))
    refresh_player_summaries([ada.pk, bay.pk])
    return first, latest, other


def keys_of(page):
    """The items of the comparison in the address."""
    return page.evaluate("() => new URL(location).searchParams.get('items')").split(",")


def row_of(page, name):
    return page.locator(".newest-table .row-of-link", has_text=name).first


def tile_of(page, swing_id):
    return page.locator(f"#tile-{swing_id}")


def test_who_just_hit_and_how(visit):
    """Fastest swing: 2 taps. Exclude: 2. Against the first of the year: 3."""
    first, latest, _ = hit_today()
    page = visit("/", **TABLET)
    taps = Taps()
    taps(row_of(page, "Ada Quill"))
    page.wait_for_url(f"**/sessions/{latest.pk}/")
    taps(tile_of(page, fastest(latest)), position={"x": 60, "y": 70})
    page.wait_for_url(f"**/swings/{fastest(latest)}/")
    assert taps.count <= 3
    go(page, f"/athletes/sessions/{latest.pk}/")
    taps = Taps()
    left_out = swings_of(latest)[1]
    tile = tile_of(page, left_out.pk)
    taps(tile.get_by_role("button", name="Exclude"))
    taps(tile.get_by_role("button", name="Check swing"))
    expect(tile.get_by_role("button", name="Undo")).to_be_visible()
    assert taps.count == 2
    left_out.refresh_from_db()
    assert left_out.inclusion == "excluded"
    go(page, "/")
    taps = Taps()
    taps(row_of(page, "Ada Quill").get_by_role("button", name="Add to comparison"))
    tray = page.get_by_role("complementary", name="Comparison")
    taps(tray.get_by_role("link", name="Compare"))
    taps(page.locator(".picker__beside").get_by_role("link", name="First of 2026"))
    page.wait_for_url(f"**session-{first.pk}**")
    assert taps.count <= 4


def test_fastest_swings_of_the_two_who_just_hit_in_five_taps(visit):
    """From one latest session to the next athlete's, without going home."""
    _, latest, other = hit_today()
    page = visit("/", **TABLET)
    taps = Taps()
    taps(row_of(page, "Ada Quill"))
    page.wait_for_url(f"**/sessions/{latest.pk}/")
    for session in (latest, other):
        tile = tile_of(page, fastest(session))
        taps(tile.get_by_role("button", name="Add to comparison"))
        expect(tile.get_by_role("button", name="In comparison")).to_be_visible()
        if session == latest:
            taps(page.locator(".next-athletes").get_by_role("link", name="Bay Birch"))
            page.wait_for_url(f"**/sessions/{other.pk}/")
    tray = page.get_by_role("complementary", name="Comparison")
    taps(tray.get_by_role("link", name="Compare 2"))
    page.wait_for_url("**/compare/**")
    assert taps.count == 5
    assert keys_of(page) == [f"swing-{fastest(one)}" for one in (latest, other)]


def tab_to(page, locator, *, most=60):
    """Press Tab until the element has the focus, as who has no pointer does."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if locator.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"no focus after {most} times Tab: {locator}")


@pytest.mark.nightly
def test_the_same_by_keyboard_alone_and_zoomed(visit):
    _, latest, _ = hit_today()
    # 1440 pixels wide at 200 %.
    page = visit("/", width=720, height=450)
    tab_to(page, row_of(page, "Ada Quill").get_by_role("link").first)
    page.keyboard.press("Enter")
    page.wait_for_url("**/athletes/**")
    swing_id = fastest(latest)
    wide = []
    for path in (
        "/",
        "/athletes/",
        "/athletes/sessions/",
        f"/athletes/{latest.player_id}/",
        f"/athletes/compare/?items=session-{latest.pk}",
        f"/athletes/swings/{swing_id}/",
        f"/athletes/sessions/{latest.pk}/",
    ):
        go(page, path)
        page.evaluate(PAINTED)
        if page.evaluate(OVERFLOW):
            wide.append(path)
    assert wide == []
    tile = tile_of(page, swings_of(latest)[0].pk)
    tab_to(page, tile.get_by_role("button", name="Exclude"), most=90)
    page.keyboard.press("Enter")
    tab_to(page, tile.get_by_role("button", name="Check swing"), most=9)
    page.keyboard.press("Enter")
    expect(tile.get_by_role("button", name="Undo")).to_be_focused()
    # For 20 ms htmx leaves what was swapped the attributes of before.
    expect(page.locator(".htmx-settling")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(tile.get_by_role("button", name="Exclude")).to_be_visible()
    tab_to(page, tile_of(page, swing_id).locator(".swing-strip__link"))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/swings/{swing_id}/")


@pytest.mark.nightly
def test_the_same_without_scripts(visit):
    _, latest, _ = hit_today()
    page = visit("/", width=820, height=1180, java_script_enabled=False)
    row_of(page, "Ada Quill").locator(f"a[href*='/sessions/{latest.pk}/']").click()
    swing_id = fastest(latest)
    tile = tile_of(page, swing_id)
    expect(tile).to_contain_text("fastest")
    tile.get_by_role("button", name="Exclude").click()
    tile.get_by_role("button", name="Check swing").click()
    expect(tile).to_contain_text("Check swing")
    tile.get_by_role("button", name="Undo").click()
    expect(tile.get_by_role("button", name="Exclude")).to_be_visible()
    tile.locator(".swing-strip__link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ada Quill")
