"""Frames as columnar blobs: nothing lost, little read, damage named."""

import json
import math
import struct

import numpy as np
import pyarrow as pa
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from athletes.frames import load
from athletes.frames.format import FramesError
from athletes.frames.packing import pack
from athletes.frames.unpacking import read_header, stored_columns, unpack
from athletes.models import BiomechanicsData, DataType
from tests.factories import make_frames, make_movement, smooth_columns

IK, ME = DataType.INVERSE_KINEMATICS, DataType.MOMENTUM_ENERGY

# What `pack` gave when the format was fixed: a clock, a point, a missing point, a text.
VERSION_1 = (
    "5357433195000000040000000400000006000000650000008000000028b52ffd2080e50200a244"
    "111a80b71a03b48e2d31d164e20739d93d9cf92de75f15660e6665040784de978b6fcb429a8159"
    "e36c5c49067224e32fa9c0a21f44136b54750d4f06d8cf292634e654a0360408003f07582103f7"
    "bccac14200d02d50f751569811010f200000c07f19000000180000002a00000028b52ffd201081"
    "00007f0000ff0080a05f000000ff000000fe28b52ffd20207d000048007f000000a02010000100"
    "3538021d00000028b52ffd201de900005b5b224644222c315d2c5b6e756c6c2c325d2c5b225245"
    "46222c315d5d"
)


def many_columns(count, *, frames=120, shift=0.0):
    time_s = np.arange(frames) / 240
    columns = {"time": time_s}
    for place in range(count):
        columns[f"point_{place}_x"] = np.sin(3 * time_s + place) + shift
    return columns


# --- Packing and unpacking ----------------------------------------------------


def test_unpack_returns_what_was_packed_as_float32_and_the_clock_exactly():
    columns = smooth_columns(frames=600)
    columns["time"] = columns["time"] + 1_770_000_000.123  # float32 would lose this

    back = unpack(pack(columns).data)

    assert list(back) == list(columns)
    assert back["time"].dtype == np.float64
    assert np.array_equal(back["time"], columns["time"])
    assert back["pelvis_rot"].dtype == np.float32
    assert np.array_equal(back["pelvis_rot"], columns["pelvis_rot"].astype(np.float32))


def test_unpack_keeps_nan_infinity_zero_signs_and_extremes():
    odd = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-42, -3.4e38, 1.0, math.nan]
    back = unpack(pack({"a": np.array(odd)}).data)["a"]

    expected = np.array(odd, dtype=np.float32)
    assert np.array_equal(back, expected, equal_nan=True)
    assert np.array_equal(np.signbit(back[3:5]), [False, True])


def test_a_value_beyond_float32_keeps_its_column_in_float64():
    back = unpack(pack({"a": np.array([1.0, 1e300])}).data)
    assert back["a"].tolist() == [1.0, 1e300]


def test_whole_numbers_and_truth_values_come_back_exactly():
    columns = {
        "rel_frame": np.arange(-5, 5),
        "big": np.full(10, 2**40) + np.arange(10),
        "flag": np.arange(10) % 2 == 0,
    }
    back = unpack(pack(columns).data)
    for name, values in columns.items():
        assert back[name].tolist() == values.astype(float).tolist()


def test_text_columns_come_back_with_missing_as_none():
    text = np.array(["FD", "FD", None, math.nan, 'contact, "quoted"'], dtype=object)
    back = unpack(pack({"event": text}).data)
    assert back["event"].tolist() == ["FD", "FD", None, None, 'contact, "quoted"']


@settings(max_examples=60, deadline=None)
@given(
    values=hnp.arrays(
        np.float32,
        st.integers(1, 80),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    ),
    clock=st.floats(allow_nan=True),
)
def test_any_float32_survives(values, clock):
    columns = {"a": values, "time": np.full(len(values), clock)}
    back = unpack(pack(columns).data)
    assert np.array_equal(back["a"], values, equal_nan=True)
    assert np.array_equal(back["time"], columns["time"], equal_nan=True)


