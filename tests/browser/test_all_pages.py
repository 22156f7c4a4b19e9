"""What holds on every page, with one world of rows for all of it.

It fits, axe finds nothing in either theme, a finger can hit what is tapped, and without
scripts it says what it has to say. Each page is opened once with scripts and once
without, and asked everything there.
"""

from __future__ import annotations

import pytest

from athletes.models import HandUpload, Note
from tests.browser import site_pages
from tests.browser.looks import PAINTED, STILL, go, violations
from tests.browser.page_checks import DEAD, FITS, SMALL, TOUCHING
from tests.factories import make_superuser
from tests.privacy.conftest import files
from tests.routes import OURS

__all__ = ["files"]

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_route_has_a_row():
    assert OURS - site_pages.PAGES.keys() == set(), (
        "add rows to PAGES: how the page is opened, or why it is none"
    )


def test_every_row_has_a_route():
    assert site_pages.PAGES.keys() - OURS == set()


# Structure is looked at in narrow and wide, colors in light and dark. By day pages take
# turns, each in one of its states; at night each has all, in all its states. What pages
# are made of is looked at in both by test_design.py.
WIDTHS = (360, 390, 820, 1440, 1920)
BY_DAY = ({360: "dark"}, {1440: "light"})
AT_NIGHT = (dict.fromkeys(WIDTHS, "") | {1440: "light", 390: "dark"},)


def first_states():
    """Each page in one of its states, and what stands in place of one."""
    rows = [row[0] for row in site_pages.PAGES.values() if not isinstance(row, str)]
    return [*rows, *site_pages.ERRORS]


class Fingers:
    """A page that is used by a pointer, and for a moment by fingers."""

    def __init__(self, page) -> None:
        self.page = page
        self._wire = page.context.new_cdp_session(page)

    def faults(self):
        """What a finger misses at a tablet's width, and what its links look like."""
        self.page.set_viewport_size({"width": 820, "height": 1180})
        self._touch(True)
        self.page.evaluate(PAINTED)
        is_coarse = self.page.evaluate("matchMedia('(pointer: coarse)').matches")
        found = [f"small: {text}" for text in self.page.evaluate(SMALL)]
        found += self.page.evaluate(TOUCHING)
        self._touch(False)
        return found if is_coarse else ["the page was not told of fingers"]

    def _touch(self, is_on):
        self._wire.send("Emulation.setTouchEmulationEnabled", {"enabled": is_on})


def looked_at(page, looks):
    """What does not fit or keeps somebody out, at each of these widths."""
    problems = []
    for width, scheme in looks.items():
        page.set_viewport_size({"width": width, "height": 900})
        if scheme:
            page.emulate_media(color_scheme=scheme)
        # It waits for the next picture.
        over, sideways, cut = page.evaluate(FITS)
        if over > 0:
            problems.append(f"{width}: {over} px too wide")
        problems += [f"{width}: sideways {text!r}" for text in sideways]
        problems += [f"{width}: cut {text!r}" for text in cut]
        if scheme:
            problems += [f"{width} {scheme}: {one}" for one in violations(page)]
    return problems


def with_scripts(pages, cookie, world, shown, looks):
    """What is wrong with pages, by their names."""
    known = pages.open(session_cookie=cookie, alone=True, **STILL)
    stranger = pages.open(alone=True, **STILL)
    fingers = {page: Fingers(page) for page in (known, stranger)}
    problems = {}
    for place, one in enumerate(shown):
        page = stranger if one.anonymous else known
        go(page, one.address.format(**world))
        found = looked_at(page, looks[place % len(looks)])
        found += fingers[page].faults()
        # The page that is not there says so with its status.
        is_missing = one in site_pages.ERRORS
        found += [it for it in pages.problems if not (is_missing and "404" in it)]
        pages.problems.clear()
        if found:
            problems[one.name] = found
    return problems


def without_scripts(pages, cookie, world, shown):
    """What does nothing or is waited for in vain, by the names of pages."""
    blind = {"java_script_enabled": False}
    known = pages.open(width=820, session_cookie=cookie, **blind)
    stranger = pages.open(width=390, **blind)
    problems = {}
    for one in shown:
        # Made of its scripts alone; the document itself is at /openapi.json.
        if one.name == "api-docs":
            continue
        page = stranger if one.anonymous else known
        page.goto(one.address.format(**world))
        if found := page.evaluate(DEAD):
            problems[f"{one.name} without scripts"] = found
    pages.problems.clear()  # the page that is not there says so in the console
    return problems


@pytest.mark.parametrize(
    "is_night", [False, pytest.param(True, marks=pytest.mark.nightly)]
)
def test_pages_fit_and_are_for_everybody(pages, login_cookie, files, is_night):
    world = site_pages.make_world()
    staff = make_superuser()
    # Files that wait are seen by who chose them alone.
    HandUpload.objects.filter(pk=world["staged"]).update(created_by=staff)
    Note.objects.filter(pk=world["note"]).update(created_by=staff)
    cookie = login_cookie(staff)
    shown = site_pages.site_pages() if is_night else first_states()
    looks = AT_NIGHT if is_night else BY_DAY
    problems = with_scripts(pages, cookie, world, shown, looks)
    # Scripts are gone everywhere alike: a third of the pages by day.
    problems |= without_scripts(pages, cookie, world, shown[:: 1 if is_night else 3])
    assert problems == {}
