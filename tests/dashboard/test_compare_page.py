"""The page of a comparison as a coach gets it: what it holds, in which order."""

from __future__ import annotations

import datetime as dt

import pytest

from athletes.analysis import run
from tests.dashboard.page_contents import (
    figure_of,
    history_of,
    swings_of,
    text_of,
)
from tests.factories import (
    make_player,
    make_session,
    make_synced_session,
    simulated_movements,
    store_simulated,
)

pytestmark = pytest.mark.django_db


def test_compare_holds_sessions_against_the_first(client, coach):
    player = make_player()
    keys = []
    for date, skip in ((dt.date(2026, 3, 1), 0), (dt.date(2026, 3, 8), 1)):
        session = make_session(player=player, session_date=date)
        store_simulated(session, simulated_movements()[skip:])
        run.analyze_session(session.pk)
        keys.append(f"session-{session.pk}")
    response = client.get(f"/athletes/compare/?items={','.join(keys)}")
    roles = [t.get("role") for t in figure_of(response, "overlay")["data"]]
    assert roles == ["band", "mean", "band", "mean"]
    delta = figure_of(response, "delta")["data"]
    assert [trace.get("role", "line") for trace in delta] == ["line"]
    assert "not enough yet, it needs 5 included swings or more" in text_of(response)
    assert "B − A" in text_of(response)


def test_compare_says_what_it_cannot_show(client, coach):
    player = make_player()
    response = client.get(
        f"/athletes/compare/?items=swing-999999,nonsense,athlete-{player.pk}"
    )
    text = text_of(response)
    assert "There is no swing 999999, or you can't see it." in text
    assert "“nonsense” is not something to compare." in text
    assert "Add a second swing, session, date range or athlete" in text


def first_words(client, *items):
    """What stands behind each letter: the day of the session, or the swing."""
    response = client.get(f"/athletes/compare/?items={','.join(items)}")
    return [shown["item"].label for shown in response.context["items"]]


def test_sessions_of_one_athlete_stand_by_date_however_they_were_chosen(client, coach):
    player = make_player(first_name="Ada", last_name="Quill")
    old, middle, new = history_of(player, [900.0, 910.0, 950.0])
    undated = make_session(player=player, session_date=None)
    keys = [f"session-{one.pk}" for one in (new, old, middle)]
    days = [f"Mar {day}, 2026" for day in (1, 8, 15)]
    assert first_words(client, *keys) == [f"Ada Quill, {day}" for day in days]
    # Of an undated one nobody knows whether it was before or after.
    for mixed in ([keys[0], f"session-{undated.pk}"], [*keys, f"session-{undated.pk}"]):
        response = client.get(f"/athletes/compare/?items={','.join(mixed)}")
        shown = [str(one["item"].key) for one in response.context["items"]]
        assert shown == mixed
        assert "always newer minus older" not in text_of(response)
    response = client.get(f"/athletes/compare/?items={','.join(keys[:2])}")
    # The newer minus the older, and nobody can turn that round.
    assert response.context["swap_url"] == ""
    assert not any(shown["first_url"] for shown in response.context["items"])
    assert "a difference is always newer minus older" in text_of(response)
    swings = [f"swing-{swings_of(one)[0].pk}" for one in (new, old)]
    assert first_words(client, *swings) == ["Ada Quill, swing 1"] * 2
    shown = client.get(f"/athletes/compare/?items={','.join(swings)}").context["items"]
    assert [str(one["item"].key) for one in shown] == swings[::-1]
    assert [one["item"].letter for one in shown] == ["A", "B"]


def test_the_last_two_sessions_are_compared_as_newer_minus_older(client, coach):
    player = make_player()
    _, old, new = history_of(player, [880.0, 900.0, 950.0])
    page = client.get(f"/athletes/{player.pk}/").content.decode()
    assert f"?items=session-{old.pk},session-{new.pk}" in page


def test_other_things_stay_in_the_order_in_which_they_were_chosen(client, coach):
    player, other = make_player(last_name="Quill"), make_player(last_name="Rowan")
    (one,), (two,) = history_of(player, [900.0]), history_of(other, [900.0])
    make_session(player=player, session_date=dt.date(2026, 5, 1))
    for keys in (
        [f"session-{two.pk}", f"session-{one.pk}", f"session-{two.pk + 1}"],
        [f"athlete-{player.pk}", f"session-{one.pk}"],
        [f"swing-{swing.pk}" for swing in reversed(swings_of(one)[:2])],
    ):
        response = client.get(f"/athletes/compare/?items={','.join(keys)}")
        shown = [str(one["item"].key) for one in response.context["items"]]
        assert shown == [key for key in keys if key in shown]
        assert len(shown) >= 2


def test_any_of_different_athletes_may_be_the_baseline(client, coach):
    (one,), (two,), (three,) = (history_of(make_player(), [900.0]) for _ in range(3))
    keys = [f"session-{session.pk}" for session in (one, two, three)]
    pair = client.get(f"/athletes/compare/?items={','.join(keys[:2])}&align=foot_down")
    swap = pair.context["swap_url"]
    assert f"?items={keys[1]},{keys[0]}&" in swap
    assert swap.endswith("&align=foot_down")
    turned = client.get(f"/athletes/compare/{swap}")
    assert [str(item.key) for item in turned.context["page"].items] == keys[1::-1]
    # Twice is as before.
    assert f"?items={keys[0]},{keys[1]}&" in turned.context["swap_url"]
    of_three = client.get(f"/athletes/compare/?items={','.join(keys)}")
    assert of_three.context["swap_url"] == ""
    first, second, third = (one["first_url"] for one in of_three.context["items"])
    assert first == ""
    assert f"?items={keys[1]},{keys[0]},{keys[2]}&" in second
    assert f"?items={keys[2]},{keys[0]},{keys[1]}&" in third


def test_compare_finds_athletes_to_add(client, coach):
    player = make_player(last_name="Rowan")
    session = make_synced_session(player=player)
    response = client.get("/athletes/compare/?items=swing-1&q=row")
    assert f"session-{session.pk}" in response.content.decode()


@pytest.mark.parametrize("count", [2, 4])
def test_compare_takes_the_same_queries_for_any_number_of_items(
    client, coach, count, django_assert_num_queries
):
    player = make_player()
    sessions = history_of(player, [900.0] * count)
    items = ",".join(f"session-{session.pk}" for session in sessions)
    # session, user, sessions, movements, names of curves, curves, history, sides,
    # scatter; drawn swings and their points; and of the picker the athlete, their
    # sessions, speeds and sides
    with django_assert_num_queries(15):
        client.get(f"/athletes/compare/?items={items}")


def test_links_and_forms_pass_on_what_other_parts_of_the_page_keep(client, coach):
    one, other = history_of(make_player(), [900.0, 950.0])
    keys = f"session-{one.pk},session-{other.pk}"
    response = client.get(f"/athletes/compare/?items={keys}&camera=top&camera=%3Cb")
    for shown in response.context["items"]:
        assert shown["remove_url"].endswith("&camera=top&camera=%3Cb")
    page = response.content.decode()
    # The two forms of the picker and that of the curves.
    assert page.count('name="camera" value="top"') == 3
    assert page.count('name="camera" value="&lt;b"') == 3
    many = "&".join(f"x{place}=1" for place in range(30))
    kept = client.get(f"/athletes/compare/?items={keys}&{many}").context["kept"]
    assert len(kept) == 20
