"""What holds on every page: it fits, and axe finds nothing, in both themes."""

from __future__ import annotations

import pytest

from athletes.models import HandUpload, Note
from tests.browser import site_pages
from tests.browser.looks import OVERFLOW, PAINTED, STILL, go, violations
from tests.factories import make_superuser
from tests.privacy.conftest import files
from tests.routes import OURS

__all__ = ["files"]

pytestmark = pytest.mark.django_db(transaction=True)

# The narrowest and the widest, and what is looked at.
WIDTHS = (360, 390, 820, 1440, 1920)
OUTER = {360, 1920}


def test_every_route_has_a_row():
    assert OURS - site_pages.PAGES.keys() == set(), (
        "add rows to PAGES: how the page is opened, or why it is none"
    )


def test_every_row_has_a_route():
    assert site_pages.PAGES.keys() - OURS == set()


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
# One question for each width: asking costs as much as looking.
FITS = f"""async () => {{
  await ({PAINTED})();
  const isNarrow = innerWidth < 640;
  return [({OVERFLOW})(), isNarrow ? ({SIDEWAYS})() : [], isNarrow ? ({CUT})() : []];
}}"""

# Structure is looked at in both widths and colours in both themes; all four would
# find the same at twice the time. Pages take turns; at night each has both. What pages
# are made of is looked at in both by test_design.py.
LOOKS = [{1440: "light"}, {390: "dark"}]


def looked_at(page, address, looks):
    """What is wrong with one page."""
    go(page, address)
    problems = []
    for width in WIDTHS:
        if len(looks) == 1 and width not in OUTER | looks.keys():
            continue
        page.set_viewport_size({"width": width, "height": 900})
        over, sideways, cut = page.evaluate(FITS)
        if over > 0:
            problems.append(f"{width}: {over} px too wide")
        problems += [f"{width}: sideways {text!r}" for text in sideways]
        problems += [f"{width}: cut {text!r}" for text in cut]
        if scheme := looks.get(width):
            page.emulate_media(color_scheme=scheme)
            page.evaluate(PAINTED)
            problems += [f"{width} {scheme}: {one}" for one in violations(page)]
    return problems


@pytest.mark.parametrize(
    "looks",
    [
        pytest.param(LOOKS, id="in turn"),
        pytest.param([LOOKS[0] | LOOKS[1]], id="all", marks=pytest.mark.nightly),
    ],
)
def test_pages_fit_and_are_accessible_in_both_themes(pages, login_cookie, files, looks):
    world = site_pages.make_world()
    staff = make_superuser()
    # Files that wait are seen by who chose them alone.
    HandUpload.objects.filter(pk=world["staged"]).update(created_by=staff)
    Note.objects.filter(pk=world["note"]).update(created_by=staff)
    known = pages.open(session_cookie=login_cookie(staff), **STILL)
    stranger = pages.open(**STILL)
    problems = {}
    for place, one in enumerate(site_pages.site_pages()):
        found = looked_at(
            stranger if one.anonymous else known,
            one.address.format(**world),
            looks[place % len(looks)],
        )
        if one in site_pages.ERRORS:
            # The page that is not there says so with its status.
            noted = [text for text in pages.problems if "404" not in text]
        else:
            noted = list(pages.problems)
        pages.problems.clear()
        if found or noted:
            problems[one.name] = [*found, *noted]
    assert problems == {}
