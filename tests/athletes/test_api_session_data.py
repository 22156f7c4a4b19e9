"""All frames of a session in one file, read whole or in parts."""

import datetime as dt
import io
import os

import duckdb
import numpy as np
import pandas
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
import requests
from django.db import transaction
from fsspec import AbstractFileSystem
from ninja.errors import HttpError

from accounts.models import Action, AuditEntry
from athletes.analysis import run
from athletes.api import kept_files
from athletes.api.exports import whole_file
from athletes.api.ranges import wanted_part
from athletes.api.session_frames import KEYS, SessionData, session_frames
from athletes.models import Movement, Session
from privacy.erasing import erase
from tests import factories
from tests.openapi import assert_documented

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    """Files of a test lie in its own folder."""
    settings.VAR_DIR = tmp_path
    return tmp_path / "session-files"


def body_of(response):
    return b"".join(response.streaming_content)


@pytest.fixture
def session():
    """A session with two swings, of which the second has a column more."""
    session = factories.make_session()
    for place in range(2):
        columns = factories.smooth_columns(frames=40 + place)
        columns["movement_id"] = np.arange(40.0 + place)
        columns["frame"] = np.arange(40.0 + place)
        if place:
            columns["extra"] = np.ones(41)
        swing = factories.make_swing(session=session)
        factories.make_frames(columns, movement=swing)
    return session


@pytest.fixture
def ask(client, session):
    """Ask for the file of the session."""
    headers = factories.make_token()

    def answer(status=200, *, pk=None, sent=None, **params):
        response = client.get(
            f"/sessions/{pk or session.pk}/data",
            params,
            headers=headers | (sent or {}),
        )
        assert response.status_code == status, response
        return response

    return answer


def swings_of(session):
    return list(Movement.objects.filter(session=session).in_session_order())


def test_a_row_group_for_each_swing_with_keys(ask, session):
    response = ask()
    assert_documented(response, "/sessions/{id}/data")
    file = pq.ParquetFile(io.BytesIO(body_of(response)))
    _, second = swings_of(session)
    assert file.metadata.num_row_groups == 2
    table = file.read_row_group(1)
    assert table.column_names[:5] == KEYS.names
    assert table["swing_id"].to_pylist() == [second.pk] * 41
    assert table["org_movement_id"].to_pylist() == [second.org_movement_id] * 41
    assert table["position"].to_pylist() == [2] * 41
    assert table["frame"].to_pylist() == list(range(41))
    time_s = factories.smooth_columns(frames=41)["time"]
    assert np.allclose(table["time_s"].to_numpy(), time_s, atol=1e-9)
    assert table["extra"].to_pylist() == [1.0] * 41
    assert file.read_row_group(0)["extra"].null_count == 40
    pelvis = factories.smooth_columns(frames=40)["pelvis_rot"]
    assert np.allclose(file.read_row_group(0)["pelvis_rot"].to_numpy(), pelvis, 1e-5)
    # The vendor's columns of these names are still there, under another name.
    assert table["vendor_movement_id"].to_pylist() == list(range(41))
    assert table["vendor_frame"].to_pylist() == list(range(41))
    assert "movement_id" not in table.column_names


def test_units_are_said_where_all_swings_agree(ask, session):
    def unit(name):
        schema = pq.read_schema(io.BytesIO(body_of(ask())))
        return (schema.field(name).metadata or {}).get(b"unit")

    assert unit("pelvis_rot") == b"rad"
    assert unit("time_s") == unit("time") == b"s"
    assert unit("extra") is None
    Movement.objects.filter(pk=swings_of(session)[0].pk).update(angle_unit_found="deg")
    assert unit("pelvis_rot") is None


def test_columns_are_chosen(ask):
    table = pq.read_table(io.BytesIO(body_of(ask(columns="Pelvis Rot,extra,time_s"))))
    assert table.column_names == [*KEYS.names, "pelvis_rot", "extra"]
    answer = ask(422, columns="pelvis_rot,nothing")
    assert "not in these frames: nothing" in answer.json()["detail"]


