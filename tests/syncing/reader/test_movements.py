import gzip
import io
import pickle

import numpy as np
import pyarrow as pa
import pytest

from syncing.reader.columns import FileKind
from syncing.reader.errors import ExportFileError
from syncing.reader.export import read_export
from syncing.reader.limits import ReadLimits
from tests.syncing.reader.tables import (
    as_csv,
    as_parquet,
    energies,
    frames,
    stacked,
)


def read(data, **options):
    return read_export(io.BytesIO(data), **options)


def refused(data, **options):
    with pytest.raises(ExportFileError) as caught:
        read_export(io.BytesIO(data), **options)
    return caught.value


def shuffled(columns, seed=3):
    count = len(columns["time"])
    order = np.random.default_rng(seed).permutation(count)
    return {name: [values[i] for i in order] for name, values in columns.items()}


@pytest.fixture
def small_blocks(monkeypatch):
    """Sets the size of blocks, and of what is read first to find the header."""

    def set_size(size):
        monkeypatch.setattr("syncing.reader.csv_table.BLOCK_BYTES", size)
        monkeypatch.setattr("syncing.reader.csv_table.HEADER_BYTES", 16)

    return set_size


def taken(columns, places):
    return {name: [values[i] for i in places] for name, values in columns.items()}


def assert_holds(movement, columns):
    """The movement's values are those of the columns, in the order of time."""
    order = np.argsort(columns["time"])
    for name, values in columns.items():
        if name in {"index", "", "org_movement_id"}:
            continue
        wanted = np.array([np.nan if v is None else v for v in values], float)[order]
        found = movement.columns[name.lower()]
        exact = name in {"time", "norm_time"}
        assert found.dtype == (np.float64 if exact else np.float32)
        np.testing.assert_array_equal(found, wanted.astype(found.dtype), name)


def test_two_movements_come_out_as_they_went_in():
    one, two = frames("A", 12), frames("B", 9, seed=2)
    result = read(as_csv(stacked(one, two)))
    assert result.kind is FileKind.INVERSE_KINEMATICS
    assert [m.org_movement_id for m in result.movements] == ["A", "B"]
    assert [m.frame_count for m in result.movements] == [12, 9]
    assert result.row_count == 21
    assert_holds(result.movements[0], one)
    assert_holds(result.movements[1], two)
    assert result.repairs == ()
    assert [m.repairs for m in result.movements] == [(), ()]
    assert "index" not in result.movements[0].columns
    assert result.originals["lhjc_x"] == "LHJC_X"


@pytest.mark.parametrize(
    "variant",
    [
        {"quoted": False},
        {"line_end": "\n"},
        {"line_end": "\r", "quoted": False},
        {"bom": True},
        {"missing": "NaN"},
        {"missing": "n/a"},
        {"missing": "NULL"},
        {"missing": "None", "quoted": False},
        {"missing": "nan", "bom": True, "line_end": "\n"},
    ],
    ids=str,
)
def test_every_dress_of_csv_reads_the_same(variant):
    columns = frames('A,1 "x" #7', 12)
    columns["torso_rot"][3] = None
    columns["LHJC_X"][0] = None
    for data in (as_csv(columns, **variant), gzip.compress(as_csv(columns, **variant))):
        (movement,) = read(data).movements
        assert movement.org_movement_id == 'A,1 "x" #7'
        assert_holds(movement, columns)


def test_parquet_reads_like_csv():
    columns = frames("A", 12)
    columns["torso_rot"][3] = None
    from_csv = read(as_csv(columns)).movements[0]
    for data in (as_parquet(columns), gzip.compress(as_parquet(columns))):
        result = read(data)
        assert_holds(result.movements[0], columns)
        assert list(result.movements[0].columns) == list(from_csv.columns)


def test_parquet_may_keep_numbers_as_text_and_ids_as_categories():
    columns = frames("A", 4)
    columns["torso_rot"] = ["0.5", " 1.5 ", "n/a", None]
    columns["left_knee"] = [1, 2, 3, 4]
    data = as_parquet(columns, org_movement_id=pa.dictionary(pa.int32(), pa.string()))
    (movement,) = read(data).movements
    np.testing.assert_array_equal(
        movement.columns["torso_rot"], np.array([0.5, 1.5, np.nan, np.nan], "f4")
    )
    assert movement.columns["left_knee"].tolist() == [1, 2, 3, 4]
    assert movement.org_movement_id == "A"


