from datetime import UTC, datetime

import pytest

from syncing.client.errors import (
    ListChangedError,
    NotFoundError,
    UnexpectedShapeError,
    UnexpectedStatusError,
)
from tests.syncing.client.scripted import TOKEN, ScriptedServer, answer


def test_every_athlete_is_reached(start_vendor, make_client):
    vendor = start_vendor(players=237)
    players = list(make_client(vendor.url).players())
    assert [p.org_player_id for p in players] == [
        a.org_player_id for a in vendor.world.listed_athletes()
    ]
    first, told = players[0], vendor.world.listed_athletes()[0]
    assert (first.id, first.first_name) == (told.id, told.first_name)
    assert first.attributes == {a["key"]: a["value"] for a in told.attributes}


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200])
def test_page_edges_lose_nobody(start_vendor, make_client, count):
    vendor = start_vendor(players=count)
    assert len(list(make_client(vendor.url).players())) == count


def test_server_with_smaller_pages_than_asked_for_loses_nobody(
    start_vendor, make_client
):
    vendor = start_vendor(players=137, scenario="limit-clamped=50")
    client = make_client(vendor.url, page_limit=100)
    assert len({p.org_player_id for p in client.players()}) == 137


def test_refused_limit_is_halved(start_vendor, make_client):
    vendor = start_vendor(players=137, scenario="limit-rejected=60")
    client = make_client(vendor.url, page_limit=200)
    assert len(list(client.players())) == 137
    # 200, 100, then 50 to the end
    assert vendor.log.statuses[422] == 2


def test_limit_that_is_never_accepted_is_an_error(make_client):
    detail = [{"loc": ["query", "limit"], "msg": "too large", "type": "x"}]
    refusal = answer({"detail": detail}, "422 Unprocessable")
    with (
        ScriptedServer(TOKEN, refusal) as server,
        pytest.raises(UnexpectedStatusError) as caught,
    ):
        list(make_client(server.url).players())
    assert caught.value.fields == ("limit",)


@pytest.mark.parametrize(("count", "requests"), [(99, 2), (137, 3), (1200, 4)])
def test_server_that_ignores_the_offset_loses_nobody(
    start_vendor, make_client, count, requests
):
    vendor = start_vendor(players=count, scenario="offset-ignored")
    players = list(make_client(vendor.url).players())
    assert len(players) == len({p.org_player_id for p in players}) == count
    assert vendor.log.routes["players"] == requests


@pytest.mark.parametrize(
    ("more", "read"),
    [("limit-clamped=100", 100), ("limit-clamped=50", 50), ("limit-rejected=100", 100)],
)
def test_list_that_cannot_be_read_to_its_end_is_not_taken_for_whole(
    start_vendor, make_client, more, read
):
    vendor = start_vendor(players=137, scenario=f"offset-ignored,{more}")
    found = []
    message = f"the first {read} entries come again"
    with pytest.raises(UnexpectedShapeError, match=message):
        found.extend(make_client(vendor.url).players())
    assert vendor.log.routes["players"] < 10


def test_refused_size_of_the_one_page_is_halved(start_vendor, make_client):
    vendor = start_vendor(players=137, scenario="offset-ignored,limit-rejected=500")
    assert len(list(make_client(vendor.url).players())) == 137


@pytest.mark.parametrize("moves", [1, 3])
def test_entry_that_slips_over_a_page_border_is_not_lost(
    start_vendor, make_client, moves
):
    vendor = start_vendor(players=25, sessions=25, scenario=f"list-moves={moves}")
    client = make_client(vendor.url, page_limit=10)
    players = [p.org_player_id for p in client.players()]
    sessions = [s.id for s in client.sessions()]
    assert len(players) == len(set(players)) == 25
    assert len(sessions) == len(set(sessions)) == 25
    # Two readings after a change; each three pages and one that only repeats.
    assert vendor.log.routes["players"] <= 4 * (moves + 1)


def test_list_that_comes_in_another_order_each_time_is_read_twice(
    start_vendor, make_client
):
    vendor = start_vendor(players=25, scenario="list-moves=1000")
    client = make_client(vendor.url, page_limit=20)
    assert len({p.org_player_id for p in client.players()}) == 25


def test_list_that_changes_at_every_reading_is_not_taken_for_whole(make_client):
    number = iter(range(10_000))

    def page(out):
        # Nothing of the page before is in this one, and then the list ends.
        n = next(number)
        items = [{"org_player_id": f"p{n}"}, {"org_player_id": f"q{n}"}]
        out.write(answer([] if n % 2 else items))

    with ScriptedServer(TOKEN, page) as server:
        found = []
        with pytest.raises(ListChangedError, match="the list changed each of 6 times"):
            found.extend(make_client(server.url).players())
    assert len(found) == 12


def test_list_that_never_ends_is_stopped(make_client):
    number = iter(range(10_000))

    def page(out):
        out.write(answer([{"org_player_id": f"p{next(number)}"}]))

    with ScriptedServer(TOKEN, page) as server:
        client = make_client(server.url, max_pages=5)
        with pytest.raises(UnexpectedShapeError, match="did not end after 5 pages"):
            list(client.players())
        assert len(server.requests) == 6


@pytest.mark.parametrize("scenario", ["wrapped", ""])
def test_wrapper_objects_are_opened(start_vendor, make_client, scenario):
    vendor = start_vendor(scenario=scenario)
    client = make_client(vendor.url)
    assert len(list(client.players())) == 3
    assert len(list(client.sessions())) == 2
    assert {t.slug: t.id for t in client.movement_types()}["baseball-hitting"] == 1


