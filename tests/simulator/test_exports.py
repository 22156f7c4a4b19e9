"""Data exports, links and files."""

import csv
import gzip
import io
import time
from urllib.parse import unquote

import pyarrow.parquet as pq
import pytest
import requests

pytestmark = pytest.mark.slow

IK, ME = "inverse-kinematics", "momentum-energy"
METRICS = "hitting-processed-metrics"


def test_export_echoes_the_request_with_one_link_for_an_aggregate(vendor):
    session_id, org_id = vendor.part()
    answer = vendor.export().json()
    links = answer.pop("download_urls")
    assert answer == {
        "session_id": session_id,
        "movement_type_id": 1,
        "org_player_id": org_id,
        "data_type": IK,
        "data_format": "csv",
        "aggregate": True,
        "return_column_info": False,
    }
    assert len(links) == 1
    assert f"/{IK}/csv/" in links[0]
    assert ".csv.gz?" in links[0]


def test_format_and_aggregate_have_the_servers_defaults(vendor):
    answer = vendor.export(data_format="", aggregate="").json()
    assert (answer["data_format"], answer["aggregate"]) == ("csv", False)
    # Session 0 holds three swings, a walk-through and a swing without a bat.
    assert len(answer["download_urls"]) == 5


def test_movement_filter_gives_that_movement_only(vendor):
    session = vendor.world.sessions[6]
    wanted = vendor.world.movements(session, session.athletes[0])[1].org_movement_id
    assert wanted == 'Cage #3, "live"-0002'
    (link,) = vendor.links(6, aggregate=False, org_movement_id=wanted)
    assert f"001_{wanted}_ik" in unquote(link)
    text = gzip.decompress(vendor.download(link).content).decode()
    assert text.count('"Cage #3, ""live""-0002"') == 576
    absent = vendor.export(6, aggregate=False, org_movement_id="nope")
    assert absent.status_code == 404


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"session_id": ""}, "session_id"),
        ({"movement_type_id": "baseball-hitting"}, "movement_type_id"),
        ({"org_player_id": 5}, "org_player_id"),
        ({"data_type": ""}, "data_type"),
        ({"data_type": "joint-angles"}, "data_type"),
        ({"data_format": "xlsx"}, "data_format"),
        ({"aggregate": "perhaps"}, "aggregate"),
    ],
)
def test_bad_body_is_422_and_names_the_field(vendor, changed, field):
    answer = vendor.export(**changed)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


def test_get_on_the_export_is_405(vendor):
    answer = vendor.get("/data_export")
    assert answer.status_code == 405
    assert answer.json() == {"detail": "Method Not Allowed"}


def no_data(answer):
    found = answer.json()["detail"]
    return answer.status_code == 404 and found.startswith(
        "No data found matching query: {"
    )


def test_no_data_is_a_404_that_echoes_the_query(vendor):
    session = vendor.world.sessions[0]
    athlete = vendor.world.athlete(session.athletes[0])
    assert no_data(vendor.export(org_player_id=athlete.id))  # the internal id
    other = vendor.world.athletes[100].org_player_id
    assert no_data(vendor.export(org_player_id=other))
    assert no_data(vendor.export(session_id="unknown"))
    assert no_data(vendor.export(movement_type_id=2))
    assert no_data(vendor.export(data_type="hitting-processed-series"))
    assert no_data(vendor.export(3))  # a pitching session
    assert no_data(vendor.export(4))  # still processing
    assert no_data(vendor.export(5))  # processed, and nothing for the athlete


def test_csv_is_quoted_crlf_and_gzip_without_content_encoding(vendor):
    (link,) = vendor.links()
    answer = vendor.download(link)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers
    assert answer.content[:2] == b"\x1f\x8b"
    lines = gzip.decompress(answer.content).split(b"\r\n")
    assert lines[0].startswith(b'"index","skullbase_x",')
    assert lines[1].startswith(b'"0","')
    assert len(lines) == 1 + 5 * 576 + 1
    assert b"\n" not in lines[1]


