"""Columns of export files: their canonical names, and the kind of file they tell.

Files differ in case and underscores (``LHJC_X``, ``lhjc_x``, ``lhjcx``;
``LowerTorso_Kinetic_Energy``). Two names are the same column when they agree in small
letters without underscores and blanks, and only then: matching by parts of names
picks wrong columns. Unknown names are kept in small letters.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from athletes.frames.format import is_exact, match_key
from syncing.reader.errors import ExportFileError


class FileKind(StrEnum):
    """Kinds of export files, by the vendor's names; its answer may be none of them."""

    INVERSE_KINEMATICS = "inverse-kinematics"
    MOMENTUM_ENERGY = "momentum-energy"
    METADATA = "metadata"
    METRICS = "metrics"
    HITTING_METRICS = "hitting-processed-metrics"
    UNKNOWN = "unknown"


FRAME_KINDS = frozenset({FileKind.INVERSE_KINEMATICS, FileKind.MOMENTUM_ENERGY})
#: Kinds with one row for each movement.
ROW_KINDS = frozenset({FileKind.METADATA, FileKind.METRICS, FileKind.HITTING_METRICS})

MOVEMENT_ID = "org_movement_id"
INNER_MOVEMENT_ID = "movement_id"
TIME = "time"

#: Clocks and frame counts: kept in double precision, which absolute time needs.
CLOCKS = (
    "time",
    "time_from_max_hand",
    "time_from_max_height",
    "time_from_swing_end",
    "norm_time",
    "rel_frame",
)

TEXTS = (
    "org_movement_id",
    "movement_id",
    "event",
    "dom_hand",
    "session_id",
    "org_session_id",
    "org_player_id",
    "player_id",
    "session_date",
    "session_type",
    "movement_type",
    "mocap_type",
    "s3_key",
    "segment_type",
    "version_metrics",
    "file_name",
)

