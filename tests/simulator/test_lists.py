"""Players, sessions and lookups."""

import pytest


def every_page(vendor, path, **params):
    found = []
    while True:
        page = vendor.get(path, offset=len(found), limit=50, **params).json()
        found += page
        if len(page) < 50:
            return found


def test_players_come_100_to_a_page_as_a_bare_array(vendor):
    first = vendor.get("/players").json()
    assert len(first) == 100
    rest = vendor.get("/players", offset=100).json()
    assert len(rest) == 37
    assert len({p["org_player_id"] for p in first + rest}) == 137


def test_player_has_two_ids_and_text_attributes(vendor):
    player = vendor.get("/players", limit=1).json()[0]
    assert player["id"] != player["org_player_id"]
    attributes = {a["key"]: a["value"] for a in player["attributes"]}
    assert attributes["dom_hand_hitting"] == "RHA"
    assert 4.9 < float(attributes["height_ft"]) < 6.7
    assert all(isinstance(value, str) for value in attributes.values())


def test_players_hold_malformed_and_missing_attributes(vendor):
    players = every_page(vendor, "/players")
    values = {"height_ft": set(), "weight_lbs": set(), "dom_hand_hitting": set()}
    for player in players:
        for pair in player["attributes"]:
            values.setdefault(pair["key"], set()).add(pair["value"])
    assert "n/a" in values["height_ft"]
    assert any(" " in v for v in values["height_ft"])
    assert "" in values["weight_lbs"]
    assert values["dom_hand_hitting"] == {"RHA", "LHA", "SHA", "both?"}
    assert any(not player["attributes"] for player in players)
    assert any(player["date_of_birth"] is None for player in players)
    assert (players[5]["first_name"], players[5]["last_name"]) == (
        players[17]["first_name"],
        players[17]["last_name"],
    )
    assert players[5]["org_player_id"] != players[17]["org_player_id"]


def test_session_in_the_list_hides_who_took_part(vendor):
    sessions = vendor.get("/sessions").json()
    assert len(sessions) == 30
    for session in sessions:
        assert session["participant_ids"] == []
        assert session["movement_type"] is None
        assert session["session_type"]["slug"] in ("practice", "game")
        assert session["mocap_type"]["id"] == 67
        assert "players" not in session
    statuses = {session["status"] for session in sessions}
    assert statuses == {"processed", "processing"}
    assert {"baseball-pitching": 3} in [s["total_movements"] for s in sessions]


def test_session_detail_is_singular_and_names_the_players(vendor):
    world = vendor.world.sessions[2]
    detail = vendor.get(f"/session/{world.id}").json()
    assert [p["org_player_id"] for p in detail["players"]] == world.athletes
    assert len(world.athletes) == 2
    assert vendor.get(f"/sessions/{world.id}").status_code == 404
    assert vendor.get("/session/unknown").status_code == 404


def test_sessions_spread_over_months(vendor):
    days = sorted(s["session_date"] for s in vendor.get("/sessions").json())
    assert days[0] < "2025-02-15"
    assert days[-1] > "2025-10-01"


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [session["id"] for session in answer.json()]


def test_session_filters_choose_rows(vendor):
    sessions = vendor.world.sessions
    org_id = sessions[1].athletes[0]
    mine = [s.id for s in sessions if org_id in s.athletes]
    assert ids(vendor.get("/sessions", org_player_ids=[org_id])) == mine
    both = [org_id, sessions[3].athletes[0]]
    ours = [s.id for s in sessions if set(both) & set(s.athletes)]
    assert ids(vendor.get("/sessions", org_player_ids=both)) == ours
    waiting = [s.id for s in sessions if s.status == "processing"]
    assert ids(vendor.get("/sessions", status="processing")) == waiting
    third = [s.id for s in sessions if s.session_num == 3]
    assert ids(vendor.get("/sessions", session_num=3)) == third
    assert ids(vendor.get("/sessions", mocap_type_id=2)) == []
    day = sessions[0].session_date
    later = [s.id for s in sessions if s.session_date >= day]
    assert ids(vendor.get("/sessions", session_date_since=day.isoformat())) == later
    same = [s.id for s in sessions if s.session_date == day]
    assert ids(vendor.get("/sessions", session_date=day.isoformat())) == same


