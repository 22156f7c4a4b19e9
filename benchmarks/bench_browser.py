"""What a browser gets and how soon it shows it: the swing page, a session overlay.

    python -m benchmarks bench_browser [--quick]

Headless Chromium against gunicorn on the same machine (benchmarks/product.py), so the
figure is drawn by the processor: no graphics card helps. Every page is opened in a
fresh browser context, with nothing in its cache, and the median of several counts.

* The swing page: bytes by kind as sent (brotli), server time, time until all charts on
  the screen have their first picture, and how long after the reader's first move Plotly
  has drawn them, against a page of the site without charts and, for the bytes,
  against the same frames as the JSON lists that Plotly is usually given.
* The 3-D figure while it plays: pictures a second, counted by requestAnimationFrame
  calls in which the canvas was drawn, against the same loop with nothing to draw.
* An overlay of 30 swings x 6 series x 600 frames: the product's typed arrays, through
  the product's script, against the same curves as lists through Plotly alone.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import numpy as np
import requests

from benchmarks.product import Product, product
from benchmarks.results import Report, Result, table

SWINGS, SERIES, FRAMES = 30, 6, 600
PLAY_S = 4.0
# At least, on a machine that others use too; and what a page alone has to reach.
FRAMES_BAR, FRAMES_WISH = 30.0, 60.0
KINDS = ("document", "stylesheet", "script", "font", "xhr", "other")
ARGUMENTS = [
    *("--no-sandbox", "--headless", "--disable-gpu", "--disable-quic"),
    *("--disable-background-networking", "--disable-component-update"),
]
Json = dict[str, Any]

# Every chart that a reader sees at first, drawn: a picture after the script's last
# word. `%s` says what a plot holds then. A chart that never comes ends the benchmark.
SHOWN = """() => new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error('not drawn within a minute')), 60000);
  const plots = () => [...document.querySelectorAll('[data-chart-plot]')];
  const seen = () => plots().filter((plot) => {
    const box = plot.getBoundingClientRect();
    return box.width > 0 && box.top < innerHeight && box.bottom > 0;
  });
  const look = () => {
    const wanted = seen();
    const done = (plot) => plot.querySelector('%s');
    if (wanted.length && wanted.every(done))
      requestAnimationFrame(() => resolve(performance.now()));
    else setTimeout(look, 5);
  };
  look();
})"""
SKETCHED = SHOWN % ".chart__sketch, .main-svg .scatterlayer"
DRAWN = SHOWN % ".main-svg .scatterlayer"

# Pictures of an empty loop, and of the figure: those in which its canvas was drawn to.
EMPTY_RATE = """(seconds) => new Promise((resolve) => {
  let count = 0;
  const began = performance.now();
  const next = (now) => {
    count++;
    if (now - began < seconds * 1000) requestAnimationFrame(next);
    else resolve(count / ((now - began) / 1000));
  };
  requestAnimationFrame(next);
})"""
FIGURE_RATE = """(seconds) => new Promise((resolve) => {
  const canvas = document.querySelector('[data-figure3d-canvas]');
  const context = canvas.getContext('2d');
  const own = context.clearRect;
  let drawn = 0;
  let spent = 0;
  context.clearRect = function (...box) { drawn++; return own.apply(this, box); };
  // At the slowest speed a swing lasts longer than it is looked at.
  for (let k = 0; k < 2; k++) document.querySelector('[data-figure3d-speed]').click();
  document.querySelector('[data-figure3d-play]').click();
  const began = performance.now();
  const gaps = [];
  let last = began;
  let at = 0;
  const next = (now) => {
    if (drawn > at) { gaps.push(now - last); last = now; at = drawn; }
    if (now - began < seconds * 1000) return requestAnimationFrame(next);
    document.querySelector('[data-figure3d-play]').click();
    gaps.sort((one, two) => one - two);
    resolve({
      rate: drawn / ((now - began) / 1000),
      worst: gaps[Math.floor(gaps.length * 0.95)],
    });
  };
  requestAnimationFrame(next);
})"""
# The product's own way: a figure and its JSON come in as after a swap of htmx.
OVERLAY = """(html) => new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error('not drawn within a minute')), 60000);
  const began = performance.now();
  const box = document.createElement('div');
  box.innerHTML = html;
  document.querySelector('main').prepend(box);
  scrollTo(0, 0);
  htmx.trigger(box, 'htmx:load', { elt: box });
  const look = () => {
    const found = box.querySelectorAll('.scatterlayer .trace').length;
    if (found >= %d) requestAnimationFrame(() => resolve(performance.now() - began));
    else setTimeout(look, 2);
  };
  look();
})"""
# What a page without this product's script would do with lists.
PLAIN_PLOT = """(text) => new Promise((resolve) => {
  const began = performance.now();
  const figure = JSON.parse(text);
  const box = document.createElement('div');
  box.className = 'chart__plot';
  document.querySelector('main').prepend(box);
  scrollTo(0, 0);
  Plotly.newPlot(box, figure.data, figure.layout).then(() =>
    requestAnimationFrame(() => resolve(performance.now() - began)));
})"""


def median(values: list[float]) -> float:
    """Return the median."""
    return statistics.median(values)


class MainThread:
    """Processor time of a page's main thread from here on, as Chromium counts it.

    A machine that others use stretches seconds, and this hardly.
    """

    def __init__(self, page: Any) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})
        self._before = self._read()

    def _read(self) -> dict[str, float]:
        found = self._session.send("Performance.getMetrics")["metrics"]
        return {one["name"]: one["value"] for one in found}

    def ms(self, name: str) -> float:
        """Return the milliseconds that the page spent on one kind of work."""
        return 1e3 * (self._read()[name] - self._before[name])


class Browser:
    """Chromium, signed in; one fresh context a visit."""

    def __init__(self, chromium: Any, shown: Product) -> None:
        self.chromium, self.shown = chromium, shown

    def visit(self, path: str, then: Callable[[Any, Json], None]) -> Json:
        """Bytes by kind, server time and whatever `then` finds."""
        context = self.chromium.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies(
            [
                {
                    "name": "sessionid",
                    "value": self.shown.cookie,
                    "url": self.shown.url,
                }
            ]
        )
        page = context.new_page()
        found: Json = {"bytes": dict.fromkeys(KINDS, 0)}
        requests_done: list[Any] = []
        page.on("requestfinished", lambda request: requests_done.append(request))
        try:
            answer = page.goto(self.shown.url + path, wait_until="load")
            if answer.status != 200 or "/accounts/login" in page.url:
                raise SystemExit(f"{path} answers {answer.status} at {page.url}.")
            then(page, found)
            page.wait_for_load_state("networkidle")
            for request in requests_done:
                kind = request.resource_type
                kind = {"fetch": "xhr"}.get(kind, kind if kind in KINDS else "other")
                found["bytes"][kind] += request.sizes()["responseBodySize"]
            timing = answer.request.timing
            found["server_ms"] = timing["responseStart"] - timing["requestStart"]
            found["painted_ms"] = page.evaluate(
                "() => performance.getEntriesByName('first-contentful-paint')[0]"
                "?.startTime ?? 0"
            )
        finally:
            context.close()
        return found

    def visits(
        self, path: str, then: Callable[[Any, Json], None], rounds: int
    ) -> list[Json]:
        """Return what was measured at each of several visits to a page."""
        # The first warms the server's own caches and is not counted.
        return [self.visit(path, then) for _ in range(rounds + 1)][1:]


def drawn(page: Any, found: Json) -> None:
    """Wait until the charts of a page are drawn, and note when."""
    # A reader with charts below the screen scrolls to the first.
    page.locator("[data-chart-plot]").first.scroll_into_view_if_needed()
    found["drawn_ms"] = page.evaluate(SKETCHED)
    moved = page.evaluate("() => performance.now()")
    page.mouse.move(300, 300)
    page.mouse.move(310, 310)
    found["live_ms"] = page.evaluate(DRAWN) - moved


def nothing(page: Any, found: Json) -> None:
    """Do nothing after a page has loaded."""
    found["drawn_ms"] = page.evaluate("() => performance.now()")


def kinds_text(sent: Json) -> str:
    """Return what was sent, by kind of file, as one line."""
    return ", ".join(f"{kind} {size / 1e3:.0f}" for kind, size in sent.items() if size)


def server_ms(shown: Product, path: str, rounds: int) -> float:
    """Median time of one client by itself, as bench_pages has it."""
    times = []
    with requests.Session() as session:
        session.cookies.set("sessionid", shown.cookie)
        for _ in range(rounds + 3):
            began = time.perf_counter()
            session.get(shown.url + path, timeout=60).raise_for_status()
            times.append(1e3 * (time.perf_counter() - began))
    return median(times[3:])


# --- The overlay ----------------------------------------------------------------------


def overlay_curves() -> np.ndarray[Any, Any]:
    """Swings x series x frames: bells like those of a swing, each its own."""
    rng = np.random.default_rng(5)
    at = np.linspace(-1.0, 0.6, FRAMES)
    peaks = (
        rng.normal(0.0, 0.03, (SWINGS, SERIES, 1)) - 0.08 * np.arange(SERIES)[:, None]
    )
    height = (
        rng.normal(1.0, 0.05, (SWINGS, SERIES, 1))
        * 300
        * (1 + np.arange(SERIES))[:, None]
    )
    noise = rng.normal(0.0, 2.0, (SWINGS, SERIES, FRAMES))
    return height * np.exp(-(((at - peaks) / 0.12) ** 2)) + noise


def overlay(curves: np.ndarray[Any, Any]) -> tuple[str, float]:
    """The product's chart as HTML, and the milliseconds that making it took."""
    import django

    django.setup()
    from django.template.loader import render_to_string

    from dashboard import charts

    parts = ("pelvis", "torso", "lead_arm", "hands", "bat", "separation")
    began = time.perf_counter()
    lines = [
        charts.Line(
            key=f"s{place}",
            part=parts[place],
            name=f"Swing {swing + 1}",
            x0=-1000.0,
            dx=1600.0 / (FRAMES - 1),
            y=curves[swing, place],
            role="single",
            unit="°/s",
        )
        for swing in range(SWINGS)
        for place in range(SERIES)
    ]
    figure = charts.Chart(
        lines=lines, x_title="Time (ms)", y_title="Rotation speed (°/s)", y_unit="°/s"
    ).to_json()
    html = render_to_string(
        "components/chart.html",
        {"id": "overlay", "figure": figure, "title": "Overlay", "size": "l"},
    )
    return html, 1e3 * (time.perf_counter() - began)