#: Names of people: never kept, whatever file they stand in.
PERSONAL = frozenset(
    {"firstname", "lastname", "fullname", "playername", "athletename", "dateofbirth"}
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


POINTS = _words(
    "leye reye neck lsjc lejc lwjc lpinky lthumb rsjc rejc rwjc rpinky rthumb midhip "
    "lhjc lkjc lajc lheel lstoe lbtoe rhjc rkjc rajc rheel rstoe rbtoe "
    "skullbase lmmal rmmal llmal rlmal nose lear rear "
    "baseball bhandle bhead basketball"
)

_ARM = _words(
    "sternoclavicular_elev shoulder_plane shoulder_elev shoulder_abd shoulder_flex "
    "shoulder_rot elbow forearm_pro wrist_dev wrist_flex"
)
_LEG = _words("hip_flex hip_add hip_rot knee ankle_inv ankle_flex")
ANGLES = (
    *(f"{side}_{name}" for side in ("left", "right") for name in (*_ARM, *_LEG)),
    "torso_ext",
    "torso_side",
    "torso_rot",
    "pelvis_rot",
    "pelvis_side",
)

SEGMENTS = _words(
    "lowertorso torso larm rarm arms lleg rleg legs lowerhalf upperhalf total bat "
    "lar lfa lha rar rfa rha lth lsk lft rth rsk rft rhe"
)
_QUANTITIES = (
    *(f"angular_momentum_{part}" for part in ("x", "y", "z", "mag", "proj")),
    *(f"linear_momentum_{part}" for part in ("x", "y", "z", "mag", "proj")),
    "kinetic_energy",
    "trans_energy",
    "rot_energy",
)
ENERGIES = tuple(f"{segment}_{name}" for segment in SEGMENTS for name in _QUANTITIES)

_POINT_COLUMNS = tuple(f"{point}_{axis}" for point in POINTS for axis in "xyz")
_OFFSETS = ("x_offset", "y_offset", "z_offset")
_METRIC_MARKS = ("foot_down_event", "impact_event", "peak_velocity_event")
_BODY = (
    "center_of_mass_x",
    "center_of_mass_y",
    "center_of_mass_z",
    "mass_total",
)


def _keys(names: Iterable[str]) -> dict[str, str]:
    return {match_key(name): name for name in names}


CANONICAL: dict[str, str] = _keys(
    (
        *CLOCKS,
        *TEXTS,
        *_POINT_COLUMNS,
        *ANGLES,
        *(f"{angle}_vel" for angle in ANGLES),
        *(f"{angle}_acc" for angle in ANGLES),
        *ENERGIES,
        *_OFFSETS,
        *_METRIC_MARKS,
        *_BODY,
    )
)
_TEXT_KEYS = frozenset(_keys(TEXTS))
_ANGLE_KEYS = frozenset(_keys(ANGLES))
_POINT_KEYS = frozenset(_keys(_POINT_COLUMNS))
_ENERGY_KEYS = frozenset(_keys((*ENERGIES, *_BODY)))
#: Row numbers, each time a table was saved another: "Unnamed: 0", then "Unnamed: 0.1".
_INDEX = re.compile(
    r"|(?:(?:index|level\d+|unnamed:\d+)(?:level\d+)?|indexlevel\d+)(?:\.\d+)*",
    re.ASCII,
)


class Role(StrEnum):
    """How the values of a column are read and kept."""

    NUMBER = "number"
    CLOCK = "clock"
    TEXT = "text"
    #: Row numbers and names of people.
    DROPPED = "dropped"


@dataclass(frozen=True)
class FileColumn:
    """One column of an export file: its place, its names and how it is read.

    ``original`` is the name as the file spells it, ``name`` the canonical one,
    ``known`` whether that is a name of the vendor's documented columns.
    """

    position: int
    original: str
    name: str
    role: Role
    known: bool


def plan_columns(
    header: Sequence[str], *, texts: frozenset[str] = frozenset()
) -> tuple[FileColumn, ...]:
    """Return how to read each column of a header.

    Parameters
    ----------
    header
        The names as the file spells them, in its order.
    texts
        Unknown columns, by canonical name, that are known to hold text.

    Raises
    ------
    ExportFileError
        Two columns are spellings of one name, or no column is one of an export file.
    """
    columns: list[FileColumn] = []
    seen: dict[str, str] = {}
    for position, original in enumerate(header):
        original = original.strip().removeprefix("\ufeff").strip()
        key = match_key(original)
        canonical = CANONICAL.get(key)
        name = canonical or original.lower()
        if _INDEX.fullmatch(key) or key in PERSONAL:
            columns.append(
                FileColumn(position, original, name, Role.DROPPED, known=False)
            )
            continue
        if key in seen:
            raise ExportFileError(
                "duplicate_column",
                f"The file has the column {shown(name)} twice (as {shown(seen[key])} "
                f"and {shown(original)}), so it's unclear which is right. Ask Reboot "
                "Motion for the export again.",
            )
        seen[key] = original
        if key in _TEXT_KEYS or (canonical is None and name in texts):
            role = Role.TEXT
        elif is_exact(key):
            role = Role.CLOCK
        else:
            role = Role.NUMBER
        columns.append(
            FileColumn(position, original, name, role, known=canonical is not None)
        )
    if not any(column.known for column in columns):
        raise ExportFileError(
            "not_an_export",
            f"None of the {len(columns)} columns belongs to an export file. Take an "
            "inverse-kinematics, momentum-energy, metadata or "
            "hitting-processed-metrics file as Reboot Motion delivers it, with its "
            "first "
            "line.",
        )
    return tuple(columns)


def kind_of_columns(names: Iterable[str]) -> FileKind:
    """Return the kind of an export file by its columns, never by its file name."""
    keys = {match_key(name) for name in names}
    energies = len(keys & _ENERGY_KEYS)
    angles = len(keys & _ANGLE_KEYS)
    points = len(keys & _POINT_KEYS) // 3
    if max(energies, angles, points) >= 3:
        if energies > max(angles, points):
            return FileKind.MOMENTUM_ENERGY
        return FileKind.INVERSE_KINEMATICS
    if match_key(TIME) in keys:
        return FileKind.UNKNOWN
    if set(_keys(_OFFSETS)) <= keys:
        return FileKind.METADATA
    if keys & set(_keys(_METRIC_MARKS)):
        return FileKind.HITTING_METRICS
    if "versionmetrics" in keys:
        return FileKind.METRICS
    if match_key(MOVEMENT_ID) in keys:
        return FileKind.METADATA
    return FileKind.UNKNOWN


def shown(name: str) -> str:
    """Return a column's name fit for a message: short, in quotes, printable."""
    text = "".join(character if character.isprintable() else "?" for character in name)
    return f'"{text[:60]}"'


def no_column(name: str) -> ExportFileError:
    """Return the error for a file that lacks a column which it cannot do without."""
    return ExportFileError(
        "missing_column",
        f'The file has no column "{name}", which is required. Ask '
        "Reboot Motion for the export again, or take the data export instead of "
        "another "
        "file.",
    )