def test_updated_since_includes_the_moment_itself(vendor):
    records = vendor.get("/sessions").json()
    stamp = sorted(r["updated_at"] for r in records)[12]
    expected = [r["id"] for r in records if r["updated_at"] >= stamp]
    assert ids(vendor.get("/sessions", updated_since=stamp)) == expected
    assert len(expected) == 18


def test_unknown_query_names_are_ignored(vendor):
    plain = ids(vendor.get("/sessions"))
    assert ids(vendor.get("/sessions", org_player_id="x", page=2, page_size=5)) == plain
    assert vendor.get("/mocap_types", limit=100).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"), [("limit", "many"), ("limit", "0"), ("offset", "-1")]
)
def test_senseless_page_is_422_with_a_list(vendor, name, value):
    answer = vendor.get("/players", **{name: value})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", name]


def test_senseless_date_is_422(vendor):
    assert vendor.get("/sessions", updated_since="yesterday").status_code == 422


def test_doubled_slash_is_accepted(vendor):
    assert len(vendor.get("//players", limit=3).json()) == 3


def test_lookups_have_the_known_ids(vendor):
    types = {t["slug"]: t["id"] for t in vendor.get("/movement_types").json()}
    assert (types["baseball-hitting"], types["baseball-pitching"]) == (1, 2)
    mocap = {t["slug"]: t["id"] for t in vendor.get("/mocap_types").json()}
    assert mocap["rebootmotion"] == 67
    assert mocap["hawkeyehfr"] == 104


def test_list_switches(start):
    vendor = start(players=120, scenario="wrapped,limit-clamped,string-session-num")
    assert len(vendor.get("/players", limit=100).json()["players"]) == 50
    sessions = vendor.get("/sessions").json()["sessions"]
    assert isinstance(sessions[0]["session_num"], str)
    vendor.app.set_scenario("offset-ignored,iso-dates,missing-fields")
    first, again = (vendor.get("/players", offset=o).json() for o in (0, 100))
    assert first == again
    session = vendor.get("/sessions").json()[0]
    assert session["session_date"].endswith("T00:00:00Z")
    assert "total_movements" not in session
    vendor.app.set_scenario("limit-rejected=60,session-plural")
    assert vendor.get("/players", limit=61).status_code == 422
    assert vendor.get("/players", limit=60).status_code == 200
    assert vendor.get(f"/sessions/{session['id']}").json()["id"] == session["id"]


def test_deprecated_and_report_routes(vendor):
    answer = vendor.get("/processed_data")
    assert answer.status_code == 404
    assert "Pipeline v2" in answer.json()["detail"]
    answer = vendor.get("/reports", movement_types="1")
    assert answer.status_code == 400
    assert "Unsupported movement types" in answer.json()["detail"]


def test_requests_of_an_upload(start):
    vendor = start()
    org_id = vendor.world.athletes[0].org_player_id
    made = vendor.post(
        "/mocap_session",
        {
            "mocap_type_id": 67,
            "session_date": "2025-12-20",
            "session_type_id": 1,
            "org_player_id": org_id,
        },
    ).json()
    assert made["status"] == "pending"
    body = {"session_id": made["id"], "filenames": ["a b.mov"]}
    links = vendor.post("/mocap_session_file", body).json()
    put = vendor.session.put(links["a b.mov"], data=b"film", timeout=10)
    assert put.status_code == 200
    stale = {**body, "org_player_id": "gone"}
    assert vendor.post("/mocap_session_file", stale).status_code == 400


def test_new_player_can_be_posted_and_read(start):
    vendor = start(players=2)
    body = {"first_name": "Fern", "last_name": "Vega", "attributes": []}
    made = vendor.post("/players", body).json()
    assert made in vendor.get("/players").json()