def test_parquet_holds_all_movements_in_one_group_of_rows(vendor):
    (link,) = vendor.links(data_format="parquet")
    file = pq.ParquetFile(io.BytesIO(vendor.download(link).content))
    assert len(set(file.read(["org_movement_id"]).column(0).to_pylist())) > 1
    assert file.num_row_groups == 1


def test_parquet_is_parquet_with_capital_points_and_equal_numbers(vendor):
    (link,) = vendor.links(data_format="parquet")
    assert ".parquet?" in link
    table = pq.read_table(io.BytesIO(vendor.download(link).content))
    csv = vendor.table()
    assert "LHJC_X" in table.column_names
    assert "lhjc_x" in csv.column_names
    assert [n.lower() for n in table.column_names] == csv.column_names
    for name in ("LHJC_X", "pelvis_rot", "time"):
        assert table[name].to_pylist() == csv[name.lower()].to_pylist()


@pytest.mark.parametrize(("data_type", "columns"), [(IK, 211), (ME, 344)])
def test_files_have_the_known_number_of_columns(vendor, data_type, columns):
    table = vendor.table(data_type=data_type)
    assert table.num_columns == columns
    assert len(set(table.column_names)) == columns
    assert table.num_rows == 5 * 576


def test_metrics_hold_the_true_frames_of_each_swing(vendor):
    table = vendor.table(data_type=METRICS).to_pydict()
    session = vendor.world.sessions[0]
    movements = vendor.world.movements(session, session.athletes[0])
    assert list(table["org_movement_id"]) == [m.org_movement_id for m in movements]
    for place, movement in enumerate(movements):
        impact = table["impact_event"][place]
        if movement.kind != "swing":
            assert impact is None
            continue
        assert impact == round(movement.contact_s * movement.rate_hz)
        assert table["foot_down_event"][place] < impact
        assert table["peak_velocity_event"][place] <= impact


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_metrics_can_be_refused(vendor, status):
    vendor.app.set_scenario(f"metrics-refused={status}")
    try:
        assert vendor.export(data_type=METRICS).status_code == status
        assert vendor.export(data_type="metadata").status_code == 200
        vendor.app.set_scenario("metrics-no-data")
        assert no_data(vendor.export(data_type=METRICS))
    finally:
        vendor.app.set_scenario("")


def test_metadata_lists_the_movements_with_their_offsets(vendor):
    table = vendor.table(data_type="metadata")
    session = vendor.world.sessions[0]
    movements = vendor.world.movements(session, session.athletes[0])
    assert table["org_movement_id"].to_pylist() == [
        m.org_movement_id for m in movements
    ]
    assert {"X_offset", "Y_offset", "Z_offset"} <= set(table.column_names)


def test_a_swing_without_a_bat_has_empty_bat_cells(vendor):
    frames, movement = vendor.frames(movement=4)
    assert not movement.has_bat
    assert all(v != v for v in frames["bhead_x"])
    momentum, _ = vendor.frames(data_type=ME, movement=4)
    assert all(v != v for v in momentum["bat_kinetic_energy"])
    assert momentum["total_kinetic_energy"].max() > 100


def test_one_swing_carries_a_spike_of_bat_energy_after_the_swing(vendor):
    momentum, movement = vendor.frames(data_type=ME, movement=1)
    energy = momentum["bat_kinetic_energy"]
    assert energy.max() > 22_000
    spike = momentum["time"][energy.argmax()]
    assert spike - movement.contact_s == pytest.approx(0.4, abs=0.005)
    before = energy[momentum["time"] < movement.contact_s + 0.1]
    assert before.max() < 600


def test_second_credential_on_a_link_is_refused(vendor):
    (link,) = vendor.links()
    answer = vendor.download(link, headers={"Authorization": "Bearer x"})
    assert answer.status_code == 400
    assert "<Code>InvalidArgument</Code>" in answer.text