def test_kinds_are_told_apart_and_another_kind_than_asked_for_is_refused():
    assert read(as_csv(energies())).kind is FileKind.MOMENTUM_ENERGY
    error = refused(as_csv(energies()), data_type_hint="inverse-kinematics")
    assert error.code == "wrong_data_type"
    assert "momentum-energy" in error.message


def test_hint_decides_where_the_columns_cannot():
    data = b"time,torso_rot\n0,1\n1,2\n"
    assert read(data).kind is FileKind.UNKNOWN
    hinted = read(data, data_type_hint="inverse-kinematics")
    assert hinted.kind is FileKind.INVERSE_KINEMATICS


# --- Which rows belong to which movement --------------------------------------


def test_scattered_rows_of_a_movement_are_gathered():
    both = stacked(frames("A", 6), frames("B", 6, seed=2))
    places = [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]
    result = read(as_csv(taken(both, places)))
    assert [m.org_movement_id for m in result.movements] == ["A", "B"]
    assert [m.repairs for m in result.movements] == [("rows_gathered",)] * 2
    assert_holds(result.movements[0], frames("A", 6))
    assert_holds(result.movements[1], frames("B", 6, seed=2))


def test_order_of_movements_is_that_of_the_file():
    parts = [frames(name, 3) for name in ("c", "a", "b")]
    result = read(as_csv(stacked(*parts)))
    assert [m.org_movement_id for m in result.movements] == ["c", "a", "b"]


def test_file_without_ids_is_the_movement_that_was_asked_for():
    columns = frames("A", 5)
    del columns["org_movement_id"]
    (movement,) = read(as_csv(columns), known_movement_id="M-7").movements
    assert movement.org_movement_id == "M-7"
    assert read(as_csv(columns)).movements[0].org_movement_id is None
    columns["org_movement_id"] = ["n/a"] * 5
    (movement,) = read(as_csv(columns), known_movement_id="M-7").movements
    assert movement.org_movement_id == "M-7"


def test_other_movements_than_the_one_asked_for_are_left_out():
    both = as_csv(stacked(frames("A", 6), frames("B", 6)))
    result = read(both, known_movement_id="B")
    assert [m.org_movement_id for m in result.movements] == ["B"]
    assert result.repairs == ("other_movements_left_out:1",)
    assert refused(both, known_movement_id="C").code == "movement_not_in_file"


def test_ids_keep_their_zeros_and_their_case():
    result = read(as_csv(stacked(frames("0012", 3), frames("12", 3), frames("a", 3))))
    assert [m.org_movement_id for m in result.movements] == ["0012", "12", "a"]


def test_rows_without_an_id_among_rows_with_one_are_refused():
    columns = frames("A", 5)
    columns["org_movement_id"][3] = None
    error = refused(as_csv(columns))
    assert error.code == "rows_without_movement_id"
    assert "Row 4" in error.message


def test_texts_that_stay_and_texts_that_change_are_kept_apart():
    columns = frames("A", 4)
    columns["dom_hand"] = ["LHA"] * 4
    columns["event"] = [None, "foot down", None, None]
    (movement,) = read(as_csv(columns)).movements
    assert movement.text == {"dom_hand": "LHA"}
    assert movement.text_columns["event"].tolist() == [None, "foot down", None, None]


def test_unknown_column_of_text_is_kept_as_text():
    columns = {**frames("A", 4), "Camera": ["left", "left", None, "left"]}
    (movement,) = read(as_csv(columns)).movements
    assert movement.text_columns["camera"].tolist() == ["left", "left", None, "left"]
    (movement,) = read(as_parquet(columns)).movements
    assert movement.text_columns["camera"].tolist() == ["left", "left", None, "left"]


# --- Rows in disorder ---------------------------------------------------------


def test_frames_out_of_order_are_sorted():
    columns = frames("A", 60)
    (movement,) = read(as_csv(shuffled(columns))).movements
    assert movement.repairs == ("rows_sorted",)
    assert_holds(movement, columns)


