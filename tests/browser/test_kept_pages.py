"""A page that another test had shows nothing of it."""

import pytest

from tests.browser.looks import go
from tests.browsing import KeptPages, WatchedPages
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)

LEAVE = """() => {
  localStorage.setItem("theme", "dark");
  sessionStorage.setItem("left", "here");
}"""
FOUND = """() => ({
  stored: [localStorage.getItem("theme"), sessionStorage.getItem("left")],
  width: innerWidth,
  isPaper: matchMedia("print").matches,
  isDark: matchMedia("(prefers-color-scheme: dark)").matches,
  isStill: matchMedia("(prefers-reduced-motion: reduce)").matches,
})"""


@pytest.fixture
def watched(chromium, live_server):
    """Function: pages of one more test; all draw from the same kept ones."""
    kept = KeptPages()
    return lambda: WatchedPages(chromium, live_server.url, kept)


def test_a_page_comes_back_empty(watched, login_cookie):
    before = watched()
    page = before.open(
        width=390,
        scheme="dark",
        reduced_motion="reduce",
        session_cookie=login_cookie(make_user()),
    )
    go(page, "/")
    page.evaluate(LEAVE)
    page.emulate_media(media="print")
    page.route("**/*.css", lambda route: route.abort())
    page.context.set_offline(True)
    before.close()

    after = watched()
    again = after.open()
    assert again is page
    go(again, "/athletes/")
    assert "/accounts/login/" in again.url
    assert again.evaluate(FOUND) == {
        "stored": [None, None],
        "width": 1440,
        "isPaper": False,
        "isDark": False,
        "isStill": False,
    }
    after.close()
    assert before.problems == after.problems == []
    again.context.close()


def test_a_page_that_was_closed_or_opened_alone_does_not_come_back(watched):
    before = watched()
    closed, alone = before.open(), before.open(alone=True)
    closed.close()
    before.close()
    after = watched()
    new = after.open()
    assert new not in (closed, alone)
    after.close()
    new.context.close()
