"""Without scripts every page says what it has to say, and has no dead controls."""

from __future__ import annotations

import pytest

from athletes.models import HandUpload, Note
from tests.browser import site_pages
from tests.factories import make_superuser
from tests.privacy.conftest import files

__all__ = ["files"]

pytestmark = pytest.mark.django_db(transaction=True)

# What would do nothing when it is pressed, and what is waited for in vain.
DEAD = r"""() => {
  const seen = (element) => element.checkVisibility({ visibilityProperty: true });
  const name = (element) => element.outerHTML.replace(/\s+/g, ' ').slice(0, 90);
  const found = [];
  for (const button of document.querySelectorAll('button'))
    if (seen(button) && !button.popoverTargetElement && !button.disabled)
      if (button.type === 'button' || !button.form) found.push(`dead: ${name(button)}`);
  for (const form of document.querySelectorAll('form')) {
    const fields = [...form.elements].filter(seen);
    const types = fields.map((one) => one.type);
    const isTyped = types.length === 1 && ['text', 'search'].includes(types[0]);
    if (fields.length && !isTyped && !types.includes('submit'))
      found.push(`no button sends: ${name(form)}`);
  }
  for (const field of document.querySelectorAll('select, input:not([type=hidden])'))
    if (seen(field) && !field.form && !field.closest('.sheet__more'))
      found.push(`in no form: ${name(field)}`);
  for (const link of document.querySelectorAll('a'))
    if (seen(link) && ['', '#', null].includes(link.getAttribute('href')))
      found.push(`leads nowhere: ${name(link)}`);
  for (const chart of document.querySelectorAll('[data-chart]')) {
    const parts = [...chart.querySelectorAll('img, svg, table, summary')];
    if (seen(chart) && !parts.some(seen))
      found.push(`no picture or table: ${name(chart)}`);
  }
  const main = document.querySelector('main');
  for (const wait of ['Drawing …', 'Loading …', 'Measuring …'])
    if (main.innerText.includes(wait)) found.push(`waits: ${wait}`);
  if (!document.querySelector('h1')) found.push('no heading');
  return found;
}"""


def first_states():
    """Each page in one of its states."""
    return [row[0] for row in site_pages.PAGES.values() if not isinstance(row, str)]


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(first_states, id="one state"),
        pytest.param(site_pages.site_pages, id="all", marks=pytest.mark.nightly),
    ],
)
def test_pages_say_what_they_have_to_say(pages, login_cookie, files, shown):
    world = site_pages.make_world()
    staff = make_superuser()
    HandUpload.objects.filter(pk=world["staged"]).update(created_by=staff)
    Note.objects.filter(pk=world["note"]).update(created_by=staff)
    cookie = login_cookie(staff)
    known = pages.open(width=820, session_cookie=cookie, java_script_enabled=False)
    stranger = pages.open(width=390, java_script_enabled=False)
    problems = {}
    for one in shown():
        # Made of its scripts alone; the document itself is at /openapi.json.
        if one.name == "api-docs":
            continue
        page = stranger if one.anonymous else known
        page.goto(one.address.format(**world))
        if found := page.evaluate(DEAD):
            problems[one.name] = found
    pages.problems.clear()  # the page that is not there says so in the console
    assert problems == {}