def test_blocks_in_another_order_are_sorted():
    columns = frames("A", 60)
    places = [*range(40, 60), *range(40)]
    (movement,) = read(as_csv(taken(columns, places))).movements
    assert movement.repairs == ("rows_sorted",)
    assert_holds(movement, columns)


def test_rows_that_stand_twice_are_dropped():
    columns = frames("A", 20)
    columns["torso_rot"][4] = None
    places = [0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, *range(8, 20)]
    doubled = taken(columns, places)
    doubled["index"] = list(range(len(places)))
    (movement,) = read(as_csv(doubled)).movements
    assert movement.repairs == ("duplicate_rows_dropped:3",)
    assert_holds(movement, columns)


def test_a_movement_delivered_twice_is_kept_once():
    columns = frames("A", 20)
    (movement,) = read(as_csv(stacked(columns, columns))).movements
    assert movement.repairs == ("duplicate_rows_dropped:20",)
    assert_holds(movement, columns)


@pytest.mark.parametrize("start", [0.0, 0.001], ids=["same clock", "shifted clock"])
def test_two_swings_under_one_id_are_refused(start):
    both = stacked(frames("A", 60), frames("A", 60, seed=2, start=start))
    assert refused(as_csv(both)).code == "two_swings_one_id"
    assert refused(as_csv(shuffled(stacked(frames("A", 60), frames("A", 60, seed=2)))))


def test_a_bad_movement_leaves_the_others_whole():
    good = frames("good", 30)
    bad = stacked(frames("bad", 30), frames("bad", 30, seed=2))
    result = read(as_csv(stacked(bad, good)))
    assert [m.org_movement_id for m in result.movements] == ["good"]
    assert_holds(result.movements[0], good)
    (failure,) = result.failures
    assert (failure.org_movement_id, failure.code) == ("bad", "two_swings_one_id")


def test_one_instant_with_two_values_is_refused():
    columns = frames("A", 60)
    columns["time"][31] = columns["time"][30]
    error = refused(as_csv(columns))
    assert error.code == "conflicting_rows"
    assert "has one point in time twice with different values" in str(error)


def test_blank_rows_are_dropped_and_rows_without_time_refused():
    columns = frames("A", 10)
    for name in columns:
        if name not in {"index", "org_movement_id"}:
            columns[name][9] = None
    (movement,) = read(as_csv(columns)).movements
    assert movement.frame_count == 9
    assert movement.repairs == ("blank_rows_dropped:1",)
    columns["torso_rot"][9] = 1.0
    error = refused(as_csv(columns))
    assert error.code == "time_missing"
    assert "Row 10" in error.message


@pytest.mark.parametrize("name", ["A\x07", "x" * 301])
def test_ids_that_no_table_can_hold_are_refused(name):
    assert refused(as_csv(frames(name, 3))).code == "bad_movement_id"


# --- Bad files ----------------------------------------------------------------


def without(columns, name):
    return {key: values for key, values in columns.items() if key != name}


def test_missing_time_is_named():
    error = refused(as_csv(without(frames(), "time")))
    assert error.code == "missing_column"
    assert '"time"' in error.message


def test_text_where_numbers_belong_is_named_with_column_and_row():
    columns = frames("A", 12)
    columns["pelvis_rot"][7] = "broken"
    for data in (as_csv(columns), as_csv(columns, quoted=False)):
        error = refused(data)
        assert error.code == "text_in_number_column"
        assert '"pelvis_rot"' in error.message
        assert "row 8" in error.message
        assert "broken" not in error.message
    columns["pelvis_rot"] = [str(value) for value in columns["pelvis_rot"]]
    error = refused(as_parquet(columns))
    assert error.code == "text_in_number_column"
    assert "row 8" in error.message


def test_unknown_column_of_numbers_and_text_is_refused():
    columns = {**frames("A", 4), "other": [1.0, 2.0, "x", 3.0]}
    assert refused(as_csv(columns)).code == "text_in_number_column"


def test_text_after_many_rows_is_found_in_its_row(small_blocks):
    small_blocks(2_000)
    columns = frames("A", 200)
    columns["pelvis_rot"][150] = "x"
    assert "row 151" in refused(as_csv(columns)).message
    columns = {**frames("A", 200), "other": [1.0] * 200}
    # Blocks of text only, far behind blocks of numbers.
    columns["other"][100:] = [None] * 50 + ["x"] * 50
    assert refused(as_csv(columns)).code == "text_in_number_column"


