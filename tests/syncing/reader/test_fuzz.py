"""Whatever arrives: a checked result or a readable error, never anything else."""

import gzip
import io
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncing.reader.cell_text import is_missing_cell
from syncing.reader.contents import FramesFile
from syncing.reader.errors import CODES, ExportFileError
from syncing.reader.export import read_export
from syncing.reader.limits import ReadLimits
from tests.syncing.reader.tables import as_csv, as_parquet, frames, stacked

LIMITS = ReadLimits(
    max_unpacked_bytes=50_000_000, max_rows=10_000, max_columns=500, max_cells=1_000_000
)
WHOLE = stacked(frames("A", 20), frames("B,1", 15, seed=2))
FILES = {
    "csv": as_csv(WHOLE),
    "plain csv": as_csv(WHOLE, quoted=False, line_end="\n"),
    "csv.gz": gzip.compress(as_csv(WHOLE)),
    "parquet": as_parquet(WHOLE),
    "parquet.gz": gzip.compress(as_parquet(WHOLE)),
}

quick = settings(
    max_examples=150,
    deadline=None,
    # The same bytes every time: a test that fails once must fail again.
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def read(data):
    """A valid result, or None where the file was refused."""
    refusal = result = None
    try:
        result = read_export(io.BytesIO(data), limits=LIMITS)
    except ExportFileError as error:
        refusal = error
    if refusal is not None:
        assert refusal.code in CODES
        assert refusal.message.endswith(".")
    if isinstance(result, FramesFile):
        assert result.movements
        for movement in result.movements:
            time = movement.columns["time"]
            assert movement.frame_count == len(time) > 0
            assert np.isfinite(time).all()
            assert (np.diff(time) > 0).all()
            for values in movement.columns.values():
                assert len(values) == len(time)
                assert not np.isinf(values).any()
    return result


@pytest.mark.parametrize("kind", FILES)
@quick
@given(data=st.data())
def test_changed_bytes(kind, data):
    content = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    read(bytes(content))


@pytest.mark.parametrize("kind", FILES)
@quick
@given(data=st.data())
def test_cut_removed_and_repeated_pieces(kind, data):
    content = FILES[kind]
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    extra = data.draw(st.binary(max_size=20))
    what = data.draw(st.sampled_from(("cut", "remove", "repeat", "insert")))
    read(
        {
            "cut": content[:end],
            "remove": content[:start] + content[end:],
            "repeat": content[:end] + content[start:],
            "insert": content[:start] + extra + content[start:],
        }[what]
    )


@quick
@given(
    start=st.sampled_from((b"", b"PAR1", b"\x1f\x8b\x08", b"PK\x03\x04", b"time,a\n")),
    rest=st.binary(max_size=400),
)
def test_any_bytes(start, rest):
    read(start + rest)


@quick
@given(text=st.text(alphabet='time,LHJC_X"\r\n;0123456789.-eNan \x00é#', max_size=300))
def test_any_text_below_a_header(text):
    read(b"time,LHJC_X,org_movement_id\n" + text.encode())


cells = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from([None, "NaN", "nan", "n/a", "NULL", ""]),
)


@quick
@given(
    data=st.data(),
    ids=st.lists(
        st.text(
            st.characters(exclude_categories=("Cc", "Cs"), max_codepoint=0x2FFF),
            min_size=1,
            max_size=12,
        ).filter(lambda text: not is_missing_cell(text)),
        min_size=1,
        max_size=4,
        unique=True,
    ),
    dress=st.fixed_dictionaries(
        {
            "quoted": st.booleans(),
            "bom": st.booleans(),
            "line_end": st.sampled_from(("\n", "\r\n")),
        }
    ),
)
def test_any_shape_of_a_good_file_is_read_whole(data, ids, dress):
    parts = []
    for name in ids:
        count = data.draw(st.integers(1, 6))
        values = data.draw(st.lists(cells, min_size=count, max_size=count))
        parts.append(
            {
                "index": list(range(count)),
                "LHJC_X": values,
                "time": [place / 240 for place in range(count)],
                "org_movement_id": [name] * count,
            }
        )
    result = read(as_csv(stacked(*parts), **dress))
    assert [m.org_movement_id for m in result.movements] == ids
    for movement, part in zip(result.movements, parts, strict=True):
        wanted = [v if isinstance(v, float) else math.nan for v in part["LHJC_X"]]
        np.testing.assert_array_equal(
            movement.columns["lhjc_x"], np.array(wanted, np.float32)
        )
        assert movement.columns["time"].tolist() == part["time"]