def test_object_without_a_list_is_named_by_its_keys(make_client):
    with (
        ScriptedServer(TOKEN, answer({"error": "x", "code": 7})) as server,
        pytest.raises(UnexpectedShapeError) as caught,
    ):
        list(make_client(server.url).players())
    assert "an object with code, error" in str(caught.value)


def test_sessions_are_filtered_by_what_is_asked(start_vendor, make_client):
    vendor = start_vendor(players=5, sessions=30)
    client = make_client(vendor.url)
    moments = sorted(s.updated_at for s in vendor.world.listed_sessions())
    since = moments[20]
    found = {s.id for s in client.sessions(updated_since=since)}
    assert found == {
        s.id for s in vendor.world.listed_sessions() if s.updated_at >= since
    }
    assert 0 < len(found) < 30


def test_times_without_a_zone_are_refused(start_vendor, make_client):
    client = make_client(start_vendor().url)
    with pytest.raises(ValueError, match="zone"):
        list(client.sessions(updated_since=datetime(2026, 1, 1)))  # noqa: DTZ001
    assert list(client.sessions(updated_since=datetime(2199, 1, 1, tzinfo=UTC))) == []


@pytest.mark.parametrize(
    "scenario", ["", "iso-dates,string-session-num", "missing-fields"]
)
def test_session_tells_who_took_part(start_vendor, make_client, scenario):
    vendor = start_vendor(players=5, sessions=6, scenario=scenario)
    client = make_client(vendor.url)
    for listed in client.sessions():
        assert listed.players is None
        told = vendor.world.session(listed.id)
        session = client.session(listed.id)
        assert session.id == listed.id
        assert {p.org_player_id for p in session.players} == set(told.athletes)
        assert session.session_num == str(told.session_num)
        assert session.session_date.startswith(told.session_date.isoformat())
        if scenario != "missing-fields":
            assert session.total_movements.keys() == {told.slug}
            assert session.session_type in {"practice", "game"}


def test_unknown_session_is_not_found(start_vendor, make_client):
    client = make_client(start_vendor().url)
    with pytest.raises(NotFoundError):
        client.session("55555555-5555-4555-8555-555555555555")
    with pytest.raises(NotFoundError):
        client.session("../players")


def test_answer_for_another_session_is_refused(make_client):
    with (
        ScriptedServer(TOKEN, answer({"id": "other", "players": []})) as server,
        pytest.raises(UnexpectedShapeError),
    ):
        make_client(server.url).session("mine")


def test_one_unreadable_entry_does_not_end_the_list(make_client):
    people = [{"org_player_id": "a"}, {"first_name": "Nobody"}, {"org_player_id": "b"}]
    answers = (TOKEN, answer(people), answer([]))
    bad = []
    with ScriptedServer(*answers) as server:
        found = list(make_client(server.url).players(on_bad_record=bad.append))
    assert [p.org_player_id for p in found] == ["a", "b"]
    assert [error.fields for error in bad] == [("org_player_id",)]
    assert "Nobody" not in str(bad[0])
    with ScriptedServer(*answers) as server, pytest.raises(UnexpectedShapeError):
        list(make_client(server.url).players())


def test_text_that_no_database_keeps_is_replaced(make_client):
    body = (
        b'[{"org_player_id":"a","first_name":"A\\u0000da","last_name":"\\ud800",'
        b'"weight":NaN}]'
    )
    with ScriptedServer(TOKEN, answer(body), answer([])) as server:
        (player,) = make_client(server.url).players()
    assert (player.first_name, player.last_name) == ("A\ufffdda", "\ufffd")
    assert player.raw["weight"] is None


def test_names_are_in_no_repr(start_vendor, make_client):
    vendor = start_vendor()
    client = make_client(vendor.url)
    texts = [repr(p) for p in client.players()]
    texts += [repr(client.session(s.id)) for s in client.sessions()]
    for athlete in vendor.world.listed_athletes():
        assert not any(athlete.last_name in text for text in texts)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (660001, "660001"),
        (660001.0, "660001"),
        ("660001.0", "660001"),
        (" 660001 ", "660001"),
        ("660001.50", "660001.50"),
        ("0012.0", "0012.0"),
        ("1e5", "1e5"),
        ("IMG-1.0", "IMG-1.0"),
        (0.5, "0.5"),
    ],
)
def test_an_id_is_one_text_however_it_is_spelled(make_client, sent, read):
    player = {"org_player_id": sent, "id": sent}
    session = {"id": "s", "players": [player]}
    with ScriptedServer(TOKEN, answer([player]), answer([]), answer(session)) as server:
        client = make_client(server.url)
        (found,) = client.players()
        (participant,) = client.session("s").players
    assert (found.org_player_id, found.id) == (read, read)
    assert (participant.org_player_id, participant.id) == (read, read)


def test_spellings_of_one_id_are_one_entry(make_client):
    page = [{"org_player_id": value} for value in (7, 7.0, " 7 ", "7.00", True, 8)]
    bad = []
    with ScriptedServer(TOKEN, answer(page), answer([])) as server:
        found = list(make_client(server.url).players(on_bad_record=bad.append))
    assert [player.org_player_id for player in found] == ["7", "8"]
    assert [(error.fields, error.entry_id) for error in bad] == [
        (("org_player_id",), None)
    ]
