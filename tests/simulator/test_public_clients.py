"""The requests of the two public clients of the vendor, in their order and manner.

One is the vendor's own toolkit (key in a header, a limit on every call, a base that
ends in a slash, one file for each movement), the other the dashboard's earlier sync
(password login, no paging, deprecated data route). What they do with the answers is
done here with the same library calls, so that an answer they could not take fails.
"""

import gzip
import io
from datetime import datetime

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
import requests

HITTING = 1


@pytest.fixture
def toolkit(vendor):
    """A session as the toolkit sets it up, and a call as the toolkit makes it."""
    with requests.Session() as session:
        session.headers.update({"x-api-key": "demo-api-key"})
        session.params = {"limit": 100}

        def call(method, route, params=None, body=None):
            url = f"{vendor.url}//{route}"
            answer = session.request(method, url, params=params, json=body, timeout=30)
            answer.raise_for_status()
            return answer.json()

        yield call


def table_behind(link, data_format):
    """A file as the toolkit reads it: names decide, and pyarrow guesses the types."""
    assert f".{data_format}" in link
    content = requests.get(link, timeout=30).content
    if f".{data_format}.gz" in link:
        content = gzip.decompress(content)
    if data_format == "parquet":
        return pq.read_table(io.BytesIO(content))
    return pacsv.read_csv(
        io.BytesIO(content), read_options=pacsv.ReadOptions(use_threads=True)
    )


def test_toolkit_lists_types_and_sessions(vendor, toolkit):
    types = {item["slug"]: item["id"] for item in toolkit("get", "mocap_types")}
    assert types["hawkeye"] == 2

    sessions = toolkit("get", "sessions")
    assert len(sessions) == min(100, len(vendor.world.listed_sessions()))
    someone = vendor.world.sessions[0].athletes[0]
    chosen = toolkit(
        "get",
        "sessions",
        {
            "org_player_ids": [someone],
            "session_date_since": "2020-01-01",
            "status": "processed",
            "mocap_type_id": 67,
            "offset": 0,
            "limit": 150,
        },
    )
    assert vendor.world.sessions[0].id in {item["id"] for item in chosen}
    assert len(chosen) < len(sessions)


def files_of(vendor, toolkit, number, data_type, data_format, *, aggregate):
    """The tables of a session's files, one for each movement or one for all."""
    session = vendor.world.sessions[number]
    answer = toolkit(
        "post",
        "data_export",
        body={
            "session_id": session.id,
            "movement_type_id": HITTING,
            "org_player_id": session.athletes[0],
            "data_type": data_type,
            "data_format": data_format,
            "aggregate": aggregate,
            "return_column_info": False,
        },
    )
    return [table_behind(link, data_format) for link in answer["download_urls"]]


def movement_ids(vendor, number):
    session = vendor.world.sessions[number]
    movements = vendor.world.movements(session, session.athletes[0])
    return [movement.org_movement_id for movement in movements]


@pytest.mark.parametrize("data_format", ["csv", "parquet"])
@pytest.mark.parametrize("data_type", ["inverse-kinematics", "momentum-energy"])
@pytest.mark.parametrize("number", [1, 2])
def test_toolkit_joins_the_files_of_each_movement(
    vendor, toolkit, number, data_format, data_type
):
    tables = files_of(vendor, toolkit, number, data_type, data_format, aggregate=False)

    # Joined as they are: columns and types must be those of the first file.
    rows = pa.concat_tables(tables).to_pylist()
    assert len(tables) == len(movement_ids(vendor, number))
    assert {row["org_movement_id"] for row in rows} == {*movement_ids(vendor, number)}


# By itself the CSV of a swing without a bat has empty columns, of no type that
# anybody could guess: such a session is read as one file, or as Parquet.
@pytest.mark.parametrize(
    ("data_format", "aggregate"), [("csv", True), ("parquet", True), ("parquet", False)]
)
@pytest.mark.parametrize("data_type", ["inverse-kinematics", "momentum-energy"])
def test_toolkit_reads_a_session_with_a_swing_without_bat(
    vendor, toolkit, data_format, aggregate, data_type
):
    tables = files_of(vendor, toolkit, 0, data_type, data_format, aggregate=aggregate)

    rows = pa.concat_tables(tables).to_pylist()
    assert {row["org_movement_id"] for row in rows} == {*movement_ids(vendor, 0)}


@pytest.fixture
def earlier(vendor):
    """A call as the dashboard's earlier sync makes it."""
    plain = {"Accept": "application/json", "Content-Type": "application/json"}
    answer = requests.post(
        f"{vendor.url}/oauth/token",
        headers=plain,
        json={"username": "demo-user", "password": "demo-password"},
        timeout=30,
    )
    answer.raise_for_status()
    given = answer.json()
    assert given.get("refresh_token")
    headers = {"Authorization": f"Bearer {given['access_token']}", **plain}

    def call(path, params=None):
        return requests.get(
            f"{vendor.url}{path}", headers=headers, params=params, timeout=30
        )

    return call


def test_earlier_sync_finds_players_sessions_and_participants(vendor, earlier):
    players = earlier("/players").json()
    assert isinstance(players, list)
    assert len(players) == 100
    assert all(player.get("org_player_id") for player in players)

    sessions = earlier("/sessions", {"limit": 200}).json()
    assert isinstance(sessions, list)
    assert len(sessions) == len(vendor.world.listed_sessions())
    for session in sessions[:12]:
        text = session["session_date"].replace("Z", "+00:00")
        # Compared with a naive time of its own, which a zone would refuse.
        assert datetime.fromisoformat(text) < datetime.now()  # noqa: DTZ005
        detail = earlier(f"/session/{session['id']}").json()
        found = {
            str(
                player.get("org_player_id")
                or player.get("player_id")
                or player.get("id")
            )
            for player in detail.get("players", [])
        }
        assert found == set(vendor.world.session(session["id"]).athletes)


def test_earlier_sync_takes_the_deprecated_route_for_no_data(vendor, earlier):
    session = vendor.world.sessions[0]
    answer = earlier(
        "/processed_data",
        {
            "session_id": session.id,
            "movement_type_id": HITTING,
            "org_player_id": session.athletes[0],
        },
    )
    assert answer.status_code == 404
    with pytest.raises(requests.HTTPError):
        answer.raise_for_status()