@settings(max_examples=40, deadline=None)
@given(
    kinds=st.lists(st.sampled_from("fcdCtx"), min_size=1, max_size=30),
    wanted=st.sets(st.integers(0, 35)),
)
def test_any_choice_of_any_mixture_of_columns_comes_back(kinds, wanted):
    """Columns of one group, constant ones between them, clocks and texts."""
    steps = np.arange(20.0)
    made = {
        "f": lambda place: np.sin(steps + place).astype("f4"),
        "c": lambda place: np.full(20, np.float32(place)),
        "d": lambda place: steps + place,
        "C": lambda place: np.full(20, float(place)),
        "t": lambda place: np.array([f"{place}", None] * 10, dtype=object),
        "x": lambda place: (-1.0) ** steps * place,
    }
    columns = {
        f"{'time' if kind in 'dC' else 'value'}{place}": made[kind](place)
        for place, kind in enumerate(kinds)
    }
    data = pack(columns).data
    names = [name for place, name in enumerate(columns) if place in wanted]
    back = unpack(data, [*names, "absent"])
    assert list(back) == names
    for name in names:
        assert back[name].tolist() == columns[name].tolist()
    assert list(unpack(data)) == list(columns)


def test_a_reader_written_from_the_documentation_reads_a_value():
    """docs/frames-format.md, step by step, without our own reader."""
    columns = smooth_columns([f"point_{place}" for place in range(8)], frames=50)
    columns["still"] = np.full(50, 2.5)
    data = pack(columns).data
    unzip = pa.Codec("zstd").decompress

    size, n, c, g, stored, unpacked = struct.unpack_from("<IIIIII", data, 4)
    assert data[:4] == b"SWC1"
    schema = json.loads(unzip(data[28 : 28 + stored], unpacked, asbytes=True))
    names = [name for name, _, _, _ in schema["columns"]]
    types = [kind for _, _, _, kind in schema["columns"]]
    codes = data[28 + stored : 28 + stored + c]
    place = 28 + stored + c
    constant = [name for name, code in zip(names, codes, strict=True) if code == 15]
    assert constant == ["still"]
    assert struct.unpack_from("<f", data, place) == (2.5,)
    sizes = np.frombuffer(data[place + 4 : size], "<u4")
    singles = [
        (name, code)
        for name, code, kind in zip(names, codes, types, strict=True)
        if kind == "f4" and code != 15
    ]
    assert len(singles) == 8
    start = size
    for first, stored in zip(range(0, 8, g), sizes, strict=False):
        group = singles[first : first + g]
        raw = unzip(data[start : start + stored], len(group) * 4 * n, asbytes=True)
        start += stored
        for column, (name, order) in enumerate(group):
            planes = np.frombuffer(raw, np.uint8).reshape(-1, 4, n)[column]
            z = np.ascontiguousarray(planes[::-1].T).view("<u4").ravel()
            d = (z >> np.uint32(1)).view("<i4") ^ -(z & np.uint32(1)).view("<i4")
            for _ in range(order):
                d = np.cumsum(d, dtype=np.int32)
            values = (d ^ ((d >> 31) & np.int32(0x7FFFFFFF))).view("<f4")
            assert np.array_equal(values, columns[name].astype("f4"))


def test_a_value_packed_by_version_1_stays_readable():
    back = unpack(bytes.fromhex(VERSION_1))
    assert back["time"].tolist() == [0.0, 0.25, 0.5, 0.75]
    assert back["lhjc_x"].tolist() == [1.0, 1.5, 2.25, -3.0]
    assert np.isnan(back["rhjc_x"]).all()
    assert back["event"].tolist() == ["FD", None, None, "REF"]
    assert [c.original for c in stored_columns(bytes.fromhex(VERSION_1))] == [
        "time",
        "LHJC_X",
        "rhjc_x",
        "event",
    ]


