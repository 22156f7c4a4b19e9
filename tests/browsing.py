"""A real headless Chromium against a live server.

Every page is watched: an error in its console, a violation of the content
security policy or a request to another host fails the test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

# Playwright's own event loop makes Django think that queries run inside async.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

ARGUMENTS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

COLLECT_VIOLATIONS = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (e) =>
  window.__violations.push(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`));
"""


def chromium_path() -> str | None:
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser")
    return next((path for name in names if name and (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=ARGUMENTS
        )
        yield browser
        browser.close()


class WatchedPages:
    """Opens pages in contexts of their own and collects what went wrong."""

    def __init__(self, browser, base_url: str) -> None:
        self.browser = browser
        self.base_url = base_url
        self.problems: list[str] = []
        self._contexts: list[object] = []
        self._pages: list[object] = []

    def open(
        self, *, width=1440, height=900, scheme="light", session_cookie=None, **options
    ):
        """A new page; `session_cookie` logs it in (see `login_cookie`)."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            base_url=self.base_url,
            **options,
        )
        context.set_default_timeout(15_000)
        context.add_init_script(COLLECT_VIOLATIONS)
        if session_cookie:
            context.add_cookies(
                [{"name": "sessionid", "value": session_cookie, "url": self.base_url}]
            )
        page = context.new_page()
        host = urlsplit(self.base_url).netloc
        page.on(
            "console",
            lambda message: (
                message.type == "error"
                and self.problems.append(f"console: {message.text}")
            ),
        )
        page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        page.on(
            "request",
            lambda request: (
                request.url.startswith(("http:", "https:"))
                and urlsplit(request.url).netloc != host
                and self.problems.append(f"foreign request: {request.url}")
            ),
        )
        self._contexts.append(context)
        self._pages.append(page)
        return page

    def close(self) -> None:
        for page in self._pages:
            if not page.is_closed():
                self.problems += page.evaluate("window.__violations || []")
        for context in self._contexts:
            context.close()


@pytest.fixture
def pages(chromium, live_server) -> Iterator[WatchedPages]:
    """Opens watched pages; problems that a page had fail the test at its end.

    A test that provokes an error on purpose clears ``pages.problems``.
    """
    watched = WatchedPages(chromium, live_server.url)
    yield watched
    watched.close()
    assert watched.problems == []


@pytest.fixture
def login_cookie(live_server):
    """Function: user -> value of a session cookie, without the login form."""
    from django.test import Client

    def cookie(user) -> str:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client.cookies["sessionid"].value

    return cookie
