"""A new user's first minutes: log in, press Sync now, look at a swing."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
import requests

from tests.acceptance.conftest import (
    SIMULATOR,
    RunningProduct,
    assert_gone,
    start_product,
    stop_product,
)
from tests.browsing import WatchedPages

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# What the first chart of the page has drawn, by the name of the line.
DRAWN_PEAKS = """() => {
  const plot = document.querySelector('[data-chart] .js-plotly-plot');
  return Object.fromEntries(plot._fullData.filter((trace) => trace.visible === true)
    .map((trace) => [
      trace.name, Math.max(...Array.from(trace.y).filter(Number.isFinite))]));
}"""
PARTS = {
    "Pelvis rotation speed": "pelvis",
    "Torso rotation speed": "torso",
    "Lead arm speed": "lead_arm",
}


def logged_in(watched: WatchedPages, product: RunningProduct, user: str, **options):
    page = watched.open(**options)
    page.goto("/")
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", product.logins[user])
    page.click("button[type=submit]")
    page.wait_for_url(f"{product.url}/")
    return page


def wait_for_idle(page, seconds=120):
    """On the sync page: until the present run has ended by itself."""
    page.goto("/syncing/")
    page.wait_for_selector("[data-sync-state=idle]", timeout=seconds * 1000)


@pytest.fixture
def watched(chromium, product):
    pages = WatchedPages(chromium, product.url)
    yield pages
    pages.close()
    assert pages.problems == []


def test_sync_now_brings_swings_whose_peaks_are_the_known_ones(watched, product):
    page = logged_in(watched, product, "staff")
    wait_for_idle(page)

    page.get_by_role("button", name="Sync now").click()
    page.wait_for_selector("[data-sync-state=active]")
    # Leaving the page does not matter, and the button cannot start a second run.
    page.goto("/athletes/")
    wait_for_idle(page)
    page.wait_for_selector("[data-last-run-status=success]")

    page.goto("/athletes/?sort=-last_session")
    page.locator("main table tbody a[href^='/athletes/']").first.click()
    page.wait_for_url(re.compile(r"/athletes/\d+/"))
    page.locator("main a[href^='/athletes/sessions/']:visible").first.click()
    page.wait_for_url(re.compile(r"/athletes/sessions/\d+/"))
    page.locator("a[href^='/athletes/swings/']:visible").first.click()
    page.wait_for_url(re.compile(r"/athletes/swings/\d+/"))
    page.wait_for_selector("[data-chart] .main-svg path.js-line")
    movement_id = int(re.search(r"/swings/(\d+)/", page.url).group(1))

    movement = page.request.get(f"/movements/{movement_id}").json()
    player = page.request.get(f"/players/{movement['player_id']}").json()
    truth = requests.get(
        f"{product.simulator_url}/__simulator__/truth",
        params={
            "session_id": movement["session_id"],
            "org_player_id": player["org_player_id"],
            "org_movement_id": movement["org_movement_id"],
        },
        timeout=10,
    ).json()
    drawn = page.evaluate(DRAWN_PEAKS)
    for name, part in PARTS.items():
        known = truth["peaks"][part]["deg_per_s"]
        assert drawn[name] == pytest.approx(known, rel=0.03), name


def test_no_other_account_can_read_what_was_made(product):
    """After a sync: database and its log, archives, metrics, static files, logins."""
    open_to_others = [
        str(path.relative_to(product.var.parent))
        for path in (product.var, *product.var.rglob("*"))
        if path.lstat().st_mode & 0o077
    ]
    assert (product.var / "dashboard.sqlite3").exists()
    assert open_to_others == []


def test_second_start_keeps_the_data(product):
    """Ctrl-C stops everything that was started; the data stay."""
    before = dict(product.logins)
    assert before
    assert stop_product(product) == 0
    assert_gone(product)
    again = start_product(
        product.var, port=urlsplit(product.url).port, simulator=SIMULATOR
    )
    # Other tests of this file go on with it, in whatever order they come.
    vars(product).update(vars(again))
    assert product.logins == before
