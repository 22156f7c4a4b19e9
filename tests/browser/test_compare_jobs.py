"""What a coach compares, by touch and by keyboard on a tablet; taps are counted."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import expect

from athletes.analysis import run
from athletes.analysis.marked_swings import fastest_swing
from athletes.display import unit_factor
from tests.browser.looks import OVERFLOW, PAINTED, STILL, go, show, violations
from tests.browser.site_pages import hit
from tests.browser.taps import Taps
from tests.factories import (
    make_player,
    make_session,
    simulated_movements,
    store_simulated,
)

pytestmark = pytest.mark.django_db(transaction=True)

TABLET = {"width": 1180, "height": 820, "has_touch": True}
UPRIGHT = {"width": 820, "height": 1180, "has_touch": True}


@pytest.fixture
def taps():
    return Taps()


def season(player, *, swings=slice(0, 3)):
    """Sessions of January, March and June; that of March is not recorded in full."""
    first = hit(player=player, date=dt.date(2026, 1, 9), swings=swings)
    middle = make_session(
        player=player, session_date=dt.date(2026, 3, 4), swing_count=3
    )
    return first, middle, hit(player=player, date=dt.date(2026, 6, 2), swings=swings)


def keys_of(page):
    """The items of the comparison in the address."""
    return page.evaluate("() => new URL(location).searchParams.get('items')").split(",")


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(TABLET, id="tablet"),
        pytest.param(UPRIGHT, id="upright", marks=pytest.mark.nightly),
    ],
)
def test_latest_session_against_the_first_of_the_year(visit, taps, size):
    player = make_player(first_name="Ada", last_name="Quill")
    first, _, latest = season(player)
    page = visit(f"/athletes/{player.pk}/", **size)
    taps(page.get_by_role("button", name="Add to comparison Jun 2, 2026"))
    tray = page.get_by_role("complementary", name="Comparison")
    expect(tray).to_contain_text("A Ada Quill, Jun 2, 2026")
    expect(page.locator("#tray-said")).to_have_text("Added: Ada Quill, Jun 2, 2026.")
    taps(tray.get_by_role("link", name="Compare"))
    taps(page.locator(".picker__beside").get_by_role("link", name="First of 2026"))
    page.wait_for_url(f"**session-{first.pk}**")
    assert taps.count == 3
    # The address holds what was chosen, and the page puts it by date.
    assert keys_of(page) == [f"session-{latest.pk}", f"session-{first.pk}"]
    items = page.locator(".compared > li")
    expect(items).to_have_count(2)
    expect(items.first).to_contain_text("Ada Quill, Jan 9, 2026")
    head = page.locator(".compare-table thead th")
    expect(head.last).to_have_text("B − A")
    row = page.locator(".compare-table tbody tr", has_text="Peak pelvis")
    expect(row.locator("td").last).to_contain_text("°/s")
    # Back, and pasted again, it is the same.
    address = page.url
    page.go_back()
    expect(items).to_have_count(1)
    go(page, address)
    expect(items).to_have_count(2)


@pytest.mark.nightly
def test_two_athletes_fastest_swings(visit, taps):
    keys = []
    page = visit("/athletes/", **TABLET)
    for name, bats in (("Rowan", "R"), ("Sorrel", "L")):
        session = hit(player=make_player(last_name=name), bats=bats)
        swings = session.movements.filter(is_swing=True)
        keys.append(f"swing-{fastest_swing(swings).movement_id}")
    for name in ("Rowan", "Sorrel"):
        go(page, "/athletes/")
        taps(page.get_by_role("link", name=name), beside=True)
        taps(page.locator("#sessions").get_by_role("link", name="Mar 1"), beside=True)
        tile = page.locator(".swing-strip > li", has_text="fastest")
        taps(tile.get_by_role("button", name="Add to comparison"))
        expect(tile.get_by_role("button", name="In comparison")).to_be_visible()
    tray = page.get_by_role("complementary", name="Comparison")
    expect(tray.get_by_role("listitem")).to_have_count(2)
    taps(tray.get_by_role("link", name="Compare 2"))
    page.wait_for_url("**/compare/**")
    assert taps.count == 7
    assert keys_of(page) == keys
    show(page, "#overlay")
    first = page.locator(".compared > li").first
    expect(first).to_contain_text("Rowan")
    # Which one is A is changed in one tap.
    taps(page.get_by_role("link", name="Swap A and B"))
    expect(first).to_contain_text("Sorrel")
    assert keys_of(page) == keys[::-1]


def test_any_session_and_swing_is_found_by_typing(visit, taps):
    player = make_player(first_name="Ada", last_name="Quill")
    for month in range(1, 13):
        make_session(player=player, session_date=dt.date(2025, month, 1), swing_count=3)
    session = hit(player=player, date=dt.date(2024, 5, 1))
    page = visit("/athletes/compare/", **TABLET)
    page.locator("#pick-q").tap()
    page.keyboard.type("quil")
    found = page.locator("#pick-found")
    expect(found.get_by_role("heading", name="Ada Quill")).to_be_visible()
    taps(found.get_by_role("link", name="Older"))
    expect(found).to_contain_text("11 to 13 of 13")
    taps(found.get_by_role("link", name="Swings of May 1, 2024"))
    taps(found.get_by_role("link", name="typical").first)
    page.wait_for_url("**items=swing-**")
    taps(page.locator(".picker__swings").get_by_role("link", name="fastest").first)
    expect(page.locator(".compared > li")).to_have_count(2)
    pks = {f"swing-{swing.pk}" for swing in session.movements.all()}
    assert set(keys_of(page)) <= pks
    assert "at=2" in page.url


def press_enter_on(locator):
    """Reach what is found as a keyboard does, and press Enter."""
    locator.focus()
    expect(locator).to_be_focused()
    locator.page.keyboard.press("Enter")


def peak_bat_speed(page, key):
    """Peak bat speed of a swing as JSON has it."""
    answer = page.request.get(f"/movements/{key.removeprefix('swing-')}").json()
    return answer["metrics"]["bat_speed_max"]["value"]


@pytest.mark.nightly
def test_two_fastest_swings_are_found_by_keyboard_and_read_at_foot_down(visit):
    for name, bats in (("Rowan", "R"), ("Sorrel", "L")):
        hit(player=make_player(last_name=name), bats=bats)
    page = visit("/athletes/compare/", **TABLET)
    found = page.locator("#pick-found")
    # The second name has a typing error.
    for place, typed in enumerate(("rowan", "sorel"), start=1):
        page.locator("#pick-q").fill("")
        page.locator("#pick-q").press_sequentially(typed)
        heading = "Rowan" if place == 1 else "Sorrel"
        expect(found.locator(".picker__name")).to_contain_text(heading)
        press_enter_on(found.get_by_role("link", name="Swings of Mar 1"))
        press_enter_on(found.locator(".picker__swings a", has_text="fastest").first)
        expect(page.locator(".compared > li")).to_have_count(place)
    page.select_option("#id_align", "foot_down")
    page.wait_for_function("() => location.search.includes('align=foot_down')")
    show(page, "#overlay")
    title = page.locator("#overlay").evaluate(
        "(one) => one.swingChart.figure.layout.xaxis.title.text"
    )
    assert title == "Time from foot down (ms)"
    a, b = (peak_bat_speed(page, key) for key in keys_of(page))
    row = page.locator(".compare-table tbody tr", has_text="Peak bat speed")
    said = row.locator("td").last.inner_text().replace("−", "-")
    difference = (b - a) * unit_factor("m/s", "imperial")
    assert float(said.partition("mph")[0]) == pytest.approx(difference, abs=0.06)


@pytest.mark.nightly
def test_six_swings_of_a_session_are_compared_by_keyboard(visit):
    session = make_session(player=make_player(first_name="Ada", last_name="Quill"))
    store_simulated(session, simulated_movements(swings=7))
    run.analyze_session(session.pk)
    asked = f"?pick={session.player_id}&swings={session.pk}&items=none"
    page = visit(f"/athletes/compare/{asked}", **UPRIGHT)
    for place in range(1, 7):
        press_enter_on(page.locator(".picker__swings a:not([aria-current])").first)
        expect(page.locator(".compared > li")).to_have_count(place)
    assert len(set(keys_of(page))) == 6
    expect(page.locator(".picker")).to_contain_text("You can compare up to six")
    expect(page.locator("#overlay .legend input")).to_have_count(6)
    assert page.evaluate(OVERFLOW) == 0


def test_the_tray_by_keyboard(visit):
    player = make_player(first_name="Ada", last_name="Quill")
    season(player, swings=slice(0, 1))
    page = visit(f"/athletes/{player.pk}/", **TABLET)
    for day in ("Jun 2, 2026", "Mar 4, 2026"):
        button = page.get_by_role("button", name=f"Add to comparison {day}")
        button.focus()
        page.keyboard.press("Enter")
        # The focus stays where it was, on the button that takes it out again.
        expect(page.get_by_role("button", name=f"remove {day}")).to_be_focused()
    tray = page.get_by_role("complementary", name="Comparison")
    tray.get_by_role("button", name="Remove Ada Quill, Mar 4, 2026").focus()
    page.keyboard.press("Enter")
    expect(tray.get_by_role("listitem")).to_have_count(1)
    expect(tray.get_by_role("link", name="Compare")).to_be_focused()
    expect(button).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/compare/**")
    expect(page.locator(".compared > li")).to_have_count(1)


@pytest.mark.nightly
def test_the_tray_works_without_scripts(visit):
    player = make_player(first_name="Ada", last_name="Quill")
    season(player, swings=slice(0, 1))
    page = visit(f"/athletes/{player.pk}/", java_script_enabled=False)
    for day in ("Jan 9, 2026", "Jun 2, 2026"):
        page.get_by_role("button", name=f"Add to comparison {day}").click()
        expect(page.get_by_text(f"Added: Ada Quill, {day}.").first).to_be_visible()
        assert page.url.endswith(f"/athletes/{player.pk}/")
    page.get_by_role("link", name="Compare 2").click()
    expect(page.locator(".compared > li")).to_have_count(2)
    page.get_by_text("Find an athlete, session or swing").click()
    page.get_by_label("Athlete's name").fill("quill")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Add Mar 4, 2026").click()
    expect(page.locator(".compared > li")).to_have_count(3)


def test_tray_and_picker_are_accessible(visit):
    player = make_player(first_name="Ada", last_name="Quill")
    _, _, latest = season(player, swings=slice(0, 2))
    page = visit(f"/athletes/{player.pk}/", **STILL)
    for day in ("Jan 9, 2026", "Jun 2, 2026"):
        page.get_by_role("button", name=f"Add to comparison {day}").click()
    expect(page.locator(".tray__items > li")).to_have_count(2)
    # What the tray covers is scrolled out from under it.
    assert violations(page, targets=False) == []
    assert violations(page, within="#compare-tray") == []
    # What does not fit beside each other scrolls inside the tray.
    page.set_viewport_size({"width": 360, "height": 800})
    page.evaluate(PAINTED)
    assert page.evaluate(OVERFLOW) == 0
    page.set_viewport_size({"width": 1440, "height": 900})
    go(page, f"/athletes/compare/?items=session-{latest.pk}&swings={latest.pk}")
    assert violations(page, within="#comparison") == []
    page.emulate_media(color_scheme="dark")
    go(page, f"/athletes/{player.pk}/")
    assert violations(page, within="#compare-tray", colors_alone=True) == []