def test_ragged_row_is_named():
    lines = as_csv(frames("A", 12)).split(b"\r\n")
    lines[5] = b",".join(lines[5].split(b",")[:7])
    error = refused(b"\r\n".join(lines))
    assert error.code == "ragged_row"
    assert "Row 5 has 7 cells" in error.message


def test_file_cut_in_a_row_leaves_nothing():
    data = as_csv(frames("A", 12))
    assert refused(data[: len(data) * 2 // 3]).code in {"ragged_row", "damaged_csv"}


def test_duplicate_column_is_refused():
    data = as_csv(frames("A", 3)).replace(b'"left_knee"', b'"TORSO_ROT"')
    assert refused(data).code == "duplicate_column"


def test_header_alone_is_no_rows():
    header = as_csv(frames("A", 3)).split(b"\r\n")[0]
    assert refused(header).code == "no_rows"
    assert refused(header + b"\r\n\r\n").code == "no_rows"
    assert refused(as_parquet({k: v[:0] for k, v in frames().items()})).code == (
        "no_rows"
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"time torso_rot\n0 1\n", "wrong_delimiter"),
        (b"0.1,0.2,0.3\n0,1,2\n", "no_header"),
        (b"\xff\xfft\x80,time\n", "no_header"),
        (b"date,amount\n1,2\n", "not_an_export"),
        (b"time,torso_rot,org_movement_id\n0,1,\xe9\n", "not_utf8"),
        (b"hello", "not_an_export"),
        (b'time,"torso_rot\n0,1\n', "no_header"),
    ],
)
def test_other_tables_are_refused_with_their_reason(data, code):
    assert refused(data).code == code


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"max_rows": 11}, "too_many_rows"),
        ({"max_columns": 8}, "too_many_columns"),
        ({"max_cells": 100}, "too_many_cells"),
        ({"max_file_bytes": 300}, "file_too_large"),
        ({"max_unpacked_bytes": 300}, "unpacked_too_large"),
    ],
)
def test_limits_hold_for_csv_and_parquet(limits, code):
    columns = frames("A", 12)
    for data in (as_csv(columns), as_parquet(columns)):
        assert refused(data, limits=ReadLimits(**limits)).code == code


def test_a_million_rows_are_refused():
    rows = b"0.5,1\n" * 1_000_000
    error = refused(b"time,torso_rot\n" + rows)
    assert error.code == "too_many_rows"


@pytest.mark.parametrize("keep", [4, 8, 100, 500, -1, -8, -100])
def test_cut_or_changed_parquet_is_refused(keep):
    data = as_parquet(frames("A", 12))
    assert refused(data[:keep]).code == "damaged_parquet"


def test_parquet_of_lists_is_refused_where_the_column_matters():
    columns = {**frames("A", 2), "extra": [[1, 2], [3]]}
    assert "extra" not in read(as_parquet(columns)).movements[0].columns
    columns["torso_rot"] = [[1.0], [2.0]]
    assert refused(as_parquet(columns)).code == "unsupported_column_type"


def test_infinite_values_become_missing_and_are_told():
    columns = frames("A", 4)
    columns["torso_rot"][2] = "inf"
    result = read(as_csv(columns))
    assert result.repairs == ("infinite_to_missing:torso_rot",)
    assert np.isnan(result.movements[0].columns["torso_rot"][2])


def test_line_ends_inside_quotes_belong_to_the_cell(small_blocks):
    columns = {
        "time": [place / 240 for place in range(30)],
        "event": ["two\nlines", 'a "quoted"\r\nword', None] * 10,
    }
    # Blocks of many sizes, so that they end at every place of a row.
    for size in range(60, 140):
        small_blocks(size)
        (movement,) = read(as_csv(columns)).movements
        assert movement.text_columns["event"].tolist() == columns["event"]
        assert movement.columns["time"].tolist() == columns["time"]


def test_a_line_end_inside_a_quoted_name_does_not_end_the_header():
    data = b'"time","torso\n_rot"\r\n0,1\r\n1,2\r\n'
    assert read(data).movements[0].columns["torso_rot"].tolist() == [1, 2]


