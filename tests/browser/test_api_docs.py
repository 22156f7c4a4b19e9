"""The interactive documentation, offline and under the strict content policy."""

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.looks import PAINTED, STILL, violations

pytestmark = pytest.mark.django_db(transaction=True)


def test_docs_show_every_operation_and_try_one_out(pages, login_cookie):
    factories.make_player(last_name="Invented-Name")
    page = pages.open(session_cookie=login_cookie(factories.make_user()))
    page.goto("/docs")
    page.wait_for_selector("#operations-athletes-list_players")
    expect(page.locator(".opblock")).to_have_count(20)
    row = page.locator("#operations-athletes-list_players")
    row.locator(".opblock-summary-control").click()
    row.locator(".try-out__btn").click()
    row.locator(".execute").click()
    row.locator(".live-responses-table .response-col_status").first.wait_for()
    answer = row.locator(".live-responses-table").inner_text()
    assert "200" in answer
    assert "Invented-Name" in answer


def test_docs_keep_no_token(pages, login_cookie):
    page = pages.open(session_cookie=login_cookie(factories.make_user()))
    page.goto("/docs")
    page.locator(".auth-wrapper .authorize").click()
    page.locator("input[aria-label='auth-bearer-value']").fill("swd_never-kept")
    page.locator(".modal-ux .authorize").first.click()
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "swd_never-kept" not in stored
    page.reload()
    page.locator(".auth-wrapper .authorize.unlocked").wait_for()


def test_a_session_may_post_from_the_docs(pages, login_cookie):
    page = pages.open(session_cookie=login_cookie(factories.make_staff()))
    page.goto("/docs")
    row = page.locator("#operations-sync-trigger_sync")
    row.locator(".opblock-summary-control").click()
    row.locator(".try-out__btn").click()
    row.locator(".execute").click()
    row.locator(".live-responses-table .response-col_status").first.wait_for()
    assert "202" in row.locator(".live-responses-table").inner_text()


def test_an_opened_operation_has_no_accessibility_violation(pages, login_cookie):
    """Closed ones are looked at with every other page."""
    cookie = login_cookie(factories.make_staff())
    page = pages.open(session_cookie=cookie, **STILL)
    page.goto("/docs")
    page.wait_for_selector("#operations-athletes-list_players")
    for name in ("athletes-list_players", "sync-trigger_sync"):
        row = page.locator(f"#operations-{name}")
        row.locator(".opblock-summary-control").click()
        row.locator(".try-out__btn").click()
    page.locator("#operations-athletes-list_players .execute").click()
    page.wait_for_selector(".live-responses-table .response-col_status")
    problems = {"light": violations(page)}
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html.dark-mode")
    page.evaluate(PAINTED)
    problems["dark"] = violations(page, colors_alone=True)
    assert problems == {"light": [], "dark": []}


LIGHTNESS = """selector => {
  const color = getComputedStyle(document.querySelector(selector)).backgroundColor;
  const [r, g, b] = color.match(/[0-9]+/g).map(Number);
  return (r + g + b) / 3;
}"""


def test_docs_follow_the_theme(pages, login_cookie):
    page = pages.open(scheme="dark", session_cookie=login_cookie(factories.make_user()))
    page.goto("/docs")
    page.wait_for_selector(".opblock")
    parts = ("body", ".opblock", ".scheme-container")
    assert all(page.evaluate(LIGHTNESS, part) < 60 for part in parts)
    page.emulate_media(color_scheme="light")
    page.wait_for_selector("html:not(.dark-mode)")
    assert all(page.evaluate(LIGHTNESS, part) > 200 for part in parts)
