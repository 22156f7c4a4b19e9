"""Lighthouse on the six pages that coaches live in: `make lighthouse`.

    python -m benchmarks bench_lighthouse [--quick]

Production settings (benchmarks/product.py), the system's Chromium, Lighthouse as
pinned in benchmarks/lighthouse/. Each page is visited in turn, three times with the
mobile preset, Lighthouse's default (a phone of the middle class on slow 4G), and
three times with the desktop preset; medians count and both are held against the bar.

One SEO audit is left out: `is-crawlable`. Every page says noindex, since athletes are
nobody's search result. All others apply and are held against 100.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.product import product
from benchmarks.results import ROOT, Report, Result, table

HERE = ROOT / "benchmarks" / "lighthouse"
PRESETS = ("mobile", "desktop")
ROUNDS = 3
#: Charts are the page on these; "sessions" is a comparison of six of them.
BARS = {"swing": 90, "compare": 90, "sessions": 90}
BAR = 95
NOT_APPLICABLE = ("is-crawlable",)
FULL = ("accessibility", "best-practices", "seo")
#: The plainest page of the site, the yardstick of the others.
PLAIN = "login"
Json = dict[str, Any]


def visits(task: Json) -> list[Json]:
    """Let Lighthouse visit; one dictionary a visit, in the order asked."""
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules").exists():
        raise SystemExit("Lighthouse is not installed: make lighthouse does it.")
    process = subprocess.Popen(
        [node, "run.mjs"],
        cwd=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(task))
    process.stdin.close()
    found = []
    for line in process.stdout:
        visit: Json = json.loads(line)
        found.append(visit)
        print(
            f"{visit['page']}, {visit['preset']}: {list(visit['scores'].values())} "
            f"{'; '.join(visit['failed'] + visit['hints'])}",
            flush=True,
        )
    if process.wait() != 0:
        raise SystemExit(f"Lighthouse ended with {process.returncode}.")
    return found


def middle(visits_of_page: Iterable[Json], group: str, name: str) -> float:
    """Return the median of one measure over several visits."""
    return statistics.median(visit[group][name] for visit in visits_of_page)


def row(page: str, preset: str, seen: list[Json], plain: list[Json]) -> Result:
    """Return the row of one page on one kind of device."""
    bar = BARS.get(page, BAR)
    speed = middle(seen, "scores", "performance")
    scores = [visit["scores"]["performance"] for visit in seen]
    full = {name: min(visit["scores"][name] for visit in seen) for name in FULL}
    painted = middle(seen, "numbers", "largest-contentful-paint")
    painted_plain = middle(plain, "numbers", "largest-contentful-paint")
    failed = sorted({text for visit in seen for text in visit["failed"]})
    return Result(
        f"{page}, {preset}",
        f"performance {speed:.0f} ({min(scores)}–{max(scores)}), "
        + ", ".join(f"{name} {score}" for name, score in full.items())
        + f"; largest paint {painted / 1e3:.1f} s, blocked "
        f"{middle(seen, 'numbers', 'total-blocking-time'):.0f} ms, layout shift "
        f"{middle(seen, 'numbers', 'cumulative-layout-shift'):.3f}, "
        f"{middle(seen, 'numbers', 'total-byte-weight') / 1e3:.0f} kB"
        + (f"; failed: {', '.join(failed)}" if failed else ""),
        f"{PLAIN} page: largest paint {painted_plain / 1e3:.1f} s",
        painted / painted_plain,
        f"performance {bar}, the others 100",
        speed >= bar and all(score == 100 for score in full.values()),
    )


def run(is_quick: bool) -> Report:
    """For `make lighthouse`."""
    rounds = 1 if is_quick else ROUNDS
    chrome = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chrome is None:
        raise SystemExit("Chromium is needed; CHROMIUM may name it.")
    with (
        tempfile.TemporaryDirectory() as folder,
        product(Path(folder), players=30, sessions=40, swings=6) as shown,
    ):
        addresses = {name: shown.url + path for name, path in shown.pages.items()}
        login = {"name": "sessionid", "value": shown.cookie, "domain": "localhost"}
        plain = f"{shown.url}/accounts/login/"
        common: Json = {"chrome": chrome, "skipAudits": NOT_APPLICABLE}
        seen: list[Json] = []
        for _ in range(rounds):
            turn = [
                {"page": page, "url": url, "preset": preset}
                for preset in PRESETS
                for page, url in addresses.items()
            ]
            seen += visits(common | {"cookie": login, "visits": turn})
            turn = [
                {"page": PLAIN, "url": plain, "preset": preset} for preset in PRESETS
            ]
            seen += visits(common | {"cookie": None, "visits": turn})
        wrong = [
            visit["shown"]
            for visit in seen
            if visit["page"] != PLAIN and "/accounts/login" in visit["shown"]
        ]
        if wrong:
            raise SystemExit(f"Not signed in at {wrong}.")
        swings = shown.swings
    chosen: dict[tuple[str, str], list[Json]] = {}
    for visit in seen:
        chosen.setdefault((visit["page"], visit["preset"]), []).append(visit)
    rows = [
        row(page, preset, chosen[page, preset], chosen[PLAIN, preset])
        for preset in PRESETS
        for page in addresses
    ]
    speed = statistics.median(visit["speed"] for visit in seen)
    return Report(
        "bench_lighthouse",
        "Lighthouse",
        f"Lighthouse {seen[0]['version']}, its presets for mobile and desktop with "
        f"simulated throttling, median of {rounds} visits (the other three categories: "
        f"the worst); gunicorn, DEBUG off, 30 athletes, a session of {swings} swings; "
        f"benchmark index of the machine {speed:.0f}; SEO without is-crawlable, since "
        "every page is noindex",
        tuple(rows),
    )


if __name__ == "__main__":
    print(table(run(is_quick="--quick" in sys.argv).results))
