"""Percentiles in a real browser: chosen in place, defined in place, readable by all."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.looks import STILL, by_day_and_night, for_place, problems_at_each
from tests.dashboard.test_athlete_peers import crowd

pytestmark = pytest.mark.django_db(transaction=True)


def test_another_group_comes_in_place_and_stays_in_the_address(visit):
    athlete = (crowd(20, years=14) + crowd(20, years=17, start=10.0))[0]
    page = visit(f"/athletes/{athlete.pk}/")
    words = page.locator(".place__words")
    expect(words).to_have_text("0 of 20 lower")
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="All ages").click()
    expect(words).to_have_text("20 of 40 lower")
    page.wait_for_url("**among=all**")
    assert page.evaluate("window.stayed") is True
    page.reload()
    expect(words).to_have_text("20 of 40 lower")


def test_what_a_percentile_is_opens_in_place(visit):
    athlete = crowd(20)[0]
    page = visit(f"/athletes/{athlete.pk}/")
    page.locator(".peers__note .definition-link").click()
    dialog = page.locator("#definition-dialog-body")
    expect(dialog).to_contain_text("mid-rank")
    assert page.url.endswith(f"/athletes/{athlete.pk}/")


@by_day_and_night
def test_everybody_can_read_it_at_any_width(visit, looks):
    page = visit(f"/athletes/{crowd(20)[0].pk}/", width=390, **STILL)
    assert problems_at_each(page, for_place(looks, 0), within="#peers") == []
