"""What a finger taps is 44 px high and wide, on every page at a tablet's width."""

from __future__ import annotations

import pytest

from athletes.models import HandUpload, Note
from tests.browser import site_pages
from tests.browser.looks import PAINTED, STILL, go
from tests.factories import make_superuser
from tests.privacy.conftest import files

__all__ = ["files"]

pytestmark = pytest.mark.django_db(transaction=True)

# A box with its label is one target, and so is a row or a tile that one link covers.
# Left out as WCAG 2.5.8 does: what stands in a line with other words, for it is as high
# as the line. A pixel is rounded away.
SMALL = """() => {
  const TARGETS =
    "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const boxOf = (element) => {
    const over = getComputedStyle(element, "::after");
    if (over.content !== "none" && over.inset === "0px") {
      let holder = element;
      while (getComputedStyle(holder).position === "static" && holder.parentElement)
        holder = holder.parentElement;
      return holder.getBoundingClientRect();
    }
    const box = element.getBoundingClientRect();
    const label = /checkbox|radio|file/.test(element.type) && element.labels?.[0];
    if (!label) return box;
    const words = label.getBoundingClientRect();
    const [left, top] = [Math.min(box.left, words.left), Math.min(box.top, words.top)];
    return {
      width: Math.max(box.right, words.right) - left,
      height: Math.max(box.bottom, words.bottom) - top,
    };
  };
  const isIn = (element, kinds) => kinds.test(getComputedStyle(element).display);
  const isInText = (element) => {
    if (!isIn(element, /^inline/)) return false;
    let block = element.parentElement;
    while (isIn(block, /^(inline|contents)/)) block = block.parentElement;
    if (isIn(block, /flex|grid/)) return false;
    const words = block.cloneNode(true);
    for (const other of words.querySelectorAll(
      "a, button, summary, select, input, script, template, [popover]"
    ))
      other.remove();
    return /[\\p{L}\\p{N}]/u.test(words.textContent);
  };
  return [...document.querySelectorAll(TARGETS)]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }))
    .filter((one) => one.offsetWidth > 1 && one.offsetHeight > 1)
    .map((one) => [one, boxOf(one)])
    .filter(([, box]) => Math.min(box.width, box.height) < 43.5)
    .filter(([one]) => !isInText(one))
    .map(([one, box]) => {
      const name = one.innerText || one.getAttribute("aria-label") || one.type;
      const place = `${one.parentElement.className} > ${one.localName}`;
      const size = `${Math.round(box.width)} x ${Math.round(box.height)}`;
      return `${place} ${name.slice(0, 40)}: ${size}`;
    });
}"""


@pytest.mark.parametrize(
    "states",
    [
        pytest.param(slice(0, 1), id="first"),
        pytest.param(slice(1, None), id="others", marks=pytest.mark.nightly),
    ],
)
def test_targets_are_as_large_as_a_finger(pages, login_cookie, files, states):
    """One state of each page by day, the others at night."""
    world = site_pages.make_world()
    staff = make_superuser()
    # Files that wait are seen by who chose them alone.
    HandUpload.objects.filter(pk=world["staged"]).update(created_by=staff)
    Note.objects.filter(pk=world["note"]).update(created_by=staff)
    tablet = {"width": 820, "height": 1180, "has_touch": True, **STILL}
    known = pages.open(session_cookie=login_cookie(staff), **tablet)
    stranger = pages.open(**tablet)
    small = {}
    of_routes = [row for row in site_pages.PAGES.values() if not isinstance(row, str)]
    for one in [one for row in of_routes for one in row[states]]:
        page = stranger if one.anonymous else known
        go(page, one.address.format(**world))
        page.evaluate(PAINTED)
        if found := page.evaluate(SMALL):
            small[one.name] = found
    assert small == {}


@pytest.mark.parametrize("width", [390, 820])
def test_the_search_in_the_head_is_as_high_as_a_finger(visit, width):
    page = visit("/athletes/", width=width, has_touch=True)
    box = page.locator("[data-search]").bounding_box()
    assert box["height"] >= 44
    assert box["y"] > 0
