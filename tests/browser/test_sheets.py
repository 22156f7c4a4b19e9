"""Sheets, share links and saved comparisons in a real browser."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from athletes.analysis import run, summaries
from sharing.models import SavedComparison, ShareLink
from tests.browser.looks import (
    OVERFLOW,
    STILL,
    at_each,
    by_day_and_night,
    go,
    violations,
)
from tests.factories import (
    make_player,
    make_session,
    simulated_movements,
    store_simulated,
)

pytestmark = pytest.mark.django_db(transaction=True)


def hit(player, *, date=dt.date(2026, 3, 1), swings=slice(None)):
    session = make_session(player=player, session_date=date, condition="tee")
    store_simulated(session, simulated_movements()[swings])
    run.analyze_session(session.pk)
    summaries.refresh_player_summaries([player.pk])
    return session


def of_no_swing():
    return make_player(first_name="Nobody", last_name="Swung")


def of_one_swing():
    player = make_player(first_name="One", last_name="Swing")
    hit(player, swings=slice(0, 1))
    return player


def of_many():
    player = make_player(first_name="Ada", last_name="Quillington")
    for month in range(1, 5):
        hit(player, date=dt.date(2026, month, 1))
    return player


def of_two():
    player = make_player(first_name="Ada", last_name="Quillington")
    for month in (1, 2):
        hit(player, date=dt.date(2026, month, 1), swings=slice(0, 3))
    return player


def of_a_wide_name():
    player = make_player(first_name="W" * 90, last_name="<b>🏏</b>" * 20)
    hit(player)
    return player


@pytest.mark.parametrize(
    "make",
    [
        of_no_swing,
        of_a_wide_name,
        pytest.param(of_one_swing, marks=pytest.mark.nightly),
        pytest.param(of_many, marks=pytest.mark.nightly),
    ],
)
def test_it_prints_on_one_page(visit, make):
    page = visit(f"/athletes/{make().pk}/sheet/")
    printed = {paper: page.pdf(format=paper) for paper in ("A4", "Letter")}
    lengths = {
        paper: len(re.findall(rb"/Type /Page\b(?!s)", pdf))
        for paper, pdf in printed.items()
    }
    assert lengths == {"A4": 1, "Letter": 1}
    page.emulate_media(media="print")
    for selector in (".site-header", ".sheet-tools", "#share", ".breadcrumbs"):
        expect(page.locator(selector)).to_be_hidden()
    wide = page.evaluate(
        "[...document.querySelectorAll('.sheet__scroll')]"
        ".filter((box) => box.scrollWidth > box.clientWidth + 1).length"
    )
    assert wide == 0


COLORS = """(sheet) => ['color', 'backgroundColor']
  .map((name) => getComputedStyle(sheet)[name])"""


@by_day_and_night
def test_it_is_black_on_white_and_fits_with_its_numbers_on_the_screen(visit, looks):
    page = visit(f"/athletes/{of_many().pk}/sheet/", width=390, **STILL)
    problems = []
    page.get_by_label("More: every number").check()
    for width, theme, is_new in at_each(page, looks):
        found = violations(page, colors_alone=not is_new)
        if (over := page.evaluate(OVERFLOW)) > 0:
            found.append(f"{over} px too wide")
        colors = page.locator(".sheet").evaluate(COLORS)
        if colors != ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]:
            found.append(f"colors {colors}")
        for cell in page.locator(".sheet__table tbody tr").first.locator("td").all():
            box = cell.bounding_box()
            if box["x"] < 0 or box["x"] + box["width"] > width:
                found.append(f"a number outside: {box}")
        problems += [f"{width} {theme}: {one}" for one in found]
    assert problems == []


def test_a_phone_shows_five_numbers_first_and_the_rest_without_scripts(visit):
    path = f"/athletes/{of_two().pk}/sheet/"
    page = visit(path, width=390, java_script_enabled=False)
    five, table = page.locator(".sheet__five li"), page.locator(".sheet__table")
    expect(five).to_have_count(5)
    expect(five.first).to_contain_text("How fast the")
    expect(page.locator(".sheet__picture").filter(visible=True)).to_have_count(1)
    expect(table).to_be_hidden()
    more = page.get_by_label("More: every number")
    more.check()
    expect(table).to_be_visible()
    more.uncheck()
    page.set_viewport_size({"width": 820, "height": 1180})
    expect(table).to_be_visible()
    expect(five.first).to_be_hidden()
    expect(page.locator(".sheet__picture").filter(visible=True)).to_have_count(1)


def test_a_finger_opens_a_definition_by_the_name_of_the_number(visit):
    path = f"/athletes/{of_many().pk}/sheet/"
    page = visit(path, width=820, has_touch=True, is_mobile=True)
    name = page.locator(".sheet__table tbody th").first
    box = name.bounding_box()
    assert box["height"] >= 44
    name.tap(position={"x": 6, "y": box["height"] - 6})
    assert page.url.endswith("#note-1")
    # All of the table fits beside its verdicts on a desk.
    page.set_viewport_size({"width": 1440, "height": 900})
    scroll = page.get_by_role("region", name="Numbers", exact=True)
    assert scroll.evaluate("(box) => box.scrollWidth <= box.clientWidth")


def test_a_link_opens_the_sheet_for_a_stranger_until_it_is_revoked(
    visit, pages, live_server
):
    player = of_two()
    coach = visit(f"/athletes/{player.pk}/sheet/")
    coach.get_by_label("For whom").fill("her parents")
    coach.get_by_role("button", name="Create link").click()
    field = coach.get_by_label("The new link")
    expect(field).to_be_visible()
    url = field.input_value()
    assert url.startswith(f"{live_server.url}/shared/")

    stranger = pages.open(width=390, **STILL)
    go(stranger, url)
    expect(stranger.get_by_role("heading", name="Ada Q.")).to_be_visible()
    expect(stranger.get_by_role("navigation")).to_have_count(0)
    assert violations(stranger) == []
    with stranger.expect_download() as download:
        stranger.get_by_role("link", name="Download PDF").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    link = ShareLink.objects.get()
    assert (link.open_count, link.download_count) == (1, 1)
    stranger.goto(f"/athletes/{player.pk}/")
    assert "/accounts/login/" in stranger.url

    coach.reload()
    expect(coach.get_by_label("The new link")).to_have_count(0)
    row = coach.get_by_role("row", name="her parents")
    expect(row.get_by_role("cell").nth(3)).to_have_text("1", use_inner_text=True)
    row.get_by_role("button", name="Revoke").click()
    expect(coach.get_by_text("The link is revoked")).to_be_visible()

    answer = stranger.goto(url)
    assert answer.status == 404
    expect(
        stranger.get_by_role("heading", name="This link doesn't work")
    ).to_be_visible()
    assert violations(stranger) == []
    pages.problems.clear()  # the 404 is told in the console


def test_without_scripts_links_are_made_and_read(visit):
    page = visit(f"/athletes/{of_one_swing().pk}/sheet/", java_script_enabled=False)
    page.get_by_role("button", name="Create link").click()
    expect(page.get_by_label("The new link")).to_be_visible()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()


def test_a_comparison_is_saved_found_renamed_and_deleted(visit):
    player = of_two()
    first, second = player.sessions.order_by("session_date")[:2]
    items = f"items=session-{first.pk},session-{second.pk}"
    page = visit(
        f"/athletes/compare/?{items}&series=pelvis_omega&align=foot_down",
        **STILL,
    )
    page.get_by_label("Name", exact=True).fill("Spring against winter")
    page.get_by_role("button", name="Save this comparison").click()
    expect(page.get_by_text("Saved as “Spring against winter”.")).to_be_visible()
    assert f"{items}&series=pelvis_omega&align=foot_down" in page.url
    page.get_by_role("link", name="Saved comparisons").click()
    row = page.get_by_role("row", name="Spring against winter")
    expect(row).to_contain_text("Ada Quillington, Jan 1, 2026")
    assert violations(page) == []
    row.get_by_text("Change").click()
    row.get_by_label("Name").fill("Winter and spring")
    row.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Winter and spring").click()
    page.wait_for_url(lambda url: items in url)
    page.goto("/athletes/compare/saved/")
    page.get_by_role("row", name="Winter and spring").get_by_text("Change").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing saved yet")).to_be_visible()
    assert not SavedComparison.objects.exists()