def lists(curves: np.ndarray[Any, Any]) -> tuple[str, float]:
    """Return the chart as Plotly usually gets it: JSON lists of times and values."""
    began = time.perf_counter()
    x = np.linspace(-1000.0, 600.0, FRAMES)
    data = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"Swing {swing + 1}",
            "x": x.tolist(),
            "y": curves[swing, place].tolist(),
        }
        for swing in range(SWINGS)
        for place in range(SERIES)
    ]
    text = json.dumps({"data": data, "layout": {"showlegend": False}})
    return text, 1e3 * (time.perf_counter() - began)


def squeezed(text: str) -> int:
    """Bytes as the web server would send them."""
    return len(brotli.compress(text.encode(), quality=4))


# --- Rows -----------------------------------------------------------------------------


def page_rows(
    name: str,
    path: str,
    seen: list[Json],
    plain: list[Json],
    shown: Product,
    rounds: int,
) -> list[Result]:
    """Return the rows of one page, measured against a plain one."""

    def of(visits: list[Json], what: str) -> float:
        return median([visit[what] for visit in visits])

    sent, sent_plain = seen[-1]["bytes"], plain[-1]["bytes"]
    total, total_plain = sum(sent.values()), sum(sent_plain.values())
    time_ms = server_ms(shown, path, rounds)
    plain_ms = server_ms(shown, "/accounts/password_change/", rounds)
    return [
        Result(
            f"{name}: sent",
            f"{total / 1e3:.0f} kB ({kinds_text(sent)})",
            f"a page without charts: {total_plain / 1e3:.0f} kB",
            total / total_plain,
        ),
        Result(
            f"{name}: server time",
            f"{time_ms:.0f} ms",
            f"a page without charts: {plain_ms:.0f} ms",
            time_ms / plain_ms,
            "under 300 ms",
            time_ms < 300,
        ),
        Result(
            f"{name}: until the charts on the screen are drawn",
            f"{of(seen, 'drawn_ms'):.0f} ms; first paint "
            f"{of(seen, 'painted_ms'):.0f} ms; Plotly "
            f"{of(seen, 'live_ms'):.0f} ms after the first move",
            f"a page without charts, loaded: {of(plain, 'drawn_ms'):.0f} ms",
            of(seen, "drawn_ms") / of(plain, "drawn_ms"),
        ),
    ]


