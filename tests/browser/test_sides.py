"""The two swings of a switch hitter in a real browser: chosen in place, drawn apart."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from athletes.analysis import session_summary
from athletes.models import Movement
from tests.browser.looks import STILL, by_day_and_night, for_place, go, problems_at_each
from tests.browser.site_pages import hit
from tests.factories import make_player

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session():
    """Two swings of the five are from the left."""
    session = hit(player=make_player(dominant_hand_hitting="switch"))
    swings = session.movements.filter(is_swing=True).in_session_order()
    left = [swing.pk for swing in swings[:2]]
    Movement.objects.filter(pk__in=left).update(side="left")
    session_summary.refresh_session_summary(session.pk)
    return session


def test_a_side_comes_in_place_and_stays_with_order_and_series(visit, session):
    page = visit(f"/athletes/sessions/{session.pk}/")
    page.get_by_role("link", name="Show all numbers").click()
    tiles = page.locator(".swing-strip li")
    expect(tiles).to_have_count(5)
    expect(page.locator("#swing-table tfoot tr")).to_have_count(2)
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="Batting left", exact=True).click()
    expect(tiles).to_have_count(2)
    page.wait_for_url("**side=left**")
    expect(page.locator("#swing-table tfoot")).to_contain_text(
        "Batting left: average of 2"
    )
    page.get_by_role("link", name="Hand speed", exact=True).click()
    page.wait_for_url("**sort=-peak_hand_speed**side=left**")
    page.locator("#id_series").select_option("pelvis_omega")
    page.wait_for_url("**side=left**series=pelvis_omega**")
    assert page.evaluate("window.stayed") is True
    page.reload()
    expect(tiles).to_have_count(2)


@by_day_and_night
def test_everybody_can_read_both_sides_at_any_width(visit, session, looks):
    page = visit("/athletes/definitions/", width=390, **STILL)
    problems = {}
    addresses = (
        f"/athletes/sessions/{session.pk}/",
        f"/athletes/{session.player_id}/",
        f"/athletes/{session.player_id}/sheet/",
        f"/athletes/compare/?items=session-{session.pk}-left,session-{session.pk}-right",
    )
    # By day the two with most on them; the others differ in less.
    shown = addresses if len(looks) > 2 else addresses[::3]
    for place, address in enumerate(shown):
        go(page, address)
        if found := problems_at_each(page, for_place(looks, place), within="main"):
            problems[address] = found
    assert problems == {}
