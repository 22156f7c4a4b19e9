"""Frames of a movement as JSON, CSV and Parquet."""

import csv
import io
import json

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest

from accounts.models import Action, AuditEntry
from athletes.api.frames import cell, csv_pieces, json_pieces
from athletes.models import Movement
from tests import factories
from tests.openapi import assert_documented

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored():
    columns = {
        "time": np.array([0.0, 0.25, 0.5]),
        "pelvis_rot": np.array([1.5, np.nan, -2.25]),
        "LHJC_X": np.array([0.1, 0.2, 0.3]),
        "note": np.array(["=1+1", None, "ok, fine"], dtype=object),
    }
    movement = factories.make_movement(angle_unit_found="deg")
    return factories.make_frames(columns, movement=movement)


def body_of(response):
    return b"".join(response.streaming_content)


def test_frames_as_json(get, stored):
    response = get(f"/movements/{stored.movement_id}/data")
    body = json.loads(body_of(response), parse_constant=pytest.fail)
    assert body["movement_id"] == stored.movement_id
    assert (body["data_type"], body["frames"]) == ("inverse-kinematics", 3)
    assert body["columns"] == ["time", "pelvis_rot", "LHJC_X", "note"]
    assert body["data"]["time"] == [0.0, 0.25, 0.5]
    assert body["data"]["pelvis_rot"] == [1.5, None, -2.25]
    assert body["data"]["LHJC_X"] == [0.1, 0.2, 0.3]
    assert body["data"]["note"] == ["=1+1", None, "ok, fine"]


def test_frames_of_chosen_columns_come_in_the_order_asked(get, stored):
    path = f"/movements/{stored.movement_id}/data"
    body = json.loads(body_of(get(path, columns=" lhjc_x , time")))
    assert body["columns"] == ["lhjc_x", "time"]
    assert body["data"]["lhjc_x"] == [0.1, 0.2, 0.3]


def test_frames_as_csv_hold_no_formula(get, stored):
    path = f"/movements/{stored.movement_id}/data"
    response = get(path, format="csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == (
        f'attachment; filename="movement-{stored.movement_id}-inverse-kinematics.csv"'
    )
    rows = list(csv.reader(io.StringIO(body_of(response).decode())))
    assert rows == [
        ["time", "pelvis_rot", "LHJC_X", "note"],
        ["0", "1.5", "0.1", "'=1+1"],
        ["0.25", "", "0.2", ""],
        ["0.5", "-2.25", "0.3", "ok, fine"],
    ]


def test_frames_as_parquet(get, stored):
    path = f"/movements/{stored.movement_id}/data"
    response = get(path, format="parquet", columns="time,pelvis_rot")
    table = pq.read_table(io.BytesIO(body_of(response)))
    assert table.to_pydict() == {
        "time": [0.0, 0.25, 0.5],
        "pelvis_rot": [1.5, None, -2.25],
    }
    assert str(table.schema.field("time").type) == "double"
    assert table.schema.metadata[b"movement_id"] == str(stored.movement_id).encode()
    assert table.schema.field("time").metadata[b"unit"] == b"s"
    assert table.schema.field("pelvis_rot").metadata[b"unit"] == b"deg"


def test_parquet_with_another_unit_is_another_file(get, stored):
    path = f"/movements/{stored.movement_id}/data"
    before = [get(path, format=kind)["ETag"] for kind in ("csv", "parquet")]
    assert before == [get(path, format=kind)["ETag"] for kind in ("csv", "parquet")]
    Movement.objects.filter(pk=stored.movement_id).update(angle_unit_found="rad")
    after = [get(path, format=kind)["ETag"] for kind in ("csv", "parquet")]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False]


def test_frames_with_an_unknown_column_name_it(get, stored):
    path = f"/movements/{stored.movement_id}/data"
    response = get(path, status=422, columns="time,nonsense")
    assert_documented(response, "/movements/{id}/data")
    assert "nonsense" in response.json()["detail"]


def test_frames_of_a_type_that_is_not_stored_are_404(get, stored):
    path = f"/movements/{stored.movement_id}/data"
    response = get(path, status=404, data_type="momentum-energy")
    assert "momentum-energy" in response.json()["detail"]


def test_unchanged_frames_are_not_sent_again(client, stored):
    headers = factories.make_token()
    path = f"/movements/{stored.movement_id}/data"
    etag = client.get(path, headers=headers)["ETag"]
    again = client.get(path, headers=headers | {"If-None-Match": etag})
    assert (again.status_code, again["ETag"], again.content) == (304, etag, b"")
    other = client.get(
        path, {"columns": "time"}, headers=headers | {"If-None-Match": etag}
    )
    assert other.status_code == 200
    # What was not sent is no export.
    assert AuditEntry.objects.filter(action=Action.DATA_EXPORTED).count() == 2


def test_frames_sent_are_recorded(get, stored):
    get(f"/movements/{stored.movement_id}/data", format="csv")
    entry = AuditEntry.objects.get(action=Action.DATA_EXPORTED)
    assert entry.player_number == stored.movement.session.player_id
    assert (entry.subject_type, entry.subject_id) == (
        "athletes.movement",
        stored.movement_id,
    )
    assert entry.detail == {"format": "csv", "data_type": "inverse-kinematics"}
    assert entry.actor.startswith("token swd_")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_text_cells_cannot_become_formulas(start):
    assert cell(f"{start}cmd") == f"'{start}cmd"
    assert cell("cmd=1") == "cmd=1"


def test_hostile_column_names_stay_text():
    columns = {'=HYPERLINK("x"),"y"': np.array([1.0]), "<script>": np.array([np.inf])}
    rows = list(csv.reader(io.StringIO(b"".join(csv_pieces(columns)).decode())))
    assert rows == [['\'=HYPERLINK("x"),"y"', "<script>"], ["1", ""]]
    text = b"".join(json_pieces(columns, movement_id=1, data_type="t"))
    assert orjson.loads(text)["data"] == {
        '=HYPERLINK("x"),"y"': [1.0],
        "<script>": [None],
    }


def test_many_frames_leave_in_pieces():
    columns = {"time": np.arange(1000) / 240.0}
    pieces = list(csv_pieces(columns))
    assert len(pieces) == 4
    assert len(b"".join(pieces).splitlines()) == 1001
