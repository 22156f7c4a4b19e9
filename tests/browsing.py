"""A real headless Chromium against a live server.

Every page is watched: an error in its console, a violation of the content
security policy or a request to another host fails the test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import cached_property
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


# Of our site: for another the browser would start a new process. It is answered here,
# without the server and without scripts. It names its icon: for a page without one the
# browser asks by itself, and the next test hears of a 404.
RESTING_PLACE = "/resting-place/"
AT_REST = '<!doctype html><link rel="icon" href="data:,">'

# What a page may leave behind in its origin; cookies are the context's.
FORGET = "() => { localStorage.clear(); sessionStorage.clear(); }"


def rest(route) -> None:
    """Answer with a page of nothing."""
    route.fulfill(content_type="text/html", body=AT_REST)


class KeptPages:
    """Pages of one browser, each in a context of its own, kept from test to test.

    A new context costs the browser more than most tests do: processes are started, and
    every script and font is fetched and compiled again. A page that comes back is
    emptied: cookies, storage, routes, being offline, media and where the pointer was.
    """

    def __init__(self) -> None:
        self._free: dict[str, list[object]] = {}

    def take(self, options: dict[str, object]):
        """A page of a context with these options; None when there is none."""
        free = self._free.get(repr(sorted(options.items())))
        return free.pop() if free else None

    def give_back(self, options: dict[str, object], page) -> None:
        """Empty the page and keep it; one that was closed or hangs is let go."""
        from playwright.sync_api import Error

        context = page.context
        try:
            context.set_offline(False)
            page.unroute_all()
            page.mouse.move(0, 0)
            context.clear_cookies()
            page.route(f"**{RESTING_PLACE}", rest)
            page.goto(RESTING_PLACE)
            page.evaluate(FORGET)
            page.unroute_all()
            context.clear_cookies()
        except Error:
            context.close()
        else:
            self._free.setdefault(repr(sorted(options.items())), []).append(page)


class WatchedPages:
    """Opens pages in contexts of their own and collects what went wrong.

    With `kept`, pages come from there and go back to it at the end.
    """

    def __init__(self, browser, base_url: str, kept: KeptPages | None = None) -> None:
        self.browser = browser
        self.base_url = base_url
        self.kept = kept
        self.problems: list[str] = []
        self._pages: list[tuple[object, dict[str, object], bool]] = []

    def open(
        self,
        *,
        width=1440,
        height=900,
        scheme="light",
        reduced_motion="no-preference",
        session_cookie=None,
        alone=False,
        **options,
    ):
        """A page without a past; `session_cookie` logs it in (see `login_cookie`).

        A test that adds scripts or listeners to its page, or looks at how the page
        comes up for the first time, opens it `alone`: in a new context, which nobody
        gets after it.
        """
        options["base_url"] = self.base_url
        # Requests that a service worker sends for a page are not seen from outside.
        options.setdefault("service_workers", "block")
        alone = alone or self.kept is None
        page = None if alone else self.kept.take(options)
        if page is None:
            context = self.browser.new_context(**options)
            context.set_default_timeout(15_000)
            context.add_init_script(COLLECT_VIOLATIONS)
            page = context.new_page()
        self._pages.append((page, options, alone))
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(
            media="null", color_scheme=scheme, reduced_motion=reduced_motion
        )
        if session_cookie:
            page.context.add_cookies(
                [{"name": "sessionid", "value": session_cookie, "url": self.base_url}]
            )
        for event, note in self._watchers.items():
            page.on(event, note)
        return page

    def close(self) -> None:
        for page, _, _ in self._pages:
            if not page.is_closed():
                self.problems += page.evaluate("window.__violations || []")
        for page, options, alone in self._pages:
            for event, note in self._watchers.items():
                page.remove_listener(event, note)
            if alone:
                page.context.close()
            else:
                self.kept.give_back(options, page)

    @cached_property
    def _watchers(self):
        """What listens on each page, by event."""
        host = urlsplit(self.base_url).netloc
        note = self.problems.append

        def on_console(message):
            if message.type == "error":
                note(f"console: {message.text}")

        def on_request(request):
            is_web = request.url.startswith(("http:", "https:"))
            if is_web and urlsplit(request.url).netloc != host:
                note(f"foreign request: {request.url}")

        return {
            "console": on_console,
            "pageerror": lambda error: note(f"script: {error}"),
            "request": on_request,
        }


@pytest.fixture(scope="session")
def kept_pages(chromium) -> KeptPages:
    """Pages that stay open from test to test; the browser's end is theirs."""
    return KeptPages()


@pytest.fixture
def pages(chromium, kept_pages, live_server) -> Iterator[WatchedPages]:
    """Opens watched pages; problems that a page had fail the test at its end.

    A test that provokes an error on purpose clears ``pages.problems``.
    """
    watched = WatchedPages(chromium, live_server.url, kept_pages)
    yield watched
    watched.close()
    assert watched.problems == [], watched.problems


@pytest.fixture
def login_cookie(live_server):
    """Function: user -> value of a session cookie, without the login form."""
    from django.test import Client

    def cookie(user) -> str:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client.cookies["sessionid"].value

    return cookie