def run(is_quick: bool) -> Report:
    """For `make bench`."""
    rounds = 3 if is_quick else 7
    with (
        tempfile.TemporaryDirectory() as folder,
        product(
            Path(folder),
            players=3,
            sessions=2,
            swings=SWINGS,
            rate_hz=300,
            duration_s=2.0,
        ) as shown,
    ):
        return measured(shown, rounds)


def measured(shown: Product, rounds: int) -> Report:
    """Return the rows of all pages."""
    from playwright.sync_api import sync_playwright

    rows: list[Result] = []
    curves = overlay_curves()
    os.environ.update(shown.environment)  # the chart's template is the product's
    html, html_ms = overlay(curves)
    text, text_ms = lists(curves)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        browser = Browser(chromium, shown)
        plain = browser.visits("/accounts/password_change/", nothing, rounds)
        for name, path in (
            ("one swing", shown.pages["swing"]),
            (f"session of {shown.swings} swings", shown.pages["session"]),
        ):
            seen = browser.visits(path, drawn, rounds)
            rows += page_rows(name, path, seen, plain, shown, rounds)
        played = browser.visits(shown.pages["swing"], play, 3)
        pair = browser.visits(two_figures(shown), play, 3)
        # In turns: what else the machine does then falls on both.
        laid, laid_lists = [], []
        for _ in range(rounds):
            laid.append(browser.visit(shown.pages["session"], laid_by_us(html)))
            laid_lists.append(
                browser.visit(shown.pages["session"], laid_by_plotly(text))
            )
        chromium.close()
    rows += figure_rows("one swing", played)
    rows += figure_rows("two figures of a comparison", pair)
    size = f"{SWINGS} swings x {SERIES} series x {FRAMES} frames"
    rows += [
        Result(
            f"{size}: sent",
            f"{squeezed(html) / 1e3:.0f} kB",
            f"JSON lists: {squeezed(text) / 1e3:.0f} kB",
            squeezed(html) / squeezed(text),
        ),
        Result(
            f"{size}: server time of the chart",
            f"{html_ms:.0f} ms",
            f"JSON lists: {text_ms:.0f} ms",
            html_ms / text_ms,
        ),
        *drawing_rows(size, laid, laid_lists),
    ]
    return Report(
        "bench_browser",
        "In the browser",
        "Headless Chromium without a graphics card, 1440 x 900, nothing cached, "
        f"median of {rounds} visits; gunicorn on the same two cores, SQLite; a session "
        f"of {shown.swings} swings of {FRAMES} frames",
        tuple(rows),
    )