def test_pack_gives_the_same_bytes_for_the_same_input():
    columns = smooth_columns()
    assert pack(columns) == pack(
        {name: values.copy() for name, values in columns.items()}
    )


def test_hash_knows_values_names_order_and_units():
    columns = smooth_columns()
    first = pack(columns).sha256
    changed = columns | {"torso_rot": columns["torso_rot"] + 1e-3}
    assert pack(changed).sha256 != first
    assert pack(dict(reversed(columns.items()))).sha256 != first
    assert pack(columns, units={"torso_rot": "rad"}).sha256 != first
    # Below what float32 can tell apart: the same content.
    same = columns | {"torso_rot": columns["torso_rot"].astype(np.float32)}
    assert pack(same).sha256 == first


def test_equal_frames_hash_equal_whatever_bits_their_nan_has():
    one, other = np.ones(5, dtype="f4"), np.ones(5, dtype="f4")
    one.view("u4")[2], other.view("u4")[2] = 0x7FC00000, 0xFFC12345
    assert np.isnan(one[2])
    assert np.isnan(other[2])
    assert pack({"a": one}).sha256 == pack({"a": other}).sha256


def test_two_columns_of_many_are_found_in_a_small_part_of_the_value():
    packed = pack(many_columns(300, frames=600))
    layout = read_header(packed.data[: packed.header_size])
    ranges = layout.ranges(["point_3_x", "point_280_x"])
    assert len(ranges) == 2
    assert sum(stop - start for start, stop in ranges) < 0.06 * len(packed.data)


def test_constant_columns_cost_next_to_nothing():
    columns = {f"c{i}": np.full(600, float(i)) for i in range(100)}
    columns["nothing"] = np.full(600, np.nan)
    packed = pack(columns)
    assert len(packed.data) == packed.header_size < 1_000
    assert np.isnan(unpack(packed.data, ["nothing"])["nothing"]).all()


def test_smooth_columns_take_under_half_of_raw_float32():
    columns = many_columns(50, frames=600)
    assert len(pack(columns).data) < 0.45 * 50 * 600 * 4


def test_unpack_of_named_columns_accepts_any_spelling_and_skips_the_unknown():
    packed = pack(
        {"lhjc_x": np.arange(3.0), "pelvis_rot": np.ones(3)},
        originals={"lhjc_x": "LHJC_X"},
        units={"lhjc_x": "m"},
    )
    back = unpack(packed.data, ["LHJC_X", "pelvisrot", "neck_x"])
    assert {name: values.tolist() for name, values in back.items()} == {
        "LHJC_X": [0.0, 1.0, 2.0],
        "pelvisrot": [1.0, 1.0, 1.0],
    }
    first = stored_columns(packed.data[: packed.header_size])[0]
    assert (first.name, first.original, first.unit) == ("lhjc_x", "LHJC_X", "m")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "no columns"),
        ({"a": np.empty(0)}, "no frames"),
        ({"a": np.ones(3), "b": np.ones(4)}, "one length"),
        ({"a": np.ones((3, 2))}, "one dimension"),
        ({"LHJC_X": np.ones(2), "lhjcx": np.ones(2)}, "LHJC_X and lhjcx"),
        ({"a": np.ones(2, dtype=complex)}, "complex128"),
    ],
)
def test_pack_refuses_what_is_not_a_table(columns, message):
    with pytest.raises(FramesError, match=message):
        pack(columns)


def test_unpack_names_damage():
    packed = pack(smooth_columns())
    with pytest.raises(FramesError, match="not frames"):
        unpack(b"PAR1" + packed.data[4:])
    with pytest.raises(FramesError, match="not frames"):
        unpack(b"")
    with pytest.raises(FramesError, match="cut"):
        unpack(packed.data[: packed.header_size - 1])
    with pytest.raises(FramesError, match="shorter"):
        unpack(packed.data[:-1])
    torn = bytearray(packed.data)
    torn[-60:] = bytes(60)
    with pytest.raises(FramesError, match="damaged"):
        unpack(bytes(torn))
    torn = bytearray(packed.data)
    torn[28:48] = bytes(20)
    with pytest.raises(FramesError, match="names"):
        unpack(bytes(torn))


