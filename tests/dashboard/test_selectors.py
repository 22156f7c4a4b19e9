"""Pages of rows, filters and orders of the athlete list."""

from __future__ import annotations

import datetime as dt

import pytest

from athletes.models import Player
from dashboard.selectors.athlete_list import AthleteFilter, athlete_list
from dashboard.selectors.paging import RowOrder, bounded_count, page_of
from tests.factories import make_player

pytestmark = pytest.mark.django_db


def everybody_paged(order, **wanted):
    everybody = Player.objects.all()
    return page_of(everybody, order, among=everybody, **wanted)


def walk_forward(order, size=3):
    """Ids on each page from the first to the last."""
    pages, after = [], None
    while True:
        page = everybody_paged(order, size=size, after=after)
        pages.append([row.pk for row in page.rows])
        if not page.has_next:
            return pages
        after = page.last_id


def make_dated(dates):
    return [
        make_player(last_session_on=date and dt.date(2026, 1, date)).pk
        for date in dates
    ]


@pytest.mark.parametrize("descending", [False, True])
def test_pages_hold_each_row_once_with_missing_values_last(descending):
    ids = make_dated([3, None, 1, 3, None, 2, 5, None])
    order = RowOrder(("last_session_on", "id"), descending=descending, nullable=True)
    pages = walk_forward(order)
    a, n1, c, d, n2, f, g, n3 = ids
    dated = [g, d, a, f, c] if descending else [c, f, a, d, g]
    assert [pk for page in pages for pk in page] == [*dated, n1, n2, n3]
    assert [len(page) for page in pages] == [3, 3, 2]


@pytest.mark.parametrize("descending", [False, True])
def test_pages_backwards_are_the_pages_forwards(descending):
    make_dated([3, None, 1, 3, None, 2, 5, None, 4])
    order = RowOrder(("last_session_on", "id"), descending=descending, nullable=True)
    pages = walk_forward(order)
    back = everybody_paged(order, size=3, before=pages[2][0])
    assert [row.pk for row in back.rows] == pages[1]
    assert back.has_next
    assert back.has_previous
    first = everybody_paged(order, size=3, before=pages[1][0])
    assert [row.pk for row in first.rows] == pages[0]
    assert not first.has_previous


def test_pages_by_name_go_on_within_one_last_name():
    for first in "DBAC":
        make_player(first_name=first, last_name="Same")
    make_player(first_name="Z", last_name="Later")
    order = RowOrder(("last_name", "first_name", "id"))
    page = everybody_paged(order, size=2)
    page = everybody_paged(order, size=2, after=page.last_id)
    assert [row.first_name for row in page.rows] == ["B", "C"]


def test_page_after_a_vanished_row_is_the_first():
    player = make_player()
    page = everybody_paged(RowOrder(("id",)), size=5, after=10**9)
    assert [row.pk for row in page.rows] == [player.pk]
    assert not page.has_previous


def test_count_stops_at_its_limit():
    for _ in range(4):
        make_player()
    assert bounded_count(Player.objects.all(), limit=2) == 3
    assert bounded_count(Player.objects.all(), limit=4) == 4


def test_filters_narrow_the_list():
    make_player(last_name="Alder", dominant_hand_hitting="left")
    make_player(last_name="Birch", data_state="partial")
    make_player(last_name="Cedar", last_session_on=dt.date(2026, 2, 1))
    make_player(last_name="Dogwood", dominant_hand_hitting=None)

    def names(**wanted):
        rows = athlete_list(Player.objects.all(), AthleteFilter(**wanted)).rows
        return [row.name.partition(",")[0] for row in rows]

    assert names() == ["Alder", "Birch", "Cedar", "Dogwood"]
    assert names(q="EDA") == ["Cedar"]
    assert names(q="vent bir") == ["Birch"]
    assert names(bats="left") == ["Alder"]
    assert names(bats="unknown") == ["Dogwood"]
    assert names(state="partial") == ["Birch"]
    assert names(start=dt.date(2026, 2, 1), end=dt.date(2026, 2, 1)) == ["Cedar"]
    assert names(start=dt.date(2026, 2, 2)) == []


def test_list_sorts_by_numbers_and_knows_unknown_orders():
    make_player(last_name="A", swing_count=3, latest_hand_speed_m_per_s=8.0)
    make_player(last_name="B", swing_count=9)
    make_player(last_name="C", swing_count=1, latest_hand_speed_m_per_s=9.5)

    def names(sort):
        listing = athlete_list(Player.objects.all(), AthleteFilter(), sort=sort)
        return "".join(row.name[0] for row in listing.rows)

    assert names("-swings") == "BAC"
    assert names("-hand_speed") == "CAB"
    assert names("hand_speed") == "ACB"
    assert names("no-such-order") == "ABC"


@pytest.mark.parametrize("count", [1, 3])
def test_list_takes_three_queries(count, django_assert_num_queries):
    players = [make_player() for _ in range(count)]
    make_player(last_name="Aaa")
    first = Player.objects.in_name_order().first()
    with django_assert_num_queries(3):
        listing = athlete_list(Player.objects.all(), AthleteFilter(), after=first.pk)
    assert len(listing.rows) == len(players)


@pytest.mark.both
def test_a_page_begins_behind_no_row_that_may_not_be_seen():
    seen, hidden, last = (make_player(last_name=name) for name in ("Ash", "Bay", "Elm"))
    order = RowOrder(("last_name", "first_name", "id"))
    visible = Player.objects.exclude(pk=hidden.pk)
    for mark in ({"after": hidden.pk}, {"before": hidden.pk}):
        page = page_of(visible, order, among=visible, size=5, **mark)
        assert [row.pk for row in page.rows] == [seen.pk, last.pk]
        assert not page.has_previous
    # A row that a filter has taken away since is one that may be seen.
    page = page_of(
        visible.exclude(pk=seen.pk), order, among=visible, size=5, after=seen.pk
    )
    assert [row.pk for row in page.rows] == [last.pk]