def test_csv_holds_the_same(ask):
    table = pq.read_table(io.BytesIO(body_of(ask(columns="pelvis_rot,extra"))))
    text = body_of(ask(columns="pelvis_rot,extra", format="csv"))
    read = pacsv.read_csv(io.BytesIO(text))
    assert read.column_names == table.column_names
    assert read["swing_id"].to_pylist() == table["swing_id"].to_pylist()
    assert np.allclose(read["pelvis_rot"], table["pelvis_rot"].to_numpy(), 1e-6)
    assert read["extra"].null_count == 40


def test_curves_come_with_their_units(ask):
    session = factories.make_session()
    factories.store_simulated(session, factories.simulated_movements()[:1])
    run.analyze_session(session.pk)
    table = pq.read_table(io.BytesIO(body_of(ask(pk=session.pk, data_type="curves"))))
    units = {field.name: field.metadata for field in table.schema}
    assert table.num_rows > 100
    assert {facts[b"unit"] for facts in units.values() if facts} >= {b"deg/s", b"s"}


def test_what_is_gone_is_not_in_the_file(ask, session):
    first, second = swings_of(session)
    Movement.objects.filter(pk=first.pk).update(missing_since=dt.datetime.now(dt.UTC))
    table = pq.read_table(io.BytesIO(body_of(ask())))
    assert set(table["swing_id"].to_pylist()) == {second.pk}


def test_without_frames_there_is_no_file(ask):
    assert "No curves frames" in ask(404, data_type="curves").json()["detail"]


@pytest.mark.parametrize(
    "params", [{"data_type": "x"}, {"format": "json"}, {"skip": 1}]
)
def test_wrong_parameters_are_refused(ask, params):
    assert_documented(ask(422, **params), "/sessions/{id}/data")


# --- Parts -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-5", (2, 4)),
        ("bytes=2-", (2, 98)),
        ("bytes=-3", (97, 3)),
        ("bytes=-1000", (0, 100)),
        ("bytes=90-1000", (90, 10)),
        ("bytes=100-", (0, 0)),
        ("bytes=-0", (100, 0)),
        ("bytes=99999999999999999999-", (0, 0)),
        ("bytes=0-9223372036854775807", (0, 100)),
        ("bytes=5-99999999999999999999", (5, 95)),
        ("bytes=-99999999999999999999", (0, 100)),
        ("bytes=0000000000000000000002-0000000000000000000005", (2, 4)),
        ("Bytes=2-5", (2, 4)),
        # What cannot be understood, and what is not offered: the whole.
        ("", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=0-1,4-5", None),
        ("lines=0-1", None),
        ("bytes=a-b", None),
        ("bytes=٣-٤", None),
    ],
)
def test_ranges_are_understood(header, part):
    assert wanted_part(header, 100) == part