def two_figures(shown: Product) -> str:
    """Return the address of a comparison of a swing with its session."""
    swing, session = (
        shown.pages[name].rstrip("/").rsplit("/", 1)[1] for name in ("swing", "session")
    )
    return f"/athletes/compare/?items=swing-{swing},session-{session}"


def play(page: Any, found: Json) -> None:
    """Play the figure of a page, and note its pictures and what they cost."""
    drawn(page, found)
    found["empty"] = page.evaluate(EMPTY_RATE, PLAY_S)
    spent = MainThread(page)
    found["figure"] = page.evaluate(FIGURE_RATE, PLAY_S)
    pictures = found["figure"]["rate"] * PLAY_S
    found["main_ms"] = spent.ms("TaskDuration") / pictures
    found["script_ms"] = spent.ms("ScriptDuration") / pictures


def laid_by_us(html: str) -> Callable[[Any, Json], None]:
    """Return what draws the overlay as the product sends it, and notes the time."""

    def lay(page: Any, found: Json) -> None:
        drawn(page, found)
        spent = MainThread(page)
        found["ms"] = page.evaluate(OVERLAY % (SWINGS * SERIES), html)
        found["main_ms"] = spent.ms("TaskDuration")

    return lay


def laid_by_plotly(text: str) -> Callable[[Any, Json], None]:
    """Return what draws the overlay from JSON lists by Plotly, and notes the time."""

    def lay(page: Any, found: Json) -> None:
        drawn(page, found)
        spent = MainThread(page)
        found["ms"] = page.evaluate(PLAIN_PLOT, text)
        found["main_ms"] = spent.ms("TaskDuration")

    return lay


