"""How soon a reader sees the first picture: on a slow line, and of six sessions.

    python -m benchmarks bench_first_picture [--quick]

Headless Chromium against gunicorn on the same machine, at the size of a tablet.

* A swing on a line of 400 kbps with 400 ms of delay, as Chromium itself slows it down:
  with nothing in the cache, and again. The picture is there when the figure and all
  charts on the screen are drawn. Held against what the line alone takes for the same
  bytes after two delays: of the page, and of what it names.
* A comparison of six sessions, from the click to the first picture of figures and
  charts, by the clock and by processor time: of the server, of the page's main thread
  and of all processes of the browser. Seconds of a shared machine say little; where
  nothing else runs, server and page follow each other, and the clock is about their
  sum.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.bench_browser import ARGUMENTS, SKETCHED, MainThread, median
from benchmarks.product import Product, product
from benchmarks.results import Report, Result

TABLET: Any = {"width": 1180, "height": 820}
SESSIONS, SWINGS = 6, 8
LINE_BITS_S, DELAY_MS = 400_000, 400
COLD_BAR_S, WARM_BAR_S, SESSIONS_BAR_S = 6.0, 2.0, 1.0
Json = dict[str, Any]

FIGURE = """() => new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error('no figure within a minute')), 60000);
  const look = () =>
    document.querySelector("[data-figure3d][data-drawn]")
      ? resolve() : setTimeout(look, 5);
  look();
})"""
# All that has come by now: requests, and bytes with their heads.
COME = """() => {
  const kinds = ['navigation', 'resource'];
  const all = kinds.flatMap((kind) => performance.getEntriesByType(kind));
  const come = all.filter((one) => one.transferSize && one.responseEnd);
  const bytes = come.reduce((sum, one) => sum + one.transferSize, 0);
  return {bytes, requests: come.length, at: performance.now()};
}"""


class Visitor:
    """A page of a signed-in reader, with the cache of their own context."""

    def __init__(self, chromium: Any, shown: Product) -> None:
        self.shown = shown
        self._context = chromium.new_context(viewport=TABLET)
        self._context.add_cookies(
            [{"name": "sessionid", "value": shown.cookie, "url": shown.url}]
        )
        self.page = self._context.new_page()

    def slow_down(self) -> None:
        """Give the page the slow line from here on."""
        session = self._context.new_cdp_session(self.page)
        session.send("Network.enable")
        speed = LINE_BITS_S / 8
        session.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": DELAY_MS,
                "downloadThroughput": speed,
                "uploadThroughput": speed,
            },
        )

    def open(self, path: str) -> None:
        """Open a page and wait until figure and charts on the screen are drawn."""
        answer = self.page.goto(self.shown.url + path, wait_until="commit")
        if answer.status != 200 or "/accounts/login" in self.page.url:
            raise SystemExit(f"{path} answers {answer.status} at {self.page.url}.")
        self.page.evaluate(FIGURE)

    def close(self) -> None:
        """Forget the reader and their cache."""
        self._context.close()


def on_slow_line(chromium: Any, shown: Product) -> tuple[Json, Json]:
    """Return what came until the first picture, with an empty cache and a full one."""
    reader = Visitor(chromium, shown)
    reader.slow_down()
    found = []
    for _ in range(2):
        reader.open(shown.pages["swing"])
        reader.page.evaluate(SKETCHED)
        found.append(reader.page.evaluate(COME))
        reader.page.wait_for_load_state("networkidle", timeout=120_000)
        reader.page.goto("about:blank")
    reader.close()
    return found[0], found[1]


def six_sessions(chromium: Any, shown: Product) -> Json:
    """Return what the first picture of six sessions took, files being in the cache."""
    reader = Visitor(chromium, shown)
    reader.open(shown.pages["compare"])
    reader.page.wait_for_load_state("networkidle")
    processes = chromium.new_browser_cdp_session()

    def browser_ms() -> float:
        all_of_it = processes.send("SystemInfo.getProcessInfo")["processInfo"]
        return 1e3 * sum(one["cpuTime"] for one in all_of_it)

    thread = MainThread(reader.page)
    server, browser = shown.processor_ms(), browser_ms()
    began = time.perf_counter()
    reader.open(shown.pages["sessions"])
    reader.page.locator("[data-chart-plot]").first.scroll_into_view_if_needed()
    reader.page.evaluate(SKETCHED)
    found = {
        "clock_ms": 1e3 * (time.perf_counter() - began),
        "page_ms": thread.ms("TaskDuration"),
        "server_ms": shown.processor_ms() - server,
        "browser_ms": browser_ms() - browser,
    }
    reader.close()
    return found


def line_row(kind: str, visits: list[Json], bar_s: float) -> Result:
    """Return the row of the visits on the slow line with one state of the cache."""
    took = median([visit["at"] for visit in visits]) / 1e3
    sent = median([visit["bytes"] for visit in visits])
    alone = 2 * DELAY_MS / 1e3 + 8 * sent / LINE_BITS_S
    return Result(
        f"one swing, 400 kbps with 400 ms of delay, {kind}: first picture",
        f"{took:.1f} s; {sent / 1e3:.0f} kB, {visits[0]['requests']} requests by then",
        f"the line alone for as much: {alone:.1f} s",
        took / alone,
        f"under {bar_s:.0f} s",
        took < bar_s,
    )


def session_rows(visits: list[Json]) -> list[Result]:
    """Return the rows about six sessions."""

    def of(what: str) -> float:
        return median([visit[what] for visit in visits])

    needed = of("server_ms") + of("page_ms")
    bar_ms = 1e3 * SESSIONS_BAR_S
    return [
        Result(
            "six sessions compared: processor until the first picture",
            f"{needed:.0f} ms: server {of('server_ms'):.0f}, page {of('page_ms'):.0f}",
            f"all of the browser's processes: {of('browser_ms'):.0f} ms",
            needed / of("browser_ms"),
            "server and page under 1000 ms",
            needed < bar_ms,
        ),
        Result(
            "six sessions compared: first picture by the clock",
            f"{of('clock_ms'):.0f} ms",
            f"what server and page need of it: {needed:.0f} ms",
            of("clock_ms") / needed,
            "under 1000 ms where nothing else runs",
            of("clock_ms") < bar_ms,
        ),
    ]


def run(is_quick: bool) -> Report:
    """For `make bench`."""
    from playwright.sync_api import sync_playwright

    rounds = 2 if is_quick else 5
    with (
        tempfile.TemporaryDirectory() as folder,
        product(
            Path(folder),
            players=1,
            sessions=SESSIONS,
            swings=SWINGS,
            rate_hz=300,
            duration_s=2.0,
        ) as shown,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        # The first of each warms the server's own caches and is not counted.
        lines = [on_slow_line(chromium, shown) for _ in range(rounds + 1)][1:]
        compared = [six_sessions(chromium, shown) for _ in range(rounds + 1)][1:]
        chromium.close()
    return Report(
        "bench_first_picture",
        "Until the first picture",
        f"Headless Chromium without a graphics card, 1180 x 820, median of {rounds} "
        f"visits; gunicorn on the same two cores, SQLite; sessions of {SWINGS} swings "
        "of 600 frames",
        (
            line_row("nothing cached", [cold for cold, _ in lines], COLD_BAR_S),
            line_row("again", [warm for _, warm in lines], WARM_BAR_S),
            *session_rows(compared),
        ),
    )
