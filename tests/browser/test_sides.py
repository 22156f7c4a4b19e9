"""The two swings of a switch hitter in a real browser: chosen in place, drawn apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from athletes.analysis import session_summary
from athletes.models import Movement
from tests.browser.site_pages import hit
from tests.factories import make_player, make_user

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
    tiles = page.locator(".swing-strip li")
    expect(tiles).to_have_count(5)
    expect(page.locator("#swing-table tfoot tr")).to_have_count(2)
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="Batting left", exact=True).click()
    expect(tiles).to_have_count(2)
    page.wait_for_url("**side=left**")
    expect(page.locator("#swing-table tfoot")).to_contain_text(
        "Batting left: mean of 2"
    )
    page.get_by_role("link", name="Hand speed", exact=True).click()
    page.wait_for_url("**sort=-peak_hand_speed**side=left**")
    page.locator("#id_series").select_option("pelvis_omega")
    page.wait_for_url("**side=left**series=pelvis_omega**")
    assert page.evaluate("window.stayed") is True
    page.reload()
    expect(tiles).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_everybody_can_read_both_sides_at_any_width(visit, session, scheme, width):
    # axe measures colours with a style sheet of its own.
    for address in (
        f"/athletes/sessions/{session.pk}/",
        f"/athletes/{session.player_id}/",
        f"/athletes/{session.player_id}/sheet/",
        f"/athletes/compare/?items=session-{session.pk}-left,session-{session.pk}-right",
    ):
        page = visit(address, scheme=scheme, width=width, bypass_csp=True)
        page.evaluate(AXE)
        found = page.evaluate("axe.run('main', {resultTypes: ['violations']})")
        assert [item["id"] for item in found["violations"]] == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= width
