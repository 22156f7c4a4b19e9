"""What every test may ask of an open page: whether it stands, fits and can be read."""

from __future__ import annotations

from functools import cache
from itertools import product
from pathlib import Path

import pytest

# Functions, not expressions: Playwright evaluates an expression again at each look,
# with an eval that the content security policy refuses.
# Charts further below wait until the reader comes near.
DRAWN = """() => [...document.querySelectorAll('[data-chart]:not([data-drawn])')]
  .every((chart) => {
    const { top, bottom } = chart.getBoundingClientRect();
    return bottom < 0 || top > window.innerHeight;
  })"""
# Swagger UI draws itself when the rest of its page stands.
SETTLED = """() => document.querySelector('.htmx-request') === null &&
  (!document.querySelector('#swagger-ui') || document.querySelector('.opblock'))"""
# The page's own scripts hear of a new width or theme with the next picture.
PAINTED = """() => new Promise((next) =>
  requestAnimationFrame(() => requestAnimationFrame(next)))"""
OVERFLOW = """() => {
  const root = document.documentElement;
  return root.scrollWidth - root.clientWidth;
}"""

WIDTHS = (390, 1440)
THEMES = ("light", "dark")
#: By day each width and each theme once, at night all pairs.
IN_TURN = ((390, "dark"), (1440, "light"))
ALL = tuple(product(WIDTHS, THEMES))
by_day_and_night = pytest.mark.parametrize(
    "looks",
    [
        pytest.param(IN_TURN, id="in turn"),
        pytest.param(ALL, id="all", marks=pytest.mark.nightly),
    ],
)


def at_width_by_day(*by_day: int, others: tuple[int, ...] = WIDTHS):
    """Give a test its `width`: these by day, the others at night."""
    at_night = [
        pytest.param(width, marks=pytest.mark.nightly)
        for width in others
        if width not in by_day
    ]
    return pytest.mark.parametrize("width", [*by_day, *at_night])


#: What a page is opened with for axe: it measures colors with a style sheet of its
#: own, and they should not be on their way from one theme to the other.
STILL = {"bypass_csp": True, "reduced_motion": "reduce"}


def go(page, path):
    """Open and wait for what the page fetches: leaving earlier would be a fault."""
    page.goto(path)
    page.wait_for_function(SETTLED)


def show(page, selector):
    """Scroll there and wait for the charts: they are drawn when they come near.

    A reader who moves nothing waits some seconds for them.
    """
    page.mouse.move(1, 1)
    page.locator(selector).scroll_into_view_if_needed()
    page.wait_for_function(DRAWN)


@cache
def _axe() -> str:
    return (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")


# The size of what is tapped is not among axe's defaults.
FIND = """([within, only, targets]) => axe.run(within || document, {
  resultTypes: ['violations'],
  preload: false,
  ...(only ? {runOnly: only} : {rules: {'target-size': {enabled: targets}}}),
})"""
COLORS = ["color-contrast", "link-in-text-block"]


def violations(page, *, within=None, colors_alone=False, targets=True):
    """What axe finds on a page that was opened `STILL`, or in one element of it."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_axe())
    found = page.evaluate(FIND, [within, COLORS if colors_alone else None, targets])
    return [
        f"{violation['id']} {node['target']} {node.get('failureSummary', '')}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def at_each(page, looks):
    """Each width in its theme: the page is made so, and the pair is yielded.

    With it comes whether the width is a new one: of another theme colors alone differ.
    """
    before = None
    for width, theme in looks:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        page.evaluate(PAINTED)
        yield width, theme, width != before
        before = width


def for_place(looks, place):
    """Of several pages of one test, each has one look by day."""
    return looks if len(looks) > len(IN_TURN) else looks[place % 2 :][:1]


def problems_at_each(page, looks, **options):
    """Violations and what is too wide, at each width in its theme."""
    problems = []
    for width, theme, is_new in at_each(page, looks):
        if (over := page.evaluate(OVERFLOW)) > 0:
            problems.append(f"{width} {theme}: {over} px too wide")
        found = violations(page, colors_alone=not is_new, **options)
        problems += [f"{width} {theme}: {one}" for one in found]
    return problems
