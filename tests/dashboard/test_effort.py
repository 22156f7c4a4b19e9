"""Swings at full effort alone, and how many have an attack angle inside a range."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from athletes.analysis import session_summary
from athletes.models import Movement, Session
from dashboard.selectors.session_page import session_page
from tests.dashboard.page_contents import text_of
from tests.factories import make_session, make_swing, metric

pytestmark = pytest.mark.django_db

# m/s; nine tenths of the fastest are 27.
SPEEDS = (30.0, 27.0, 26.9, 28.0, 20.0, None)
BASIS = "reference=bat_impact bat=sweet_spot"


def swing(session, speed, *, angle=10.0, basis=BASIS, flagged=False, **fields):
    def entry(value):
        return metric(value, reason=None if value is not None else "lost") | {
            "basis": basis if value is not None else "",
            "flagged": flagged,
        }

    made = make_swing(session=session, **fields)
    made.metrics = {
        "bat_speed_max": entry(speed),
        "attack_angle": entry(angle),
        "peak_pelvis_omega": metric(600.0 + 10 * made.position),
    }
    made.save()
    return made


@pytest.fixture
def session():
    session = make_session(condition="tee")
    for speed in SPEEDS:
        swing(session, speed)
    return session


def words_of(response):
    """The words of a page, with no blank where a tag ended before a comma."""
    text = re.sub(r"\s+", " ", text_of(response).replace("\u202f", " "))
    return re.sub(r" (?=[,.;:])", "", text)


def page_of(session, **choices):
    return session_page(session, session.player.sessions.all(), **choices)


def positions(page):
    return [row.position for row in page.swings]


def mean_of(page, name):
    return {reading.metric: reading for reading in page.parts[0].summary}[name]


def test_the_filter_is_off_unless_asked_for(session):
    page = page_of(session)
    assert positions(page) == [1, 2, 3, 4, 5, 6]
    assert page.effort.is_on is False
    assert page_of(session, effort="nonsense").effort.is_on is False


def test_swings_from_nine_tenths_of_the_fastest_on_are_left(session):
    page = page_of(session, effort="full")
    assert positions(page) == [1, 2, 4]
    assert (page.effort.below, page.effort.unknown) == (2, 1)
    (limit,) = page.effort.limits
    assert (limit.side, limit.fastest) == ("", 30.0)
    assert limit.least == pytest.approx(27.0)
    assert page.counted == 3


def test_means_are_over_the_swings_that_are_left(session):
    speed = mean_of(page_of(session, effort="full"), "bat_speed_max")
    assert speed.n == 3
    assert speed.value == pytest.approx((30.0 + 27.0 + 28.0) / 3)
    pelvis = mean_of(page_of(session, effort="full"), "peak_pelvis_omega")
    assert pelvis.value == pytest.approx((610 + 620 + 640) / 3)


def test_the_fastest_may_be_of_another_session_with_the_same_setup(session):
    other = make_session(player=session.player, condition="tee")
    swing(other, 31.2)
    page = page_of(session, effort="full")
    assert page.effort.limits[0].fastest == 31.2
    assert positions(page) == [1]
    # A swing against a pitcher is another thing.
    other.condition = "live"
    other.save()
    assert page_of(session, effort="full").effort.limits[0].fastest == 30.0


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({"flagged": True}, {}),
        ({"basis": "reference=bat_peak bat=sweet_spot"}, {}),
        ({}, {"inclusion": "excluded"}),
        ({}, {"quality_grade": "poor"}),
        ({}, {"is_swing": False}),
        ({}, {"side": "left"}),
    ],
)
def test_what_cannot_be_compared_sets_no_limit(session, fields, changes):
    made = swing(session, 40.0, **fields)
    Movement.objects.filter(pk=made.pk).update(**changes)
    page = page_of(session, effort="full", side="right" if "side" in changes else "")
    assert {1, 2, 4} <= set(positions(page))
    assert 3 not in positions(page)


@pytest.mark.parametrize(
    ("changes", "fastest"),
    [
        ({"session_date": dt.date(2025, 6, 2)}, 40.0),
        ({"session_date": dt.date(2026, 6, 1)}, 40.0),
        # Later, grown up; more than a year before; nobody knows when.
        ({"session_date": dt.date(2026, 6, 2)}, 30.0),
        ({"session_date": dt.date(2025, 6, 1)}, 30.0),
        ({"session_date": None}, 30.0),
        ({"mocap_type_name": "another system"}, 30.0),
    ],
)
def test_the_fastest_is_of_the_year_up_to_the_session(session, changes, fastest):
    session.session_date = dt.date(2026, 6, 1)
    session.save()
    other = make_session(
        player=session.player,
        **({"condition": "tee", "session_date": session.session_date} | changes),
    )
    swing(other, 40.0)
    assert page_of(session, effort="full").effort.limits[0].fastest == fastest


def test_a_session_without_a_day_has_its_own_fastest(session):
    Session.objects.filter(pk=session.pk).update(session_date=None)
    session.refresh_from_db()
    swing(make_session(player=session.player, condition="tee"), 40.0)
    assert page_of(session, effort="full").effort.limits[0].fastest == 30.0


def test_each_basis_of_the_swings_shown_has_its_limit(client, coach, session):
    """The limit that is printed is the one that a swing is held against."""
    peak = "reference=bat_peak bat=sweet_spot"
    for speed in (40.0, 35.0):
        swing(session, speed, basis=peak)
    # On a basis that no swing of this session has.
    swing(
        make_session(player=session.player, condition="tee"), 50.0, basis="reference=x"
    )
    page = page_of(session, effort="full")
    assert [(one.fastest, one.label != "") for one in page.effort.limits] == [
        (30.0, True),
        (40.0, True),
    ]
    assert positions(page) == [1, 2, 4, 7]
    address = reverse("dashboard:session", args=[session.pk])
    text = words_of(client.get(address, {"effort": "full"}))
    assert "67.1 mph, which means 60.4 mph or faster; " in text
    assert "89.5 mph, which means 80.5 mph or faster." in text


def test_another_athlete_sets_no_limit(session):
    swing(make_session(condition="tee"), 45.0)
    # A coach sees the sessions of both.
    page = session_page(session, Session.objects.all(), effort="full")
    assert page.effort.limits[0].fastest == 30.0


def test_each_side_has_its_own_fastest(session):
    for speed in (22.0, 21.0, 19.0):
        swing(session, speed, side="left")
    page = page_of(session, effort="full")
    assert positions(page) == [1, 2, 4, 7, 8]
    assert [(one.side, one.fastest) for one in page.effort.limits] == [
        ("batting right", 30.0),
        ("batting left", 22.0),
    ]
    right, left = page.parts
    assert (right.counted, left.counted) == (3, 2)
    together = page_of(session, effort="full", side="both")
    assert together.counted == 5
    assert mean_of(together, "bat_speed_max").n == 5


def test_without_a_bat_speed_there_is_nothing_to_filter_by():
    session = make_session()
    make_swing(session=session)
    assert page_of(session).effort is None


def test_page_says_the_rule_and_keeps_it_in_the_address(client, coach, session):
    address = reverse("dashboard:session", args=[session.pk])
    plain = client.get(address)
    assert "Full effort" in text_of(plain)
    assert "6 of 6 included in averages" in text_of(plain)
    page = client.get(address, {"effort": "full"})
    text = words_of(page)
    assert "3 of 3 included in averages" in text
    # Imperial units: 30 m/s and 27 m/s.
    assert "at least 90% of the athlete's fastest bat speed with this setup" in text
    assert "this session, 67.1 mph, which means 60.4 mph or faster." in text
    assert "2 slower and 1 without a usable bat speed excluded." in text
    html = page.content.decode()
    assert (
        '<input type="hidden" id="session-effort" name="effort" value="full">' in html
    )
    assert html.count("effort=full") > 3
    assert "#session-effort" in html


def test_what_was_chosen_since_the_page_was_sent_is_taken_along(client, coach, session):
    """A series is swapped in without these links, so they read it from its field."""
    swing(session, 28.0, side="left")
    address = reverse("dashboard:session", args=[session.pk])
    asked = {"series": "torso_rotation", "align": "foot_down", "sort": "bat_speed_max"}
    html = unescape(client.get(address, asked).content.decode())
    links = re.findall(r'<a href="([^"]*)" hx-get="([^"]*)" hx-include="([^"]*)"', html)
    assert len(links) == 2 + 4
    for href, swapped, included in links:
        assert included == "#session-numbers, #id_series, #id_align, #swing-sort"
        # Without a script the page was sent with what is chosen.
        assert {"series", "align", "sort"} <= set(parse_qs(urlsplit(href).query))
        assert not {"series", "align", "sort"} & set(parse_qs(urlsplit(swapped).query))
    for field in ("id_series", "id_align", "swing-sort"):
        assert f'id="{field}"' in html


def test_a_session_below_its_fastest_still_offers_the_way_back(client, coach):
    session = make_session(condition="tee")
    swing(session, 20.0)
    swing(make_session(player=session.player, condition="tee"), 30.0)
    address = reverse("dashboard:session", args=[session.pk])
    page = client.get(address, {"effort": "full"})
    assert "All swings" in text_of(page)
    assert "1 slower excluded." in words_of(page)


def test_the_filter_takes_one_query_more(
    client, coach, session, django_assert_max_num_queries
):
    with django_assert_max_num_queries(20):
        client.get(reverse("dashboard:session", args=[session.pk]), {"effort": "full"})


# --- Attack angle inside a range ----------------------------------------------------


@pytest.fixture
def angles():
    """Both ends are inside; a marked one and one on another basis are left out."""
    session = make_session()
    for angle in (4.9, 5.0, 12.0, 20.0, 20.1, None):
        swing(session, 30.0, angle=angle)
    swing(session, 30.0, angle=11.0, flagged=True)
    swing(session, 30.0, angle=11.0, basis="reference=bat_peak")
    out = swing(session, 30.0, angle=11.0)
    Movement.objects.filter(pk=out.pk).update(inclusion="excluded")
    session_summary.refresh_session_summary(session.pk)
    return session


def test_share_counts_swings_inside_and_says_of_how_many(client, coach, angles):
    page = page_of(angles)
    ((side, share),) = page.parts[0].attack
    assert side == ""
    assert (share.inside, share.n, share.left_out) == (3, 5, 3)
    assert share.basis == BASIS
    text = words_of(client.get(reverse("dashboard:session", args=[angles.pk])))
    assert (
        "between 5° and 20°: 3 of 5 swings; 3 not counted here (missing, or measured "
        "another way)." in text
    )


def test_each_side_has_its_own_share(angles):
    for angle in (6.0, 30.0):
        swing(angles, 30.0, angle=angle, side="left")
    found = [share for part in page_of(angles).parts for _, share in part.attack]
    assert [(one.side, one.inside, one.n) for one in found] == [
        ("right", 3, 5),
        ("left", 1, 2),
    ]
    both = page_of(angles, side="both").parts[0].attack
    assert [(side, one.n) for side, one in both] == [
        ("batting right", 5),
        ("batting left", 2),
    ]


def test_share_follows_the_filter(session):
    Movement.objects.filter(session=session, position=4).update(inclusion="excluded")
    ((_, share),) = page_of(session, effort="full").parts[0].attack
    assert (share.inside, share.n) == (2, 2)
