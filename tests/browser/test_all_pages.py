"""What holds on every page: it fits, and axe finds nothing, in both themes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import site_pages
from tests.factories import make_superuser
from tests.privacy.conftest import files

__all__ = ["files"]

pytestmark = pytest.mark.django_db(transaction=True)

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
WIDTHS = (360, 390, 820, 1440, 1920)


def test_every_route_has_a_row():
    assert site_pages.our_routes() - site_pages.PAGES.keys() == set(), (
        "add rows to PAGES: how the page is opened, or why it is none"
    )


def test_every_row_has_a_route():
    assert site_pages.PAGES.keys() - site_pages.our_routes() == set()


# The size of what is tapped is not among axe's defaults.
FIND = """axe.run(document, {
  resultTypes: ['violations'], rules: {'target-size': {enabled: true}},
})"""


def violations(page):
    found = page.evaluate(FIND)
    return [
        f"{violation['id']} {node['target']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


# Swagger UI draws itself when the rest of its page stands.
SETTLED = """() => document.querySelector('.htmx-request') === null &&
  (!document.querySelector('#swagger-ui') || document.querySelector('.opblock'))"""
OVERFLOW = """() => {
  const root = document.documentElement;
  return root.scrollWidth - root.clientWidth;
}"""

# What a phone shows of a table stands as cards; only the numbers behind a chart,
# which are opened by hand, may be wider than the screen.
SIDEWAYS = """() => [...document.querySelectorAll('.table-wrap')]
  .filter((wrap) => !wrap.closest('details.data-table'))
  .filter((wrap) => wrap.scrollWidth > wrap.clientWidth + 1)
  .map((wrap) => wrap.innerText.slice(0, 40))"""
# An input does not tell that the words in it are cut.
CUT = """() => [...document.querySelectorAll('input[placeholder]')]
  .filter((input) => input.offsetWidth)
  .filter((input) => {
    const style = getComputedStyle(input);
    const pen = document.createElement('canvas').getContext('2d');
    pen.font = style.font;
    const room = input.clientWidth
      - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return pen.measureText(input.placeholder).width > room;
  })
  .map((input) => input.placeholder)"""

# Structure is looked at in both widths and colours in both themes; all four would
# find the same at twice the time.
LOOKS = {1440: "light", 390: "dark"}


# The page's own scripts hear of a new width or theme with the next picture.
DRAWN = """() => new Promise((next) =>
  requestAnimationFrame(() => requestAnimationFrame(next)))"""


def looked_at(page, address):
    """What is wrong with one page."""
    page.goto(address)
    page.wait_for_function(SETTLED)
    page.evaluate(AXE)
    problems = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(DRAWN)
        if (over := page.evaluate(OVERFLOW)) > 0:
            problems.append(f"{width}: {over} px too wide")
        if width < 640:
            problems += [
                f"{width}: sideways {text!r}" for text in page.evaluate(SIDEWAYS)
            ]
            problems += [f"{width}: cut {text!r}" for text in page.evaluate(CUT)]
        if scheme := LOOKS.get(width):
            page.emulate_media(color_scheme=scheme)
            page.evaluate(DRAWN)
            problems += [f"{width} {scheme}: {one}" for one in violations(page)]
    return problems


def test_pages_fit_and_are_accessible_in_both_themes(pages, login_cookie, files):
    world = site_pages.make_world()
    # axe measures colours with a style sheet of its own, and they should not be on
    # their way from one theme to the other.
    still = {"bypass_csp": True, "reduced_motion": "reduce"}
    known = pages.open(session_cookie=login_cookie(make_superuser()), **still)
    stranger = pages.open(**still)
    problems = {}
    for one in site_pages.site_pages():
        found = looked_at(
            stranger if one.anonymous else known, one.address.format(**world)
        )
        if found:
            problems[one.name] = found
    # The page that is not there says so with its status.
    pages.problems[:] = [text for text in pages.problems if "404" not in text]
    assert problems == {}