# --- Reading from the database --------------------------------------------------


@pytest.mark.django_db
def test_load_columns_returns_chosen_columns_of_many_movements():
    movements = [make_movement() for _ in range(3)]
    for place, movement in enumerate(movements):
        make_frames(many_columns(40, shift=place), movement=movement)
        make_frames(many_columns(5, shift=9), movement=movement, data_type=ME)
    bare = make_movement()
    names = ["time", "point_3_x", "POINT_30_X", "point_31_x", "absent"]

    loaded = load.load_columns([*(m.pk for m in movements), bare.pk], IK, names)

    assert set(loaded) == {movement.pk for movement in movements}
    for place, movement in enumerate(movements):
        expected = many_columns(40, shift=place)
        got = loaded[movement.pk]
        assert list(got) == ["time", "point_3_x", "POINT_30_X", "point_31_x"]
        assert np.array_equal(got["time"], expected["time"])
        for name in names[1:4]:
            assert np.array_equal(got[name], expected[name.lower()].astype("f4"))


@pytest.mark.django_db
def test_load_columns_without_names_returns_all():
    frames = make_frames(many_columns(7))
    loaded = load.load_columns([frames.movement_id], IK)
    assert list(loaded[frames.movement_id]) == list(many_columns(7))


@pytest.mark.django_db
def test_load_columns_of_nothing_is_empty():
    frames = make_frames()
    assert load.load_columns([], IK, ["time"]) == {}
    assert load.load_columns([frames.movement_id], ME, ["time"]) == {}
    assert load.load_columns([frames.movement_id], IK, ["absent"]) == {
        frames.movement_id: {}
    }


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_load_columns_costs_the_same_queries_for_one_and_three(count):
    ids = [make_frames(many_columns(40)).movement_id for _ in range(count)]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        load.load_columns(ids, IK, ["time", "point_20_x"])
    assert len(queries) == (2 if connection.vendor == "postgresql" else 1)


@pytest.mark.django_db
def test_frames_replaced_between_the_two_queries_are_read_whole():
    """Another process may store newer frames while we read."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite reads header and columns from one open blob.")
    frames = make_frames(many_columns(10))
    newer = pack(many_columns(20, shift=5))

    def replace_before_ranges(execute, sql, params, many, context):
        if "unnest" in sql:
            BiomechanicsData.objects.filter(pk=frames.pk).update(
                frames=newer.data,
                header_size=newer.header_size,
                content_sha256=newer.sha256,
            )
        return execute(sql, params, many, context)

    with connection.execute_wrapper(replace_before_ranges):
        loaded = load.load_columns([frames.movement_id], IK, ["point_5_x"])

    expected = many_columns(20, shift=5)["point_5_x"].astype("f4")
    assert np.array_equal(loaded[frames.movement_id]["point_5_x"], expected)


@pytest.mark.django_db
def test_postgresql_stores_frames_uncompressed_and_outside_the_row():
    if connection.vendor != "postgresql":
        pytest.skip("A setting of PostgreSQL alone.")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attstorage FROM pg_attribute "
            "WHERE attrelid = 'biomechanics_data'::regclass AND attname = 'frames'"
        )
        (storage,) = cursor.fetchone()
    assert storage in ("e", b"e")


def test_the_hash_of_texts_stays_what_it_was():
    """Another one would have every stored movement written again."""
    rows = 2500
    words = [None if row % 7 == 0 else 'ä\n"' for row in range(rows)]
    packed = pack(
        {
            "time": np.arange(rows) / 240.0,
            "event": np.array(words, dtype=object),
            "same": np.full(rows, "x,y]", dtype=object),
        }
    )
    assert packed.sha256 == (
        "ee6997100eb51afd7036aa5ba7b477f026cdd486954b328ed813d8c012b0e604"
    )
