"""Seeds, changes of the vendor's data, the request log and the command."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import requests

from simulator.__main__ import main
from simulator.app import Config, SimulatorApp
from simulator.control import MUTATIONS
from simulator.data import World
from simulator.faults import KINDS, ROUTES
from simulator.files import SHARED, Body, BodyCache, SharedBodies
from simulator.population import SWING_SD, Shape
from simulator.scenarios import SCENARIOS, Scenario, ScenarioError
from tests import simulated

ROOT = Path(__file__).resolve().parents[2]
ME = "momentum-energy"


def test_same_seed_gives_the_same_bytes(start):
    one, other = start(seed=4), start(seed=4)
    for vendor in (one, other):  # nothing from other simulators of this process
        vendor.app.exports.cache = BodyCache(shared=SharedBodies())
    assert one.get("/players").content == other.get("/players").content
    assert one.get("/sessions").content == other.get("/sessions").content
    files = [v.download(v.links(data_type=ME)[0]).content for v in (one, other)]
    assert files[0] == files[1]
    assert start(seed=5).get("/players").content != one.get("/players").content


def test_athletes_and_sessions_do_not_depend_on_how_many_there_are():
    few = World(Shape(players=60, sessions=10))
    many = World(Shape(players=237, sessions=200))
    assert [a.record() for a in few.athletes] == [
        a.record() for a in many.athletes[:60]
    ]
    for one, other in zip(few.sessions, many.sessions, strict=False):
        assert one == other
        org_id = one.athletes[0]
        assert few.movements(one, org_id) == many.movements(other, org_id)


def test_names_are_invented_and_ids_unique():
    world = World(Shape(players=237, sessions=1000, swings=1))
    assert len({a.org_player_id for a in world.athletes}) == 237
    assert len({s.id for s in world.sessions}) == 1000
    often = {}
    for session in world.sessions:
        for org_id in session.athletes:
            often[org_id] = often.get(org_id, 0) + 1
    assert max(often.values()) > 20  # some come all year


def test_movement_ids_repeat_between_sessions_of_templates_only():
    world = World(Shape(players=20, sessions=20, swings=2, plain=True, templates=2))
    first, third = world.sessions[0], world.sessions[2]

    def ids(session):
        found = world.movements(session, session.athletes[0])
        return [m.org_movement_id for m in found]

    assert ids(first) == ids(third) == ["IMG-1000-0001", "IMG-1000-0002"]
    assert ids(world.sessions[1]) == ["IMG-1001-0001", "IMG-1001-0002"]


def test_templates_share_encoded_files(start):
    vendor = start(players=40, sessions=12, templates=1, scenario="plain")
    bodies = set()
    for number in range(12):
        (link,) = vendor.links(number, data_format="parquet")
        bodies.add(vendor.download(link).content)
    assert len(bodies) <= 2  # one for each hand
    assert vendor.app.exports.cache.kept == len(bodies)


def test_simulators_of_one_process_encode_equal_files_once(start, monkeypatch):
    monkeypatch.setattr(SHARED, "folder", None)

    def download(**config):
        vendor = start(**({"scenario": "plain", "seed": 90_001} | config))
        (link,) = vendor.links(1, data_format="parquet")
        return vendor, vendor.download(link).content

    first, body = download()
    assert first.app.exports.cache.built == 1
    other, same = download()
    assert other.app.exports.cache.built == 0
    assert same == body
    # Whatever decides the bytes makes another file.
    unlike = (
        {"seed": 90_002},
        {"swings": 2},
        {"rate_hz": 120.0},
        {"noise_mm": 1.0},
        {"scenario": "plain,degrees"},
        {"scenario": "plain,lower-points"},
        {"scenario": "plain,bad-one-swing"},
    )
    bodies = {body, *(download(**config)[1] for config in unlike)}
    assert len(bodies) == 1 + len(unlike)
    # So does a change of the data, in the simulator that was changed alone.
    session = other.world.sessions[1]
    other.world.reprocess_session(session.id)
    (link,) = other.links(1, data_format="parquet")
    assert other.download(link).content not in bodies
    (link,) = first.links(1, data_format="parquet")
    assert first.download(link).content == body


def test_shared_files_are_bounded_and_the_least_used_go_first():
    shared = SharedBodies(memory_bytes=10)
    for key in "abc":
        shared.keep(key, Body(b"1234", None, 4))
    assert shared.find("a") is None
    assert shared.find("b").read() == b"1234"
    shared.keep("d", Body(b"1234", None, 4))
    assert [key for key in "abcd" if shared.find(key)] == ["b", "d"]
    shared.keep("d", Body(b"12", None, 2))
    assert shared.used_bytes == 6
    shared.keep("large", Body(b"x" * 11, None, 11))
    assert shared.find("large") is None
    assert shared.find("b") is not None


def test_files_kept_in_a_folder_are_there_for_other_processes(tmp_path):
    one = SharedBodies(folder=tmp_path)
    one.keep(("swing", 1.5), Body(b"1234", None, 4))
    other = SharedBodies(folder=tmp_path)
    assert other.find(("swing", 1.5)).read() == b"1234"
    assert other.used_bytes == 4
    assert other.find(("swing", 1.25)) is None
    assert SharedBodies().find(("swing", 1.5)) is None


def test_a_folder_of_kept_files_is_of_this_simulator_and_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(simulated, "KEPT_BYTES", 10)
    folder = simulated.kept_folder(tmp_path)
    for place, name in enumerate(("old", "older", "newest")):
        file = folder / name
        file.write_bytes(b"1234")
        os.utime(file, (10 - place, 10 - place) if place < 2 else (20, 20))
    for place in range(6):
        other = tmp_path / f"version-{place}"
        other.mkdir()
        os.utime(other, (place, place))
    assert simulated.kept_folder(tmp_path) == folder
    assert {file.name for file in folder.iterdir()} == {"old", "newest"}
    names = {other.name for other in tmp_path.iterdir()}
    assert names == {folder.name, "version-3", "version-4", "version-5"}


def test_plain_sessions_have_exactly_the_swings_asked_for(start):
    vendor = start(sessions=12, swings=2, scenario="plain")
    for session in vendor.get("/sessions").json():
        assert session["status"] == "processed"
        assert session["total_movements"] == {"baseball-hitting": 2}
        assert session["num_players"] == 1


def updated(vendor, since):
    return vendor.get("/sessions", updated_since=since).json()


def test_changes_of_a_session_move_updated_at(start):
    vendor = start()
    since = vendor.world.now().isoformat()
    assert updated(vendor, since) == []
    session_id, org_id = vendor.part()
    before = vendor.download(vendor.links()[0]).content
    vendor.world.reprocess_session(session_id)
    assert [s["id"] for s in updated(vendor, since)] == [session_id]
    assert vendor.download(vendor.links()[0]).content != before
    waiting = vendor.world.sessions[4].id
    assert vendor.export(4).status_code == 404
    vendor.world.give_data(waiting)
    assert vendor.export(4).status_code == 200
    added = vendor.world.add_session([org_id], swings=2)
    assert {s["id"] for s in updated(vendor, since)} == {session_id, waiting, added}
    stamps = [s["updated_at"] for s in updated(vendor, since)]
    assert len(set(stamps)) == 3


def test_days_differ_by_the_scatter_that_was_asked_for():
    def habits(scatter):
        """Each habit of each day against the same swings without scatter, in SDs."""
        world = World(
            Shape(players=2, sessions=160, swings=1, plain=True, day_scatter=scatter)
        )
        return np.array(
            [
                [getattr(m.shape, name) / sd for name, sd in SWING_SD.items()]
                for session in world.sessions
                for m in world.movements(session, session.athletes[0])
            ]
        )

    same = habits(0.0)
    days = habits(0.7) - same
    assert days.std(axis=0) == pytest.approx(0.7, rel=0.2)
    assert days.mean(axis=0) == pytest.approx(0.0, abs=0.2)
    # Twice as much scatter moves the same days twice as far.
    assert habits(1.4) - same == pytest.approx(2 * days)


def test_true_change_of_a_session_has_the_size_that_was_asked_for(start):
    vendor = start(scenario="plain")
    session_id, org_id = vendor.part(3)
    session = vendor.world.sessions[3]
    before = vendor.world.movements(session, org_id)
    since = vendor.world.now().isoformat()
    body = {
        "action": "shift_swings",
        "session_id": session_id,
        "org_player_id": org_id,
        "by": {"torso_rate": 3, "coil_deg": -1.5},
    }
    assert vendor.control("mutate", body).json() == {"result": None}
    for old, new in zip(before, vendor.world.movements(session, org_id), strict=True):
        moved = {
            name: (getattr(new.shape, name) - getattr(old.shape, name)) / sd
            for name, sd in SWING_SD.items()
        }
        expected = {"torso_rate": 3.0, "coil_deg": -1.5}
        assert moved == pytest.approx(dict.fromkeys(SWING_SD, 0.0) | expected)
    assert [s["id"] for s in updated(vendor, since)] == [session_id]
    other = vendor.world.sessions[2]
    assert other.shifts == {}
    answer = vendor.control("mutate", body | {"by": {"luck": 1}})
    assert answer.status_code == 400
    assert "no such habit: luck" in answer.json()["detail"]


def test_renamed_and_corrected_athlete(start):
    vendor = start()
    org_id = vendor.world.athletes[0].org_player_id
    before = vendor.get("/players").json()[0]["updated_at"]
    vendor.world.rename_player(org_id, "Sage", "Titan")
    vendor.world.set_attribute(org_id, "height_ft", "6.250")
    vendor.world.set_attribute(org_id, "weight_lbs", None)
    player = vendor.get("/players").json()[0]
    attributes = {a["key"]: a["value"] for a in player["attributes"]}
    assert (player["first_name"], player["last_name"]) == ("Sage", "Titan")
    assert attributes["height_ft"] == "6.250"
    assert "weight_lbs" not in attributes
    assert player["updated_at"] > before


def test_records_can_vanish(start):
    vendor = start()
    session = vendor.world.sessions[0]
    org_id = session.athletes[0]
    name = vendor.world.movements(session, org_id)[1].org_movement_id
    vendor.world.remove_movement(session.id, org_id, name)
    assert name not in vendor.table()["org_movement_id"].to_pylist()
    vendor.world.remove_session(session.id)
    assert vendor.get(f"/session/{session.id}").status_code == 404
    assert session.id not in [s["id"] for s in vendor.get("/sessions").json()]
    assert vendor.export().status_code == 404
    vendor.world.remove_player(org_id)
    assert org_id not in [p["org_player_id"] for p in vendor.get("/players").json()]


def test_what_was_taken_away_is_put_back_as_it_was(start):
    vendor = start()
    world = vendor.world
    session = world.sessions[2]
    (one, other), third = session.athletes, world.athletes[5].org_player_id
    before = world.movements(session, other)
    world.remove_participant(session.id, other)
    world.add_participant(session.id, other)
    assert sorted(session.athletes) == sorted([one, other])
    assert world.movements(session, other) == before
    with pytest.raises(ValueError, match="takes part already"):
        world.add_participant(session.id, other)
    world.remove_movement(session.id, other, before[0].org_movement_id)
    assert world.movements(session, other) == before[1:]
    world.return_movements(session.id)
    assert world.movements(session, other) == before

    world.remove_session(session.id)
    stamp = session.updated_at
    world.return_session(session.id)
    assert vendor.get(f"/session/{session.id}").status_code == 200
    assert session.updated_at > stamp
    assert third not in session.athletes


def test_another_day_changes_no_swing(start):
    vendor = start()
    session = vendor.world.sessions[0]
    before = vendor.world.movements(session, session.athletes[0])
    vendor.world.redate_session(session.id, "2027-03-04", 3)
    # Nor does it once they are drawn again.
    vendor.world._movements.clear()
    assert vendor.world.movements(session, session.athletes[0]) == before
    record = vendor.get(f"/session/{session.id}").json()
    assert (record["session_date"], record["session_num"]) == ("2027-03-04", 3)


def test_a_copied_session_is_corrected_by_itself(start):
    world = start().world
    session = world.sessions[0]
    (org_id,) = session.athletes
    again = world.session(world.copy_session(session.id))
    before = world.movements(again, org_id)
    assert before == world.movements(session, org_id)
    world.shift_swings(session.id, org_id, {"torso_rate": 3})
    world.remove_movement(session.id, org_id, before[0].org_movement_id)
    assert len(world.movements(session, org_id)) == len(before) - 1
    assert world.movements(again, org_id) == before


def test_merged_athletes_have_the_sessions_of_both(start):
    vendor = start()
    world = vendor.world
    shared = world.sessions[2]
    kept, gone = shared.athletes
    alone = next(s for s in world.sessions if s.athletes == [gone])
    swings = world.movements(alone, gone)
    of_both = world.movements(shared, kept)
    world.merge_players(gone, kept)
    assert gone not in [a["org_player_id"] for a in vendor.get("/players").json()]
    assert (alone.athletes, shared.athletes) == ([kept], [kept])
    assert world.movements(alone, kept) == swings
    assert world.movements(shared, kept) == of_both


def test_a_change_is_made_while_requests_are_under_way(start):
    vendor = start()
    org_id = vendor.world.athletes[0].org_player_id
    rename = {"action": "rename_player", "org_player_id": org_id,
              "first_name": "Fern", "last_name": "Ceres"}  # fmt: skip
    answer = vendor.control("mutate", rename | {"after_requests": 2}).json()
    assert answer == {"at_request": vendor.log.total + 2}
    away = {"action": "remove_session", "session_id": vendor.world.sessions[0].id}
    for after in (50, 60):
        vendor.control("mutate", away | {"after_requests": after})
    names = [vendor.get("/players").json()[0]["first_name"] for _ in range(2)]
    assert names[0] != "Fern"
    assert names[1] == "Fern"
    assert not vendor.world.sessions[0].removed
    done = vendor.control("planned", {}).json()["done"]
    assert [each["action"] for each in done] == [
        "rename_player", "remove_session", "remove_session"]  # fmt: skip
    assert [bool(each["refused"]) for each in done] == [False, False, True]
    assert vendor.world.sessions[0].removed
    assert vendor.control("planned", {}).json() == {"done": []}


def test_data_may_appear_later_without_notice(start):
    vendor = start()
    session_id, _ = vendor.part()
    stamp = vendor.get(f"/session/{session_id}").json()["updated_at"]
    vendor.world.delay_data(session_id, 3600)
    assert vendor.export().status_code == 404
    vendor.world.advance(3601)
    assert vendor.export().status_code == 200
    assert vendor.get(f"/session/{session_id}").json()["updated_at"] == stamp


def test_control_works_from_another_process(start):
    vendor = start()
    records = vendor.control("data").json()
    assert len(records["players"]) == 6
    assert records["sessions"][0]["with_data"] == vendor.world.sessions[0].athletes
    assert records["sessions"][4]["with_data"] == []
    org_id = records["players"][1]["org_player_id"]
    body = {"action": "rename_player", "org_player_id": org_id,
            "first_name": "Fern", "last_name": "Ceres"}  # fmt: skip
    assert vendor.control("mutate", body).json() == {"result": None}
    assert vendor.get("/players").json()[1]["first_name"] == "Fern"
    body = {"action": "add_session", "org_player_ids": [org_id], "swings": 1}
    added = vendor.control("mutate", body).json()["result"]
    assert vendor.get(f"/session/{added}").json()["num_movements"] == 1
    settings = vendor.control("scenario", {"scenario": "wrapped"}).json()
    assert settings["scenario"] == "wrapped"
    assert list(vendor.get("/players").json()) == ["players"]
    plan = {"probability": 1.0, "kinds": ["500"], "routes": ["players"]}
    assert vendor.control("faults", plan).json()["faults"]["kinds"] == ["500"]
    assert vendor.get("/players").status_code == 500
    counts = vendor.control("requests").json()
    assert counts["routes"] == {"players": 3, "session": 1}
    assert counts["statuses"] == {"200": 3, "500": 1}
    assert vendor.control("requests/reset", {}).json()["total"] == 0


def test_revoked_token_is_refused(start):
    vendor = start()
    token = vendor.login().json()["access_token"]
    vendor.control("revoke-tokens", {})
    answer = requests.get(
        f"{vendor.url}/players",
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("mutate", {"action": "explode"}, 400),
        ("mutate", {"action": "rename_player"}, 400),
        ("mutate", {"action": "remove_session", "session_id": "x"}, 404),
        ("scenario", {"scenario": "sunny"}, 400),
        ("scenario", {"scenario": "plain"}, 400),
        ("faults", {"probability": 2}, 400),
        ("nothing", {}, 404),
    ],
)
def test_senseless_control_is_refused_with_a_reason(vendor, path, body, status):
    answer = vendor.control(path, body)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_log_keeps_no_secret(start):
    vendor = start()
    vendor.login()
    (link,) = vendor.links()
    vendor.download(link, headers={"Authorization": "Bearer x"})
    log = vendor.control("requests", log=1).json()["log"]
    assert [row["route"] for row in log] == ["token", "data_export", "download"]
    assert log[2]["query"] == ""
    assert log[2]["authorization"] == "Bearer"
    assert log[1]["api_key"] is True
    assert "X-Amz" not in str(log)
    assert "demo-" not in str(log)


def test_requests_side_by_side_are_counted(start):
    vendor = start(latency_ms=600)
    gate = threading.Barrier(8)

    def ask(_):
        gate.wait()
        headers = {"x-api-key": "demo-api-key"}
        url = f"{vendor.url}/players"
        return requests.get(url, headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {200}
    assert vendor.log.most_in_flight == 8
    # A client has its answer a moment before the server is done with the request.
    deadline = time.monotonic() + 30
    while vendor.log.in_flight and time.monotonic() < deadline:
        time.sleep(0.01)
    assert vendor.log.in_flight == 0
    assert vendor.log.find("players")[0].seconds >= 0.6


def test_connections_are_kept_alive(vendor):
    first = vendor.get("/movement_types")
    assert first.raw.version == 11
    pool = vendor.session.get_adapter(vendor.url).poolmanager.connection_from_url(
        vendor.url
    )
    before = pool.num_connections
    for _ in range(5):
        vendor.get("/movement_types")
    assert pool.num_connections == before


def test_large_files_go_through_the_disk(start):
    vendor = start(players=2, sessions=1, swings=12, scenario="plain")
    (link,) = vendor.links(data_type=ME)
    body = vendor.download(link).content
    assert len(body) > 8 * 1024**2
    assert vendor.download(link).content == body
    assert vendor.app.exports.cache.built == 1


def test_short_clips_and_other_rates(start):
    vendor = start(rate_hz=120, duration_s=0.8, scenario="plain")
    table = vendor.table()
    assert table.num_rows == 3 * 96
    frames, movement = vendor.frames()
    assert frames["time"][1] == pytest.approx(1 / 120)
    assert 0.5 < movement.contact_s < 0.75


def test_scenario_text_is_checked():
    assert Scenario.parse("token-2s,noise=2").values == {"token-life": 2, "noise": 2}
    assert Scenario.parse("").values == {}
    for wrong in ("sunny", "wrapped=3", "noise=loud"):
        with pytest.raises(ScenarioError, match="scenario"):
            Scenario.parse(wrong)


def test_every_switch_is_documented():
    text = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    names = [*SCENARIOS, *KINDS, *ROUTES, *MUTATIONS]
    assert [name for name in names if f"`{name}" not in text] == []


def test_application_is_plain_wsgi():
    app = SimulatorApp(Config(players=1, sessions=1))
    seen = {}

    def start_response(status, headers):
        seen["status"], seen["headers"] = status, dict(headers)

    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/movement_types",
        "QUERY_STRING": "",
        "SERVER_NAME": "vendor",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": type("Empty", (), {"read": lambda *_: b""})(),
        "HTTP_X_API_KEY": "demo-api-key",
    }
    result = app(environ, start_response)
    body = b"".join(result)
    result.close()
    app.close()
    assert seen["status"] == "200 OK"
    assert seen["headers"]["Content-Length"] == str(len(body))


def command(*arguments):
    return [sys.executable, "-m", "simulator", *arguments]


@pytest.mark.processes
def test_command_prints_its_url_and_ends_on_a_signal():
    sizes = ("--players", "3", "--sessions", "2", "--swings", "1", "--seed", "9")
    process = subprocess.Popen(
        command("--port", "0", *sizes, "--scenario", "wrapped", "--api-key", "k"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = process.stdout.readline().strip()
        answer = requests.get(f"{url}/players", headers={"x-api-key": "k"}, timeout=10)
        assert len(answer.json()["players"]) == 3
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0
        process.stdout.close()


@pytest.mark.processes
def test_command_explains_its_switches_and_refuses_wrong_ones():
    run = subprocess.run(
        command("--scenario", "help"), cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=30,
    )  # fmt: skip
    assert run.returncode == 0
    assert "export-polled[=2]" in run.stdout
    run = subprocess.run(
        command("--scenario", "sunny"), cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=30,
    )  # fmt: skip
    assert run.returncode == 2
    assert "There is no scenario 'sunny'." in run.stderr


@pytest.mark.parametrize("sessions", [1, 7, 60, 150])
def test_a_season_ends_on_the_day_asked_for_and_reaches_back_a_year(sessions):
    last = date(2026, 11, 29)
    world = World(Shape(players=20, sessions=sessions, swings=1, last_day=last))
    days = sorted(session.session_date for session in world.sessions)
    assert days[-1] == last
    assert days[0] >= last - timedelta(days=365)
    if sessions >= 60:
        assert days[0] <= last - timedelta(days=355)
        # Also a coach who looks at the last week or month finds some.
        assert sum(day > last - timedelta(days=30) for day in days) >= 4


def test_a_season_without_a_last_day_is_the_same_every_day():
    world = World(Shape(players=20, sessions=60, swings=1))
    days = sorted(session.session_date for session in world.sessions)
    assert days[0] == date(2025, 1, 10)
    assert days[-1] == date(2025, 10, 23)


def test_a_last_day_that_is_no_day_is_refused(capsys):
    assert main(["--last-day", "yesterday"]) == 2
    assert "write a day as YYYY-MM-DD" in capsys.readouterr().err