def test_changed_or_unsigned_link_is_refused(vendor):
    (link,) = vendor.links()
    assert vendor.download(link.partition("?")[0]).status_code == 403
    other = link.replace("inverse-kinematics", "momentum-energy")
    answer = vendor.download(other)
    assert answer.status_code == 403
    assert "SignatureDoesNotMatch" in answer.text


def test_link_expires_after_an_hour(start):
    vendor = start()
    (link,) = vendor.links()
    vendor.world.advance(3500)
    assert vendor.download(link).status_code == 200
    vendor.world.advance(110)
    answer = vendor.download(link)
    assert answer.status_code == 403
    assert "Request has expired" in answer.text


def test_link_life_can_be_a_second(start):
    vendor = start(scenario="links-1s")
    (link,) = vendor.links()
    assert vendor.download(link).status_code == 200
    time.sleep(2.1)
    assert vendor.download(link).status_code == 403


def test_ranges_of_a_file(vendor):
    (link,) = vendor.links()
    whole = vendor.download(link).content
    part = vendor.download(link, headers={"Range": "bytes=0-99"})
    assert (part.status_code, part.content) == (206, whole[:100])
    assert part.headers["Content-Range"] == f"bytes 0-99/{len(whole)}"
    tail = vendor.download(link, headers={"Range": "bytes=-10"})
    assert tail.content == whole[-10:]
    rest = vendor.download(link, headers={"Range": f"bytes={len(whole) - 5}-"})
    assert rest.content == whole[-5:]
    beyond = vendor.download(link, headers={"Range": f"bytes={len(whole)}-"})
    assert beyond.status_code == 416


def test_polled_export_becomes_ready(start):
    vendor = start(scenario="export-polled")
    answers = [vendor.export() for _ in range(4)]
    assert [a.status_code for a in answers] == [202, 202, 200, 200]
    assert answers[0].json()["status"] == "processing"
    vendor.app.set_scenario("export-status=1")
    first, second = vendor.export(data_type=ME), vendor.export(data_type=ME)
    assert first.status_code == 200
    assert "download_urls" not in first.json()
    assert len(second.json()["download_urls"]) == 1
    vendor.app.set_scenario("export-location=1")
    first = vendor.export(data_type=ME)
    asked = vendor.get(first.headers["Location"])
    assert len(asked.json()["download_urls"]) == 1
    vendor.app.set_scenario("export-empty")
    assert vendor.links() == []


def test_one_link_and_single_key_switches(start):
    vendor = start(scenario="export-one-url")
    assert len(vendor.links(aggregate=False)) == 1
    vendor.app.set_scenario("export-single-key")
    assert vendor.export().json()["download_url"].startswith(vendor.url)


def test_column_info_answers_about_columns(vendor):
    answer = vendor.export(return_column_info=True).json()
    assert "download_urls" not in answer
    assert answer["column_info"][1] == {"name": "skullbase_x", "type": "float"}


def first_lines(vendor, **options):
    (link,) = vendor.links(**options)
    body = vendor.download(link).content
    if body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    return body


def test_file_switches(start):
    vendor = start(scenario="plain-csv,unquoted,lf,bom,no-index-name")
    body = first_lines(vendor)
    assert body.startswith(b"\xef\xbb\xbf,skullbase_x,")
    assert b"\r" not in body
    vendor.app.set_scenario("nan-text,no-movement-id,upper-points")
    body = first_lines(vendor)
    assert b'"LHJC_X"' in body
    assert b"org_movement_id" not in body
    assert b",NaN," in body
    vendor.app.set_scenario("no-bat-columns,no-ik-clock")
    header = first_lines(vendor).split(b"\r\n")[0]
    assert b"bhead" not in header
    assert b"time_from_max_hand" not in header
    vendor.app.set_scenario("parquet-gz")
    assert first_lines(vendor, data_format="parquet")[:4] == b"PAR1"
    vendor.app.set_scenario("content-encoding")
    assert vendor.download(vendor.links()[0]).content.startswith(b'"index"')
    vendor.app.set_scenario("links-other-host")
    assert vendor.links()[0].startswith("http://localhost:")


