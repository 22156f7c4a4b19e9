"""The interactive documentation, offline and under the strict content policy."""

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.looks import PAINTED, STILL, violations

pytestmark = pytest.mark.django_db(transaction=True)


LIGHTNESS = """selector => {
  const color = getComputedStyle(document.querySelector(selector)).backgroundColor;
  const [r, g, b] = color.match(/[0-9]+/g).map(Number);
  return (r + g + b) / 3;
}"""
PARTS = ("body", ".opblock", ".scheme-container")


def tried(page, name):
    """The answer to a request that the page sends."""
    row = page.locator(f"#operations-{name}")
    row.locator(".opblock-summary-control").click()
    row.locator(".try-out__btn").click()
    row.locator(".execute").click()
    row.locator(".live-responses-table .response-col_status").first.wait_for()
    return row.locator(".live-responses-table").inner_text()


def test_docs_try_operations_out_and_are_for_everybody_in_both_themes(
    pages, login_cookie
):
    factories.make_player(last_name="Invented-Name")
    page = pages.open(session_cookie=login_cookie(factories.make_staff()), **STILL)
    page.goto("/docs")
    page.wait_for_selector("#operations-athletes-list_players")
    expect(page.locator(".opblock")).to_have_count(20)
    assert all(page.evaluate(LIGHTNESS, part) > 200 for part in PARTS)
    answer = tried(page, "athletes-list_players")
    assert "200" in answer
    assert "Invented-Name" in answer
    # A session may post.
    assert "202" in tried(page, "sync-trigger_sync")
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html.dark-mode")
    page.evaluate(PAINTED)
    assert all(page.evaluate(LIGHTNESS, part) < 60 for part in PARTS)
    # Closed operations are looked at with every other page, these are open.
    assert violations(page) == []


@pytest.mark.nightly
def test_opened_operations_have_no_violation_in_light_either(pages, login_cookie):
    page = pages.open(session_cookie=login_cookie(factories.make_staff()), **STILL)
    page.goto("/docs")
    page.wait_for_selector("#operations-athletes-list_players")
    tried(page, "athletes-list_players")
    tried(page, "sync-trigger_sync")
    assert violations(page) == []


def test_docs_keep_no_token_and_come_up_under_the_content_policy(pages, login_cookie):
    page = pages.open(scheme="dark", session_cookie=login_cookie(factories.make_user()))
    page.goto("/docs")
    page.locator(".auth-wrapper .authorize").click()
    page.locator("input[aria-label='auth-bearer-value']").fill("swd_never-kept")
    page.locator(".modal-ux .authorize").first.click()
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "swd_never-kept" not in stored
    page.reload()
    page.locator(".auth-wrapper .authorize.unlocked").wait_for()
    assert all(page.evaluate(LIGHTNESS, part) < 60 for part in PARTS)