def figure_rows(name: str, played: list[Json]) -> list[Result]:
    """Return the rows about a page whose figures play."""
    rate = median([visit["figure"]["rate"] for visit in played])
    worst = median([visit["figure"]["worst"] for visit in played])
    empty = median([visit["empty"] for visit in played])
    main_ms = median([visit["main_ms"] for visit in played])
    script_ms = median([visit["script_ms"] for visit in played])
    budget_ms = 1e3 / FRAMES_WISH
    return [
        Result(
            f"{name}: pictures a second, playing",
            f"{rate:.0f}; 19 of 20 within {worst:.0f} ms",
            f"the display's own rate, nothing drawn: {empty:.0f}",
            rate / empty,
            f"at least {FRAMES_BAR:.0f}",
            rate >= FRAMES_BAR,
        ),
        Result(
            f"{name}: processor of the page for one of them",
            f"{main_ms:.1f} ms, of them {script_ms:.1f} ms script",
            f"time between two at {FRAMES_WISH:.0f} a second: {budget_ms:.0f} ms",
            main_ms / budget_ms,
            "at most half",
            main_ms <= budget_ms / 2,
        ),
    ]


def drawing_rows(size: str, laid: list[Json], laid_lists: list[Json]) -> list[Result]:
    """Return the rows about drawing the overlay, held against Plotly alone."""
    ours = median([visit["ms"] for visit in laid])
    ours_main = median([visit["main_ms"] for visit in laid])
    theirs = median([visit["ms"] for visit in laid_lists])
    theirs_main = median([visit["main_ms"] for visit in laid_lists])
    return [
        Result(
            f"{size}: until drawn",
            f"{ours:.0f} ms",
            f"JSON lists, Plotly alone: {theirs:.0f} ms",
            ours / theirs,
            "no more than Plotly alone",
            ours <= theirs,
        ),
        Result(
            f"{size}: processor of the page until drawn",
            f"{ours_main:.0f} ms",
            f"JSON lists, Plotly alone: {theirs_main:.0f} ms",
            ours_main / theirs_main,
            "no more than Plotly alone",
            ours_main <= theirs_main,
        ),
    ]


if __name__ == "__main__":
    print(table(run(is_quick="--quick" in sys.argv).results))