def test_hawkeye_layout(start):
    vendor = start(scenario="hawkeye")
    table = vendor.table(data_format="parquet")
    assert table.num_columns == 1 + 182  # the row index is not counted
    names = table.column_names
    assert names[1:4] == ["LEYE_X", "LEYE_Y", "LEYE_Z"]
    assert names[-2:] == ["time_from_max_hand", "norm_time"]
    assert "left_shoulder_abd_vel" in names
    assert max(table["pelvis_rot"].to_pylist()) > 80


def test_damaged_files(start):
    vendor = start()
    (link,) = vendor.links()
    whole = vendor.download(link).content
    session_id, _ = vendor.part()
    found = {}
    for damage in (
        "bad-truncated",
        "bad-html",
        "bad-out-of-order",
        "bad-same-id",
        "bad-missing-columns",
        "bad-duplicate-columns",
        "bad-text-column",
        "bad-one-swing",
    ):
        vendor.world.damage_session(session_id, damage)
        found[damage] = vendor.download(link).content
    assert len(found["bad-truncated"]) == len(whole) * 2 // 3
    assert found["bad-html"].startswith(b"<!DOCTYPE html>")
    header = gzip.decompress(found["bad-missing-columns"]).split(b"\r\n")[0]
    assert b'"time"' not in header
    header = gzip.decompress(found["bad-duplicate-columns"]).split(b"\r\n")[0]
    assert header.count(b'"skullbase_x"') == 2
    assert b"not a number" in gzip.decompress(found["bad-text-column"])
    same = gzip.decompress(found["bad-same-id"])
    assert b"IMG-1000-0001" in same
    assert b"IMG-1000-0002" not in same
    shuffled = gzip.decompress(found["bad-out-of-order"])
    assert not shuffled.split(b"\r\n")[1].startswith(b'"0",')
    sound = list(csv.DictReader(io.StringIO(gzip.decompress(whole).decode("utf-8"))))
    text = gzip.decompress(found["bad-one-swing"]).decode("utf-8")
    changed = [
        place
        for place, (row, other) in enumerate(
            zip(sound, csv.DictReader(io.StringIO(text)), strict=True)
        )
        if row != other
    ]
    assert changed == [31]
    vendor.world.damage_session(session_id, None)
    assert vendor.download(link).content == whole


def test_download_paths_keep_awkward_ids(vendor):
    for link in vendor.links(6, aggregate=False):
        assert "#" not in link
        assert vendor.download(link).status_code == 200


def test_the_way_of_the_vendors_own_client(vendor):
    # Key in a header, a page limit on every call, a base that ends in a slash.
    with requests.Session() as session:
        session.headers.update({"x-api-key": "demo-api-key"})
        session.params = {"limit": 100}
        base = f"{vendor.url}/"
        types = session.get(f"{base}/mocap_types", timeout=10).json()
        assert {t["slug"]: t["id"] for t in types}["hawkeye"] == 2
        found = session.get(
            f"{base}/sessions",
            params={"mocap_type_id": 67, "status": "processed"},
            timeout=10,
        ).json()
        detail = session.get(f"{base}/session/{found[0]['id']}", timeout=10).json()
        answer = session.post(
            f"{base}/data_export",
            json={
                "session_id": detail["id"],
                "movement_type_id": 1,
                "org_player_id": detail["players"][0]["org_player_id"],
                "data_type": IK,
                "data_format": "parquet",
                "aggregate": False,
                "return_column_info": False,
            },
            timeout=10,
        ).json()
    tables = [
        pq.read_table(io.BytesIO(requests.get(link, timeout=10).content))
        for link in answer["download_urls"]
    ]
    assert len(tables) == detail["num_movements"] == 5
    assert {table.num_rows for table in tables} == {576}
