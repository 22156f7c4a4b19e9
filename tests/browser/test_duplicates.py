"""One athlete entered twice: flagged, compared, merged and separated, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from athletes.analysis.summaries import refresh_player_summaries
from athletes.identity import duplicates
from athletes.models import AthleteMerge, DuplicatePair, Player
from tests.browser.looks import STILL, by_day_and_night, for_place, go, problems_at_each
from tests.factories import make_player, make_session, make_staff, make_swing, make_team

pytestmark = pytest.mark.django_db(transaction=True)

SHARED = "00000000-0000-4000-8000-00000000beef"


@pytest.fixture
def two():
    """Two records of one athlete; they say different weights and share a session."""
    players = [
        make_player(
            first_name="Fern", last_name=name, date_of_birth="2008-05-06", weight_lbs=w
        )
        for name, w in (("Callisto", 150.0), ("Calisto", 155.0))
    ]
    for place, player in enumerate(players):
        for session_id in (SHARED, f"own-{place}", f"more-{place}")[: 3 - place]:
            session = make_session(player=player, session_id=session_id)
            for _ in range(3):
                make_swing(session=session)
            session.swing_count = 3
            session.save(update_fields=["swing_count"])
    make_team(name="Juniors", players=players[:1])
    make_team(name="Seniors", players=players[1:])
    refresh_player_summaries([player.pk for player in players])
    duplicates.compare_waiting()
    return players


@pytest.fixture
def staff_page(pages, login_cookie):
    """Function: a page of a logged-in member of staff."""
    cookie = login_cookie(make_staff(username="staff-of-the-test"))
    return lambda **options: pages.open(session_cookie=cookie, **options)


def test_from_the_flag_to_the_merge_and_back(staff_page, two):
    kept = two[0]
    page = staff_page()
    page.goto("/")
    page.get_by_role("link", name="Possible duplicates").click()
    expect(
        page.get_by_role("heading", name="Similar name, same birth date")
    ).to_be_visible()
    page.get_by_role("link", name="Compare and merge").click()
    row = page.get_by_role("row", name="Weight")
    expect(row.get_by_role("radio").first).to_be_checked()
    row.get_by_role("radio").last.check()
    expect(page.get_by_text("Coaches of Seniors will see everything")).to_be_visible()
    page.get_by_role("button", name="Merge into Fern Callisto").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fern Callisto")
    expect(page.locator(".facts")).to_contain_text("155 lb")
    assert Player.objects.get().session_count == 4
    page.locator("#identities").get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo the merge").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fern Calisto")
    assert AthleteMerge.objects.get().undone_by.username == "staff-of-the-test"
    sessions = {p.last_name: p.session_count for p in Player.objects.all()}
    assert sessions == {"Callisto": 3, "Calisto": 2}
    kept.refresh_from_db()
    assert kept.weight_lbs == 150.0


def test_without_scripts_a_pair_is_called_two_people_and_taken_back(staff_page, two):
    page = staff_page(java_script_enabled=False)
    page.goto("/athletes/")
    page.get_by_role("link", name="possible duplicate").first.click()
    page.get_by_role("link", name="Compare…").click()
    page.get_by_role("button", name="Not the same").click()
    expect(page.get_by_text("No duplicates to review")).to_be_visible()
    assert DuplicatePair.objects.get().dismissed_by.username == "staff-of-the-test"
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Compare and merge")).to_be_visible()
    assert DuplicatePair.objects.get().dismissed_at is None


@by_day_and_night
def test_the_pages_read_well(staff_page, two, looks):
    page = staff_page(width=390, **STILL)
    problems = {}
    for place, path in enumerate(
        (
            "/athletes/duplicates/",
            f"/athletes/{two[0].pk}/merge/{two[1].pk}/",
        )
    ):
        go(page, path)
        if found := problems_at_each(page, for_place(looks, place)):
            problems[path] = found
    assert problems == {}
