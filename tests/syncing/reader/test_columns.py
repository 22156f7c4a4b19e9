import pytest

from syncing.reader import columns
from syncing.reader.columns import FileKind, Role, kind_of_columns, plan_columns
from syncing.reader.errors import ExportFileError


def names(header):
    return [
        column.name
        for column in plan_columns(header)
        if column.role is not Role.DROPPED
    ]


@pytest.mark.parametrize("spelling", ["LHJC_X", "lhjc_x", "lhjcx", "LHJC X", "Lhjc_x "])
def test_spellings_of_one_point_become_one_name(spelling):
    assert names([spelling, "time"]) == ["lhjc_x", "time"]


def test_known_names_take_their_canonical_spelling():
    assert names(
        ["LowerTorso_Kinetic_Energy", "X_offset", "pelvisrot", "masstotal", "Time"]
    ) == ["lowertorso_kinetic_energy", "x_offset", "pelvis_rot", "mass_total", "time"]


def test_unknown_names_are_kept_in_small_letters():
    assert names(["time", "Optim_Residual"]) == ["time", "optim_residual"]


def test_longer_names_do_not_match_by_a_part():
    assert names(["torso_rot", "torso_rotation_power"]) == [
        "torso_rot",
        "torso_rotation_power",
    ]


def test_index_columns_and_names_of_people_are_dropped():
    header = ["", "index", "Unnamed: 0", "__index_level_0__", "first_name", "time"]
    assert names(header) == ["time"]


def test_roles_follow_the_names():
    header = [
        "org_movement_id",
        "time_from_max_hand",
        "norm_time",
        "torso_rot",
        "event",
    ]
    assert [column.role for column in plan_columns(header)] == [
        Role.TEXT,
        Role.CLOCK,
        Role.CLOCK,
        Role.NUMBER,
        Role.TEXT,
    ]


@pytest.mark.parametrize(
    "header", [["time", "torso_rot", "torso_rot"], ["time", "LHJC_X", "lhjcx"]]
)
def test_columns_of_one_name_are_refused(header):
    with pytest.raises(ExportFileError) as caught:
        plan_columns(header)
    assert caught.value.code == "duplicate_column"


def test_a_table_without_any_known_column_is_refused():
    with pytest.raises(ExportFileError) as caught:
        plan_columns(["name", "amount"])
    assert caught.value.code == "not_an_export"


def test_no_two_canonical_names_share_a_spelling():
    everything = (
        *columns.CLOCKS,
        *columns.TEXTS,
        *(f"{point}_{axis}" for point in columns.POINTS for axis in "xyz"),
        *(f"{a}{end}" for a in columns.ANGLES for end in ("", "_vel", "_acc")),
        *columns.ENERGIES,
    )
    keys = [columns.match_key(name) for name in everything]
    assert len(set(keys)) == len(keys) > 400


def test_kind_of_a_file_is_told_by_its_columns():
    ik = ["time", *columns.ANGLES]
    me = ["time", *columns.ENERGIES]
    assert kind_of_columns(ik) is FileKind.INVERSE_KINEMATICS
    assert kind_of_columns(["Time", "LHJC_X", *columns._POINT_COLUMNS]) is (
        FileKind.INVERSE_KINEMATICS
    )
    assert kind_of_columns(me) is FileKind.MOMENTUM_ENERGY
    assert kind_of_columns(["org_movement_id", "X_offset", "Y_offset", "Z_offset"]) is (
        FileKind.METADATA
    )
    assert kind_of_columns(["org_movement_id", "frame_rate"]) is FileKind.METADATA
    assert kind_of_columns(["org_movement_id", "version_metrics"]) is FileKind.METRICS
    for mark in ("impact_event", "Peak_Velocity_Event", "foot_down_event"):
        names = ["org_movement_id", "version_metrics", mark]
        assert kind_of_columns(names) is FileKind.HITTING_METRICS
    assert kind_of_columns(["time", "torso_rot"]) is FileKind.UNKNOWN
