"""Files that a person opened in a spreadsheet and saved again."""

import csv
import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from syncing.reader.errors import ExportFileError
from syncing.reader.export import read_export
from tests.syncing.reader.tables import ANGLES, as_csv, as_parquet, frames, stacked

CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"


def read(data):
    return read_export(io.BytesIO(data))


def refused(data):
    with pytest.raises(ExportFileError) as caught:
        read(data)
    return caught.value


def same(data, plain):
    """Hold what a file holds against what it holds in plain spelling."""
    result, expected = read(data), read(plain)
    assert len(result.movements) == len(expected.movements)
    for one, other in zip(result.movements, expected.movements, strict=True):
        assert one.org_movement_id == other.org_movement_id
        assert list(one.columns) == list(other.columns)
        for name, values in other.columns.items():
            np.testing.assert_array_equal(one.columns[name], values, err_msg=name)
    return result


def written(columns, delimiter=",", spell=str, quoting=csv.QUOTE_MINIMAL):
    """A CSV file whose numbers are spelled by a function."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, quoting=quoting)
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow(
            [spell(value) if isinstance(value, float) else value for value in row]
        )
    return buffer.getvalue()


def comma(value):
    return str(value).replace(".", ",")


COLUMNS = stacked(frames("A", 30), frames("B", 20, seed=2))
PLAIN = as_csv(COLUMNS)
#: Without quotes.
BARE = written(COLUMNS).encode()


# --- Rows and cells of nothing -------------------------------------------------


@pytest.mark.parametrize("place", ["below", "between", "above"])
def test_rows_of_empty_cells_are_read_past(place):
    header, *rows = PLAIN.split(b"\r\n")[:-1]
    blank = [b"," * header.count(b",")] * 3
    lines = {
        "below": [header, *rows, *blank],
        "between": [header, *rows[:7], *blank, *rows[7:]],
        "above": [header, *blank, *rows],
    }[place]
    result = same(b"\r\n".join(lines) + b"\r\n", PLAIN)
    assert result.repairs == ("blank_rows_dropped:3",)


@pytest.mark.parametrize("title", ["", "Session 7", "sep=,"])
def test_what_stands_above_the_header_is_read_past(title):
    header = BARE.split(b"\r\n")[0]
    above = title.encode() + b"," * header.count(b",")
    result = same(above + b"\r\n" + BARE, BARE)
    assert result.repairs == ()


@pytest.mark.parametrize("place", [1, 20, None])
def test_the_header_again_is_read_past(place):
    header, *rows = BARE.split(b"\r\n")[:-1]
    again = [header.upper(), header]
    place = len(rows) if place is None else place
    result = same(b"\r\n".join([header, *rows[:place], *again, *rows[place:]]), BARE)
    assert result.repairs == ("headers_dropped:2",)


@pytest.mark.parametrize("place", [0, 17, 50])
@pytest.mark.parametrize("words", ["m", "[deg]", ""])
def test_a_row_of_units_is_named(place, words):
    header, *rows = BARE.split(b"\r\n")[:-1]
    names = header.decode().split(",")
    units = ",".join("(s)" if name == "time" else words for name in names).encode()
    error = refused(b"\r\n".join([header, *rows[:place], units, *rows[place:]]))
    assert error.code == "row_of_words"
    assert f"Row {place + 1} below the header" in error.message


def test_blanks_after_the_commas_belong_to_no_id():
    spaced = BARE.replace(b",", b", ")
    result = same(spaced, BARE)
    assert [m.org_movement_id for m in result.movements] == ["A", "B"]


def test_rows_that_stand_in_quotes_are_named():
    quoted = b"".join(b'"%s"\r\n' % line for line in BARE.split(b"\r\n")[:-1])
    error = refused(quoted)
    assert (error.code, "is in quotes" in error.message) == ("rows_in_quotes", True)


@pytest.mark.parametrize("dash", ["-", "--", "\u2013", "\u2014", "<NA>"])
def test_a_dash_in_numbers_is_a_missing_value(dash):
    columns = frames("A", 30)
    columns["torso_rot"] = [None, *columns["torso_rot"][1:]]
    same(as_csv(columns, missing=dash), as_csv(columns))


def test_rows_of_nothing_in_parquet_are_read_past():
    columns = {name: [*values, None] for name, values in frames("A", 30).items()}
    result = same(as_parquet(columns), as_csv(frames("A", 30)))
    assert result.repairs == ("blank_rows_dropped:1",)


def test_a_row_that_holds_something_and_names_no_movement_is_refused():
    columns = {name: [*values, None] for name, values in frames("A", 30).items()}
    columns["torso_rot"][-1] = 1.0
    error = refused(as_csv(columns))
    assert (error.code, "Row 31" in error.message) == ("rows_without_movement_id", True)


def test_rows_of_metadata_and_rows_of_nothing():
    header = "org_movement_id,X_offset,Y_offset,Z_offset\r\n"
    result = read(f"{header}A,1,2,3\r\n,,,\r\nB,4,5,6\r\n,,,\r\n".encode())
    assert [row.org_movement_id for row in result.rows] == ["A", "B"]


def test_cells_beyond_the_header_are_read_past_only_where_they_are_empty():
    lines = PLAIN.split(b"\r\n")[:-1]
    lines[5] += b",,,"
    same(b"\r\n".join(lines), PLAIN)
    lines[5] += b"1"
    assert refused(b"\r\n".join(lines)).code == "ragged_row"


@pytest.mark.parametrize("blank", [" ", "   ", " " * 40, "\t", "\u00a0 "])
def test_blanks_alone_are_a_missing_value(blank):
    columns = frames("A", 30)
    columns["torso_rot"] = [None, *columns["torso_rot"][1:]]
    same(as_csv(columns, missing=blank), as_csv(columns))


@pytest.mark.parametrize(
    "name", ["Unnamed: 0.1", "Unnamed: 0.1.1", "unnamed:_0", "index.1", "level_0.1"]
)
def test_row_numbers_that_were_saved_with_a_table_are_dropped(name):
    # Each swing twice: the row numbers alone differ.
    columns = stacked(frames("A", 30), frames("A", 30))
    numbered = {name: list(range(60)), **columns}
    (movement,) = read(as_csv(numbered)).movements
    assert movement.frame_count == 30
    assert name.lower() not in movement.columns


# --- Marks between cells and in numbers ----------------------------------------


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("spell", [str, comma])
def test_other_marks_between_cells(delimiter, spell):
    text = written(COLUMNS, delimiter, spell)
    result = same(text.encode(), PLAIN)
    expected = ("decimal_commas_read",) if spell is comma else ()
    assert result.repairs == expected


@pytest.mark.parametrize("line", ["sep={}", '"sep={}"', "SEP={}"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_line_that_names_the_mark_between_cells(line, delimiter):
    text = written(COLUMNS, delimiter)
    same(f"{line.format(delimiter)}\r\n{text}".encode("utf-8-sig"), PLAIN)


def test_quoted_numbers_with_decimal_commas():
    text = written(COLUMNS, spell=comma, quoting=csv.QUOTE_ALL)
    assert same(text.encode(), PLAIN).repairs == ("decimal_commas_read",)


def test_decimal_commas_hold_over_many_blocks(monkeypatch):
    columns = frames("A", 4000)
    text = written(columns, ";", comma)
    monkeypatch.setattr("syncing.reader.csv_table.BLOCK_BYTES", 40_000)
    same(text.encode(), as_csv(columns))


def test_decimal_commas_without_quotes_are_named():
    text = written(COLUMNS, ";", comma).replace(";", ",")
    error = refused(text.encode())
    assert error.code == "ragged_row"
    assert "decimal commas" in error.message


@pytest.mark.parametrize("minus", ["\u2212", "\u2013", "\uff0d"])
def test_a_typographic_minus_is_one(minus):
    text = written(COLUMNS, spell=lambda value: str(value).replace("-", minus, 1))
    result = same(text.encode(), PLAIN)
    negative = sum(v < 0 for n in ANGLES for v in COLUMNS[n])
    assert result.repairs == (f"numbers_respelled:{negative}",)


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", " ", "'", "\u2019"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_blanks_between_thousands(space, encoding):
    if encoding == "cp1252" and space == "\u202f":
        pytest.skip("This code page doesn't have it.")
    columns = frames("A", 30)
    columns["torso_rot"] = [1234.5 + n for n in range(30)]
    text = written(columns, spell=lambda value: f"{value:,}".replace(",", space))
    same(text.encode(encoding), as_csv(columns))


@pytest.mark.parametrize("spelled", ["1,234.5", "1.234,5"])
def test_thousands_and_decimals_that_both_marks_tell_apart(spelled):
    columns = frames("A", 30)
    columns["torso_rot"] = [1234.5] * 30
    is_comma = spelled.endswith(",5")

    def spell(value):
        return spelled if value == 1234.5 else comma(value) if is_comma else str(value)

    same(written(columns, ";", spell).encode(), as_csv(columns))


@pytest.mark.parametrize("cell", ["1,234", "0,5", "1.234,5"])
def test_commas_among_points_are_refused(cell):
    columns = frames("A", 30)
    columns["torso_rot"][12] = cell
    error = refused(as_csv(columns))
    assert error.code == "unclear_numbers"
    assert "decimal mark" in error.message


def test_commas_that_may_be_of_thousands_or_of_decimals_are_refused():
    text = "time;torso_rot;org_movement_id\n0;1,234;A\n1;2,345;A\n"
    assert refused(text.encode()).code == "unclear_numbers"


def test_points_in_the_very_block_after_commas_are_refused(monkeypatch):
    # Read ahead before it is known how the numbers of the first are spelled.
    columns = frames("A", 400)
    lines = written(columns, ";", comma).splitlines(keepends=True)
    half = len(lines) // 2
    first, second = "".join(lines[:half]), "".join(lines[half:]).replace(",", ".")
    monkeypatch.setattr("syncing.reader.csv_table.HEADER_BYTES", 16)
    monkeypatch.setattr("syncing.reader.csv_table.BLOCK_BYTES", len(first) + 50)
    assert refused((first + second).encode()).code == "unclear_numbers"


def test_what_is_wrong_is_told_of_its_first_place(monkeypatch):
    columns = frames("A", 4000)
    columns["torso_rot"][12] = "05.Jan"
    data = as_csv(columns)
    # The archive breaks off in the second block, which is read ahead.
    monkeypatch.setattr("syncing.reader.csv_table.BLOCK_BYTES", len(data) // 2)
    error = refused(gzip.compress(data)[:-20])
    assert error.code == "text_in_number_column"
    columns["torso_rot"][12] = 1.5
    assert refused(gzip.compress(as_csv(columns))[:-20]).code == "truncated_file"


def test_points_after_commas_are_refused_in_a_later_block(monkeypatch):
    columns = frames("A", 4000)
    text = written(columns, ";", comma)
    head, tail = text[:-200_000], text[-200_000:].replace(",", ".")
    monkeypatch.setattr("syncing.reader.csv_table.BLOCK_BYTES", 40_000)
    assert refused((head + tail).encode()).code == "unclear_numbers"
    # And the other way round.
    text = written(columns, ";")
    head, tail = text[:-200_000], text[-200_000:].replace(".", ",")
    assert refused((head + tail).encode()).code == "unclear_numbers"


@pytest.mark.parametrize(
    ("cell", "word"),
    [("05.Jan", "dates"), ("2026-01-05", "dates"), ("#VALUE!", "spreadsheet error")],
)
def test_what_a_spreadsheet_made_of_numbers_is_named(cell, word):
    columns = frames("A", 30)
    columns["torso_rot"][12] = cell
    error = refused(as_csv(columns))
    assert error.code == "text_in_number_column"
    assert "row 13" in error.message
    assert word in error.message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_encodings_of_spreadsheets(encoding):
    same(written(COLUMNS, "\t").encode(encoding), PLAIN)
    same(gzip.compress(written(COLUMNS).encode(encoding)), PLAIN)


def test_cut_utf16_is_refused():
    assert refused(written(COLUMNS).encode("utf-16")[:-1]).code == "not_utf8"


def test_ids_are_not_respelled():
    columns = frames("1\u2212A;x", 30)
    columns["torso_rot"] = [f"\u2212{n}.5" for n in range(30)]
    (movement,) = read(as_csv(columns)).movements
    assert movement.org_movement_id == "1\u2212A;x"
    assert movement.columns["torso_rot"][3] == -3.5


# --- Clocks that were rounded ---------------------------------------------------


def smooth(rate, count=500, decimals=2, others=True):
    """A movement of smooth values whose times were rounded; true times."""
    time = np.arange(count) / rate
    columns = frames("A", count)
    for place, name in enumerate(ANGLES):
        columns[name] = np.sin(3 * time + place).round(6).tolist()
    columns["LHJC_X"] = np.cos(2 * time).round(6).tolist()
    for name in columns:
        if name[-2:] in {"_X", "_Y", "_Z"} and name != "LHJC_X":
            columns[name] = np.cos(time + len(name)).round(6).tolist()
    columns["time"] = time.round(decimals).tolist()
    columns["norm_time"] = (500 * time - 80).round(6).tolist()
    if not others:
        del columns["norm_time"]
    return columns, time


@pytest.mark.parametrize("others", [True, False])
@pytest.mark.parametrize("rate", [60, 90, 120, 239.76, 240, 300, 360, 600])
def test_times_of_two_decimals_become_the_clock_they_were(rate, others):
    columns, time = smooth(rate, others=others)
    (movement,) = read(as_csv(columns)).movements
    found = movement.columns["time"]
    assert movement.frame_count == 500
    assert found[0] == 0
    # A line through 500 rounded times is 0.03 % off at most.
    np.testing.assert_allclose(found, time, rtol=5e-4, atol=1e-9)
    assert movement.repairs[0].startswith("clock_restored:")
    assert float(movement.repairs[0].partition(":")[2]) == pytest.approx(rate, rel=5e-4)


def test_parquet_of_rounded_times():
    columns, time = smooth(240, others=False)
    (movement,) = read(as_parquet(columns)).movements
    np.testing.assert_allclose(movement.columns["time"], time, rtol=5e-4, atol=1e-9)


@pytest.mark.parametrize("rate", [50, 100])
def test_a_clock_that_two_decimals_hold_is_left_alone(rate):
    columns, _ = smooth(rate)
    (movement,) = read(as_csv(columns)).movements
    assert movement.repairs == ()
    assert movement.columns["time"].tolist() == columns["time"]


def test_frames_of_one_time_stand_still_and_are_still_frames():
    columns, time = smooth(240, others=False)
    for name in columns:
        if name not in {"time", "index", "org_movement_id"}:
            columns[name][:100] = [columns[name][100]] * 100
    (movement,) = read(as_csv(columns)).movements
    assert movement.frame_count == 500
    np.testing.assert_allclose(movement.columns["time"], time, rtol=5e-4, atol=1e-9)


def test_two_swings_in_turns_are_no_rounded_clock():
    one, _ = smooth(100, others=False)
    other = {name: list(values) for name, values in one.items()}
    for name in (*ANGLES, "LHJC_X", "NECK_X"):
        other[name] = [value + 1 for value in other[name]]
    mixed = {
        name: [v for pair in zip(one[name], other[name], strict=True) for v in pair]
        for name in one
    }
    for name in mixed:
        if name[-2:] in {"_X", "_Y", "_Z"}:
            mixed[name] = [v + (n % 2) for n, v in enumerate(mixed[name])]
    assert refused(as_csv(mixed)).code == "rounded_clock"


def test_a_swing_after_another_is_no_rounded_clock():
    one, _ = smooth(240)
    other = {name: list(values) for name, values in one.items()}
    other["torso_rot"] = [value + 0.5 for value in other["torso_rot"]]
    assert refused(as_csv(stacked(one, other))).code == "two_swings_one_id"


def test_times_of_one_decimal_need_another_clock():
    columns, time = smooth(240, decimals=1)
    (movement,) = read(as_csv(columns)).movements
    np.testing.assert_allclose(movement.columns["time"], time, rtol=2e-3, atol=1e-9)
    columns, _ = smooth(240, decimals=1, others=False)
    error = refused(as_csv(columns))
    assert error.code == "rounded_clock"
    assert "spreadsheet" in error.message


# --- Files of people ------------------------------------------------------------


@pytest.mark.skipif(not CASES.is_dir(), reason="The cases are not on this machine.")
@pytest.mark.parametrize(
    ("name", "repair"),
    [
        ("f10-excel-empty-rows.csv.gz", "blank_rows_dropped:5"),
        ("f13-three-blanks.csv.gz", ""),
        ("f14-unnamed-0.1.csv.gz", "duplicate_rows_dropped:576"),
        ("f15-time-2-decimals.csv.gz", "clock_restored:240.0"),
    ],
)
def test_cases(name, repair):
    result = read((CASES / name).read_bytes())
    (movement,) = result.movements
    (base,) = read((CASES / "base-ik.csv.gz").read_bytes()).movements
    assert "".join((*result.repairs, *movement.repairs)) == repair
    np.testing.assert_allclose(
        movement.columns["time"], base.columns["time"], atol=1e-5
    )
    for column, values in base.columns.items():
        if column != "time" and not (name.startswith("f13") and "bhead" in column):
            np.testing.assert_array_equal(movement.columns[column], values)
