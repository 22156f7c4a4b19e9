"""The table of a session's swings, ordered by the server."""

from __future__ import annotations

import re

import pytest

from dashboard.selectors.session_page import session_page
from dashboard.selectors.swing_table import SWING_COLUMNS, swing_table
from tests.factories import make_session, make_swing, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def session():
    """Three swings: the second fastest, the third of unknown speed and poor."""
    session = make_session()
    for speed, grade in ((600.0, "usable"), (700.0, "good"), (None, "poor")):
        make_swing(
            {"peak_pelvis_omega": speed},
            session=session,
            quality_grade=grade,
            quality_reasons=[{"code": "gap", "text": "A gap <b>was</b> filled."}],
        )
    return session


def positions(session, sort):
    page = session_page(session, session.player.sessions.all())
    return [row.position for row in swing_table(page, sort).rows]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", [1, 2, 3]),
        ("-swing", [3, 2, 1]),
        ("peak_pelvis_omega", [1, 2, 3]),
        # What is not known stands last in both directions.
        ("-peak_pelvis_omega", [2, 1, 3]),
        ("quality", [2, 1, 3]),
        ("-quality", [3, 1, 2]),
        ("seq_order", [1, 2, 3]),
        ("nonsense", [1, 2, 3]),
    ],
)
def test_swings_stand_in_the_wanted_order(session, sort, expected):
    assert positions(session, sort) == expected


def test_equal_swings_stay_in_the_order_of_the_session():
    session = make_session()
    for _ in range(3):
        make_swing({"peak_pelvis_omega": 640.0}, session=session)
    assert positions(session, "-peak_pelvis_omega") == [1, 2, 3]


def test_a_second_click_turns_the_order_round(session):
    page = session_page(session, session.player.sessions.all())
    for sort, wanted, said in (
        ("", "-peak_pelvis_omega", ""),
        ("-peak_pelvis_omega", "peak_pelvis_omega", "descending"),
        ("peak_pelvis_omega", "-peak_pelvis_omega", "ascending"),
    ):
        table = swing_table(page, sort)
        column = next(c for c in SWING_COLUMNS if c.key == "peak_pelvis_omega")
        assert table.order.after_click(column).text == wanted
        assert table.order.aria_sort(column) == said
        # A phone chooses from a list, which holds the present order.
        assert sort in dict(table.sort_choices)


def test_only_the_menu_and_the_form_leave_the_own_order_of_the_session_unsaid(session):
    page = session_page(session, session.player.sessions.all())
    first = SWING_COLUMNS[0]
    table = swing_table(page, "-quality")
    assert table.order.after_click(first).text == "swing"
    assert dict(table.sort_choices)[""] == first.label
    assert swing_table(page, "swing").sort == ""


def test_page_and_fragment_hold_the_same_order(client, session):
    client.force_login(make_user(), backend="django.contrib.auth.backends.ModelBackend")
    url = f"/athletes/sessions/{session.pk}/?sort=-peak_pelvis_omega&series=x_factor"
    page = client.get(url)
    fragment = client.get(
        url, headers={"HX-Request": "true", "HX-Target": "swing-table"}
    )
    for response in (page, fragment):
        body = response.content.decode()
        names = re.findall(r'aria-label="Select swing (\d)"', body)
        assert names == ["2", "1", "3"]
        assert "A gap &lt;b&gt;was&lt;/b&gt; filled." in body
        # A head keeps the rest of the address.
        assert "?sort=peak_pelvis_omega&amp;series=x_factor" in body
        assert "HX-Target" in response["Vary"]
    assert b"<html" in page.content
    assert b"<html" not in fragment.content
    assert b"session-curves" in page.content
    assert b"session-curves" not in fragment.content


def test_table_alone_reads_no_curves(client, session, django_assert_num_queries):
    client.force_login(make_user(), backend="django.contrib.auth.backends.ModelBackend")
    # session, user, session with athlete, movements, metrics, frames by type, tags,
    # neighbors, decisions set aside
    with django_assert_num_queries(9):
        client.get(
            f"/athletes/sessions/{session.pk}/?sort=quality",
            headers={"HX-Request": "true", "HX-Target": "swing-table"},
        )
