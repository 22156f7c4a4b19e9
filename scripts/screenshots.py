"""Pictures of every page in each of its states, to be looked at: `make screenshots`.

Starts the product on the simulator in a folder of its own, waits for the first sync,
adds rows for the states that a healthy sync does not leave, and writes
var/screenshots/{page}-{width}-{scheme}.png for the pages of the URLconf
(tests/browser/site_pages.py). `--only athlete,session` takes some of them; `--readme`
writes the pictures of the README instead.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

PORT = int(os.environ.get("PORT", "8765"))
WIDTHS = {"phone": 390, "tablet": 820, "tablet-wide": 1180, "desk": 1440}
ARGUMENTS = ["--no-sandbox", "--headless", "--disable-gpu", "--disable-quic"]
ARGUMENTS += ["--disable-background-networking", "--disable-component-update"]


def main() -> None:
    """Take the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readme", action="store_true")
    parser.add_argument(
        "--only", default="", help="names of pages, with commas between; * for any"
    )
    given = parser.parse_args()
    only = {name for name in given.only.split(",") if name}
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output.txt"
        environment = os.environ | {
            "VAR_DIR": str(Path(folder) / "var"),
            "PORT": str(PORT),
            "SIMULATOR_OPTIONS": "--players 30 --sessions 90 --swings 6 --stories",
            "PYTHONUNBUFFERED": "1",
        }
        with output.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "scripts/run.py"],
                cwd=ROOT,
                env=environment,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        try:
            password = _password(output, process)
            if given.readme:
                _wait_for_rows(Path(environment["VAR_DIR"]))
            world = {} if given.readme else _world(environment)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=os.environ.get("CHROMIUM")
                    or shutil.which("chromium"),
                    args=ARGUMENTS,
                )
                if given.readme:
                    _readme(browser, password)
                else:
                    _every_page(browser, password, world, only)
                browser.close()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _password(output: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and process.poll() is None:
        text = output.read_text(errors="replace")
        found = re.search(r"Demo login \(staff\):\s+\S+\s+/\s+(\S+)", text)
        if found and "Ctrl-C stops it" in text:
            return found.group(1)
        time.sleep(0.3)
    raise SystemExit(f"The product did not start:\n{output.read_text()}")


def _wait_for_rows(var: Path) -> None:
    """Wait until the first sync has ended and setups, teams and notes are there."""
    deadline = time.monotonic() + 900
    while not (var / "demo_rows.txt").read_text(encoding="utf-8"):
        if time.monotonic() > deadline:
            raise SystemExit("The first sync did not end.")
        time.sleep(1)


def _world(environment: dict[str, str]) -> dict[str, Any]:
    """Rows for the states of every page, in the database of the product that runs."""
    os.environ.update(environment)
    os.environ["DJANGO_SETTINGS_MODULE"] = "reboot_site.settings"
    # Only a key to start with: nothing is signed here.
    os.environ.setdefault("SECRET_KEY", "x" * 50)
    import django

    django.setup()
    from accounts.models import User
    from athletes.models import HandUpload
    from syncing.models import SyncLog
    from tests.browser.site_pages import make_world

    # What the sync brings comes first: the run of the world below is the newest then,
    # and a page that waits for no run under way would not wait for the real one.
    deadline = time.monotonic() + 600
    while SyncLog.objects.active().exists():
        if time.monotonic() > deadline:
            raise SystemExit("The first sync did not end.")
        time.sleep(1)
    world = make_world()
    # Files that wait are seen by who chose them alone: here by whoever looks.
    HandUpload.objects.filter(pk=world["staged"]).update(
        created_by=User.objects.get(username="staff")
    )
    return world


def _page(browser: Any, password: str, width: int, scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        base_url=f"http://localhost:{PORT}",
    )
    page: Page = context.new_page()
    page.goto("/accounts/login/")
    page.fill("input[name=username]", "staff")
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/login/" not in url)
    page.goto("/syncing/")
    page.wait_for_selector("[data-sync-state=idle]", timeout=600_000)
    return page


def _settle(page: Page) -> None:
    """Charts draw when they come near the screen: scroll once through the page."""
    height = page.evaluate("() => document.documentElement.scrollHeight")
    for top in range(0, height, 700):
        page.mouse.wheel(0, 700)
        page.wait_for_timeout(80 if top else 200)
    page.evaluate("() => window.scrollTo(0, 0)")
    page.wait_for_timeout(600)


def _paths(page: Page) -> dict[str, str]:
    """Return addresses of an athlete, their newest session, and its first swing."""

    def first(selector: str) -> str:
        href = page.locator(selector).first.get_attribute("href")
        assert href, selector  # noqa: S101 - a picture without its page is no use
        return href

    page.goto("/athletes/?sort=-sessions")
    athlete = first("main table tbody a[href^='/athletes/']")
    page.goto(athlete)
    session = first("main table a[href^='/athletes/sessions/']")
    page.goto(session)
    swing = first("main a[href^='/athletes/swings/']:visible")
    return {"athlete": athlete, "session": session, "swing": swing}


def _do(page: Page, verb: str, selector: str, text: str) -> None:
    found = page.locator(selector).first
    if verb == "click":
        found.click()
        page.wait_for_load_state()
    elif verb == "select":
        found.select_option(text)
    else:
        found.fill(text)


def _answering(body: str) -> Callable[[Route], None]:
    def answer(route: Route) -> None:
        route.fulfill(body=body, content_type="text/html; charset=utf-8")

    return answer


def _errors() -> dict[str, str]:
    """Answers that no address gives at will."""
    from django.template.loader import render_to_string

    return {
        f"error-{status}": render_to_string(f"{status}.html", {"limit": 2_400_000_000})
        for status in ("400", "403", "403_csrf", "413", "500")
    }


def _every_page(
    browser: Any, password: str, world: dict[str, Any], only: set[str]
) -> None:
    from tests.browser.site_pages import ANSWERS, admin_pages, site_pages

    folder = ROOT / "var" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    errors = _errors()
    wanted = [
        one
        for one in (*site_pages(), *ANSWERS, *admin_pages())
        if not only or any(fnmatch(one.name, pattern) for pattern in only)
    ]
    for name, width in WIDTHS.items():
        for scheme in ("light", "dark"):
            page = _page(browser, password, width, scheme)
            stranger = browser.new_context(
                viewport={"width": width, "height": 900},
                color_scheme=scheme,
                base_url=f"http://localhost:{PORT}",
            ).new_page()
            for name_of_error, html in errors.items():
                if only and not any(fnmatch(name_of_error, p) for p in only):
                    continue
                address = f"http://localhost:{PORT}/{name_of_error}"
                page.route(address, _answering(html))
                page.goto(address)
                target = folder / f"{name_of_error}-{name}-{scheme}.png"
                page.screenshot(path=target, full_page=True)
                print(target.relative_to(ROOT), flush=True)
            for one in wanted:
                shown = stranger if one.anonymous else page
                if one.anonymous:
                    stranger.context.clear_cookies()
                shown.goto(one.address.format(**world))
                for step in one.steps:
                    _do(shown, *step)
                _settle(shown)
                target = folder / f"{one.name}-{name}-{scheme}.png"
                shown.screenshot(path=target, full_page=True)
                print(target.relative_to(ROOT), flush=True)
            stranger.context.close()
            page.context.close()


def _readme(browser: Any, password: str) -> None:
    folder = ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    page = _page(browser, password, 1440, "light")
    for key, path in {**_paths(page), "home": "/"}.items():
        page.goto(path)
        _settle(page)
        page.screenshot(path=folder / f"{key}.png")
        print(f"docs/pictures/{key}.png")


if __name__ == "__main__":
    main()