def test_small_blocks_give_what_one_block_gives(small_blocks):
    columns = stacked(frames("A", 50), frames("B", 50, seed=2))
    columns["torso_rot"][60:80] = [None] * 20
    whole = read(as_csv(columns))
    small_blocks(700)
    pieces = read(as_csv(columns))
    for one, other in zip(whole.movements, pieces.movements, strict=True):
        assert one.org_movement_id == other.org_movement_id
        for name in one.columns:
            np.testing.assert_array_equal(one.columns[name], other.columns[name])


# --- Metadata -----------------------------------------------------------------


def metadata(**changes):
    columns = {
        "": [0, 1],
        "org_movement_id": ["A", "B"],
        "X_offset": [0.25, None],
        "Y_offset": [-1.5, 2.0],
        "Z_offset": [0.0, 0.5],
        "frame_rate": [240, 240],
        "Camera": ["one", None],
    }
    return {**columns, **changes}


def test_metadata_gives_one_row_a_movement():
    for data in (as_csv(metadata()), as_parquet(metadata())):
        result = read(data)
        assert result.kind is FileKind.METADATA
        assert [row.org_movement_id for row in result.rows] == ["A", "B"]
        assert result.rows[0].text == {"camera": "one"}
        assert result.rows[1].as_json() == {
            "x_offset": None,
            "y_offset": 2.0,
            "z_offset": 0.5,
            "frame_rate": 240.0,
        }


def test_the_same_row_of_metadata_twice_is_one_and_a_differing_one_refused():
    doubled = metadata(org_movement_id=["A", "A"])
    assert refused(as_csv(doubled)).code == "duplicate_movement_row"
    same = {name: [values[0]] * 2 for name, values in doubled.items()}
    result = read(as_csv(same))
    assert len(result.rows) == 1
    assert result.repairs == ("duplicate_rows_dropped:1",)


def test_rows_of_metadata_that_differ_in_a_text_alone_are_refused():
    one = {name: [values[0]] * 2 for name, values in metadata().items()}
    differing = one | {"Camera": ["one", "two"]}
    assert refused(as_csv(differing)).code == "duplicate_movement_row"
    assert refused(as_csv(one | {"Camera": ["one", None]})).code == (
        "duplicate_movement_row"
    )


def test_frames_of_one_instant_that_differ_in_a_text_alone_are_refused():
    columns = frames("A", 20)
    columns["event"] = ["load"] * 20
    doubled = stacked(columns, columns | {"event": ["load"] * 19 + ["foot"]})
    assert refused(as_csv(doubled)).code == "conflicting_rows"


def test_metrics_give_one_row_a_movement_with_their_numbers_as_they_are():
    metrics = {
        "org_movement_id": ["A", "B"],
        "movement_id": ["u", "v"],
        "impact_event": [410, None],
        "peak_velocity_event": [400, 395],
        "bat_speed": [74.3, 71.1],
        "grade": ["good", None],
    }
    for data in (as_csv(metrics), as_parquet(metrics)):
        result = read(data, data_type_hint="hitting-processed-metrics")
        assert result.kind is FileKind.HITTING_METRICS
        first, second = result.rows
        assert first.as_json() == {
            "impact_event": 410.0,
            "peak_velocity_event": 400.0,
            "bat_speed": 74.3,
            "movement_id": "u",
            "grade": "good",
        }
        assert second.numbers["impact_event"] is None
        assert result.named_by == "org_movement_id"
    inner = {name: metrics[name] for name in metrics if name != "org_movement_id"}
    result = read(as_csv(inner))
    assert result.named_by == "movement_id"
    assert [row.org_movement_id for row in result.rows] == ["u", "v"]
    del inner["movement_id"]
    assert refused(as_csv(inner)).code == "missing_column"


def test_frames_are_not_taken_for_metadata_nor_metadata_for_frames():
    wanted = {"data_type_hint": "metadata"}
    assert refused(as_csv(frames()), **wanted).code == "wrong_data_type"
    wanted = {"data_type_hint": "inverse-kinematics"}
    assert refused(as_csv(metadata()), **wanted).code == "wrong_data_type"


def test_errors_survive_pickling():
    error = pickle.loads(  # noqa: S301 - our own bytes
        pickle.dumps(ExportFileError("no_rows", "Nothing."))
    )
    assert (error.code, error.message) == ("no_rows", "Nothing.")