def test_parts_make_the_whole(ask):
    whole = ask()
    body = body_of(whole)
    size = len(body)
    assert whole["Content-Length"] == str(size)
    assert whole["Accept-Ranges"] == "bytes"
    assert whole["ETag"].startswith('"')
    parts = b""
    for start in range(0, size, size // 3):
        end = min(start + size // 3, size) - 1
        answer = ask(206, sent={"Range": f"bytes={start}-{end}"})
        assert answer["Content-Range"] == f"bytes {start}-{end}/{size}"
        assert answer["Content-Length"] == str(end - start + 1)
        assert answer["ETag"] == whole["ETag"]
        parts += body_of(answer)
    assert parts == body
    assert body_of(ask(206, sent={"Range": "bytes=-4"})) == b"PAR1"


def test_a_range_behind_the_end_is_refused(ask):
    size = len(body_of(ask()))
    answer = ask(416, sent={"Range": f"bytes={size}-"})
    assert answer["Content-Range"] == f"bytes */{size}"
    assert_documented(answer, "/sessions/{id}/data")


def test_a_part_of_another_version_is_the_whole(ask, session):
    etag = ask()["ETag"]
    sent = {"Range": "bytes=0-3", "If-Range": etag}
    assert body_of(ask(206, sent=sent)) == b"PAR1"
    factories.make_frames(movement=factories.make_swing(session=session))
    answer = ask(200, sent=sent)
    assert answer["ETag"] != etag
    assert len(body_of(answer)) == int(answer["Content-Length"])
    assert ask(304, sent={"If-None-Match": answer["ETag"]})["ETag"] == answer["ETag"]


def test_head_says_how_long_it_is(client, ask, session):
    whole = ask()
    head = client.head(f"/sessions/{session.pk}/data", headers=factories.make_token())
    assert head["Content-Length"] == whole["Content-Length"]
    assert head["ETag"] == whole["ETag"]
    assert head.content == b""
    # A range is for GET alone.
    head = client.head(
        f"/sessions/{session.pk}/data",
        headers=factories.make_token() | {"Range": "bytes=0-9"},
    )
    assert head.status_code == 200
    assert head["Content-Length"] == whole["Content-Length"]


def test_reading_in_parts_is_one_download_in_the_audit(ask, session):
    for _ in range(3):
        ask(206, sent={"Range": "bytes=0-3"})
    (entry,) = AuditEntry.objects.filter(action=Action.DATA_EXPORTED)
    assert entry.player_number == session.player_id


# --- Files that are kept -----------------------------------------------------------


def test_a_file_is_made_once_and_goes_after_an_hour(ask, folder):
    body_of(ask())
    (path,) = folder.iterdir()
    made = path.stat().st_ino
    body_of(ask())
    assert [one.stat().st_ino for one in folder.iterdir()] == [made]
    assert kept_files.sweep() == 0
    old = path.stat().st_mtime - kept_files.LIFETIME_S - 1
    os.utime(path, (old, old))
    assert kept_files.sweep() == 1
    assert list(folder.iterdir()) == []


def test_the_oldest_of_too_many_go(ask, folder, monkeypatch):
    body_of(ask())
    monkeypatch.setattr(kept_files, "MOST_BYTES", 10)
    body_of(ask(format="csv"))
    assert [path.suffix for path in folder.iterdir()] == [".csv"]


def test_files_of_an_erased_athlete_go_at_once(ask, session, folder):
    body_of(ask())
    assert len(list(folder.iterdir())) == 1
    erase(player=session.player, by=None)
    assert list(folder.iterdir()) == []


# --- Two columns over HTTP ---------------------------------------------------------


#: Lengths of what servers sent.
fetched = []


class RemoteFile(io.RawIOBase):
    """A file on a server, of which only what is asked for is fetched."""

    def __init__(self, url, headers):
        super().__init__()
        self.url, self.headers = url, headers
        head = requests.head(url, headers=headers, timeout=30)
        assert head.headers["Accept-Ranges"] == "bytes"
        self.size = int(head.headers["Content-Length"])
        self.place = 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self.place

    def seek(self, offset, whence=0):
        self.place = offset + (0, self.place, self.size)[whence]
        return self.place

    def read(self, size=-1):
        end = self.size if size < 0 else min(self.place + size, self.size)
        if end <= self.place:
            return b""
        sent = self.headers | {"Range": f"bytes={self.place}-{end - 1}"}
        answer = requests.get(self.url, headers=sent, timeout=30)
        assert answer.status_code == 206
        fetched.append(len(answer.content))
        self.place = end
        return answer.content


class Remote(AbstractFileSystem):
    """Files of a server for DuckDB, of which only what is asked for is fetched."""

    protocol = "dashboard"
    cachable = False

    def __init__(self, headers):
        super().__init__()
        self.headers = headers

    def _url(self, path):
        return f"http://{self._strip_protocol(path)}"

    def glob(self, path, **options):
        return [path]

    def modified(self, path):
        return dt.datetime(2026, 3, 1, tzinfo=dt.UTC)

    def info(self, path, **options):
        head = requests.head(self._url(path), headers=self.headers, timeout=30)
        size = int(head.headers["Content-Length"])
        return {"name": path, "size": size, "type": "file"}

    def _open(self, path, mode="rb", **options):
        return RemoteFile(self._url(path), self.headers)


def with_pyarrow(url, headers, names):
    file = pq.ParquetFile(pa.PythonFile(RemoteFile(url, headers), mode="r"))
    return file.read(columns=names).to_pandas()


def with_pandas(url, headers, names):
    return pandas.read_parquet(RemoteFile(url, headers), columns=names)


def with_duckdb(url, headers, names):
    with duckdb.connect() as db:
        db.register_filesystem(Remote(headers))
        file = url.replace("http://", "dashboard://")
        # Each relation of its own would read the directory of the file again.
        asked = "SELECT pelvis_rot, torso_rot FROM read_parquet(?)"
        return db.execute(asked, [file]).df()


@pytest.mark.django_db(transaction=True)
def test_two_columns_cost_a_twentieth_of_the_bytes(live_server):
    session = factories.make_session()
    movements = factories.simulated_movements(swings=12)
    factories.store_simulated(session, movements[:12])
    url = f"{live_server.url}/sessions/{session.pk}/data"
    headers = factories.make_token()
    names = ["pelvis_rot", "torso_rot"]
    expected = np.concatenate(
        [
            factories.simulated_columns(movement, "inverse-kinematics")["pelvis_rot"]
            for movement in movements[:12]
        ]
    )
    size = int(
        requests.head(url, headers=headers, timeout=30).headers["Content-Length"]
    )
    for read in (with_pyarrow, with_pandas, with_duckdb):
        fetched.clear()
        table = read(url, headers, names)
        assert list(table.columns) == names
        assert np.allclose(table["pelvis_rot"], expected, atol=1e-5)
        assert 0 < sum(fetched) <= 0.05 * size, (read.__name__, sum(fetched) / size)


def test_frames_that_change_while_a_file_is_written_make_another(session):
    _, second = swings_of(session)
    asked = []

    def now():
        found = session_frames(
            Movement.objects.filter(session=session),
            SessionData.INVERSE_KINEMATICS,
            [],
        )
        asked.append(found.digest)
        if len(asked) == 1:
            # A sync stores other frames after the digest is known.
            second.biomechanics.all().delete()
            factories.make_frames(factories.smooth_columns(frames=77), movement=second)
        return found

    path, digest = whole_file(session.pk, now(), now, is_csv=False)
    assert digest == asked[-1] != asked[0]
    assert digest in path.name
    assert pq.ParquetFile(path).read_row_group(1).num_rows == 77
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_frames_that_never_rest_are_refused(session):
    def now():
        _, second = swings_of(session)
        second.biomechanics.all().delete()
        frames = len(made) + 50
        made.append(frames)
        factories.make_frames(factories.smooth_columns(frames=frames), movement=second)
        return session_frames(
            Movement.objects.filter(session=session),
            SessionData.INVERSE_KINEMATICS,
            [],
        )

    made = []
    with pytest.raises(HttpError) as refused:
        whole_file(session.pk, now(), now, is_csv=True)
    assert refused.value.status_code == 503


@pytest.mark.django_db(transaction=True)
def test_a_file_goes_with_its_session_whoever_deletes_it(ask, session, folder):
    body_of(ask())
    assert list(folder.glob(f"{session.pk}-*"))
    pk = session.pk
    with transaction.atomic():
        Session.objects.filter(pk=pk).delete()
        transaction.set_rollback(True)
    assert list(folder.glob(f"{pk}-*"))
    with transaction.atomic():
        Session.objects.filter(pk=pk).delete()
        # One that is asked for until this is committed goes too.
        (folder / f"{pk}-late.csv").touch()
    assert not list(folder.glob(f"{pk}-*"))
