"""Percentiles in a real browser: chosen in place, defined in place, readable by all."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.dashboard.test_athlete_peers import crowd
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def visit(pages, login_cookie):
    cookie = login_cookie(make_user())

    def open_page(path, **options):
        page = pages.open(session_cookie=cookie, **options)
        page.goto(path)
        page.wait_for_load_state("networkidle")
        return page

    return open_page


def test_another_group_comes_in_place_and_stays_in_the_address(visit):
    athlete = (crowd(20, years=14) + crowd(20, years=17, start=10.0))[0]
    page = visit(f"/athletes/{athlete.pk}/")
    words = page.locator(".place__words")
    expect(words).to_have_text("3rd percentile n = 20")
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="All ages").click()
    expect(words).to_have_text("51st percentile n = 40")
    page.wait_for_url("**among=all**")
    assert page.evaluate("window.stayed") is True
    page.reload()
    expect(words).to_have_text("51st percentile n = 40")


def test_what_a_percentile_is_opens_in_place(visit):
    athlete = crowd(20)[0]
    page = visit(f"/athletes/{athlete.pk}/")
    page.locator(".peers__note .definition-link").click()
    dialog = page.locator("#definition-dialog-body")
    expect(dialog).to_contain_text("mid-rank")
    assert page.url.endswith(f"/athletes/{athlete.pk}/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_everybody_can_read_it_at_any_width(visit, scheme, width):
    athlete = crowd(20)[0]
    # axe measures colours with a style sheet of its own.
    page = visit(
        f"/athletes/{athlete.pk}/", scheme=scheme, width=width, bypass_csp=True
    )
    page.evaluate(AXE)
    found = page.evaluate("axe.run('#peers', {resultTypes: ['violations']})")
    assert [item["id"] for item in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
