"""Published real swings beside the analysis, where they are at hand.

The recordings lie beside the project and are never part of it: only differences over
all swings are kept. Source: OpenBiomechanics Project, `baseball_hitting`
(drivelineresearch/openbiomechanics).
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy  # By its parts when first used; see `biomechanics.signals`.

from accuracy.measure import Accuracy, Outcome, State, summarize
from accuracy.swings import Array, Columns
from biomechanics.analysis_types import SwingAnalysis
from biomechanics.swing import analyze_swing
from biomechanics.units import MPH_PER_M_PER_S

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SWINGS = "real-swings-360hz.csv.gz"
PUBLISHED = "real-hitting-poi.csv.gz"
RATE_HZ = 360.0
RATES_HZ = (360.0, 240.0, 180.0, 120.0)
HEIGHT_M, MASS_KG = 67 * 0.0254, 155 * 0.45359237
# In these recordings lhjc and rhjc are the hands.
RENAMED = {
    "lhjc": "lhand",
    "rhjc": "rhand",
    "left_hip": "lhjc",
    "right_hip": "rhjc",
    "centerofmass": "center_of_mass",
}
BAT_POINTS = ("blast_hand", "sweet_spot")
TIMES = ("fp_10_time", "fp_100_time", "contact_time")


@dataclass(frozen=True)
class PublishedValue:
    """The column of the published table that stands for a metric.

    Attributes
    ----------
    factor : float
        From the column to the unit and sign of the metric.
    differs : str
        How the published definition differs from ours.
    """

    column: str
    factor: float = 1.0
    differs: str = ""


_THORAX = "measured at the thorax, not the shoulder line"
_PLANT = "at 100 % of body weight on the lead foot"
PUBLISHED_VALUES: dict[str, PublishedValue] = {
    "peak_pelvis_omega": PublishedValue("pelvis_angular_velocity_seq_max_x"),
    "peak_torso_omega": PublishedValue("torso_angular_velocity_seq_max_x", 1, _THORAX),
    "peak_lead_arm_omega": PublishedValue(
        "upper_arm_speed_mag_max_x", 1, "includes the spin about the arm's own axis"
    ),
    "peak_bat_omega": PublishedValue("bat_speed_xy_max_x", 1, "filtered at 20 Hz"),
    "pelvis_rot_fd": PublishedValue(
        "pelvis_angle_fp_z", 1, f"{_PLANT}; from the field's axis"
    ),
    "torso_rot_fd": PublishedValue(
        "torso_angle_fp_z", 1, f"{_THORAX}; {_PLANT}; from the field's axis"
    ),
    "x_factor_fd": PublishedValue("x_factor_fp_z", -1, f"{_THORAX}; {_PLANT}"),
    "x_factor_max": PublishedValue("torso_pelvis_swing_max_x", -1, _THORAX),
    "lead_knee_flex_fd": PublishedValue("lead_knee_launchpos_x", 1, _PLANT),
    "rear_elbow_flex_fd": PublishedValue("rear_elbow_launchpos_x", 1, _PLANT),
    "side_bend_max": PublishedValue("torso_swing_max_y", 1, _THORAX),
    "fwd_bend_fd": PublishedValue("torso_angle_fp_x", 1, f"{_THORAX}; {_PLANT}"),
    "com_speed_max": PublishedValue("max_cog_velo_x", 1, "forward component only"),
    "peak_hand_speed": PublishedValue(
        "hand_speed_blast_bat_mph_max_x",
        1 / MPH_PER_M_PER_S,
        "measured at a point on the handle",
    ),
    "bat_speed_max": PublishedValue(
        "bat_speed_mph_max_x", 1 / MPH_PER_M_PER_S, "filtered at 20 Hz"
    ),
    "bat_speed_ref": PublishedValue(
        "bat_speed_mph_contact_x", 1 / MPH_PER_M_PER_S, "filtered at 20 Hz"
    ),
    "bat_torso_fm": PublishedValue(
        "bat_torso_angle_connection_x",
        1,
        "measured at the thorax, not the trunk line; at the start of the downswing",
    ),
    "attack_angle": PublishedValue(
        "attack_angle_contact_x", 1, "at one instant, filtered at 20 Hz"
    ),
}


@dataclass(frozen=True)
class RealSwing:
    """Columns of a recorded swing and its published values by metric."""

    name: str
    columns: Columns
    published: dict[str, float]

    def at_rate(self, rate_hz: float) -> list[Columns]:
        """Return the recording at a frame rate: once for each phase of its frames."""
        every = RATE_HZ / rate_hz
        if every.is_integer():
            step = int(every)
            return [
                {name: values[first::step] for name, values in self.columns.items()}
                for first in range(step)
            ]
        time = self.columns["time"]
        new = np.arange(time[0], time[-1], 1 / rate_hz)
        return [
            {
                name: new if name == "time" else _interpolated(time, values, new)
                for name, values in self.columns.items()
            }
        ]


def _interpolated(time: Array, values: Array, new: Array) -> Array:
    """Return values at other times; a gap stays one."""
    there = np.isfinite(values)
    if np.count_nonzero(there) < 2:
        return np.full(new.shape, np.nan)
    answer: Array = scipy.interpolate.PchipInterpolator(
        time[there], values[there], extrapolate=False
    )(new)
    missing = np.interp(new, time, (~there).astype(np.float64)) > 0.0
    answer[missing] = np.nan
    return answer


def are_at_hand(folder: Path = DATA) -> bool:
    """Return whether the recordings lie beside the project."""
    return (folder / SWINGS).exists() and (folder / PUBLISHED).exists()


def read_swings(folder: Path = DATA) -> list[RealSwing]:
    """Return the recorded swings, with the bat on the clock of the joints.

    The bat's rows stand at times rounded to whole milliseconds, the joints' do not.
    """
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with gzip.open(folder / SWINGS, "rt", newline="") as file:
        for row in csv.DictReader(file):
            rows[row["session_swing"]].append(row)
    with gzip.open(folder / PUBLISHED, "rt", newline="") as file:
        published = {
            row["session_swing"]: row
            for row in csv.DictReader(file)
            if row["session_swing"] in rows
        }
    return [
        RealSwing(
            name,
            _columns(of_swing),
            {
                metric: float(published[name][item.column]) * item.factor
                for metric, item in PUBLISHED_VALUES.items()
            },
        )
        for name, of_swing in rows.items()
    ]


def _columns(rows: list[dict[str, str]]) -> Columns:
    """Return the columns of one swing by our names."""
    columns: Columns = {}
    for name in rows[0]:
        if name == "session_swing" or name in TIMES:
            continue
        values = np.array([float(row[name] or "nan") for row in rows])
        if name == "time":
            columns[name] = values
            continue
        point, axis = name.rsplit("_", 1)
        columns[f"{RENAMED.get(point, point)}_{axis}"] = values
    time = np.arange(len(rows)) / RATE_HZ
    columns["time"] = time
    for point in BAT_POINTS:
        for axis in "xyz":
            name = f"{point}_{axis}"
            columns[name] = _interpolated(np.round(time, 3), columns[name], time)
    return columns


def analyze_real(columns: Columns) -> SwingAnalysis:
    """Return the analysis of a recording, without its known times."""
    center = {n: v for n, v in columns.items() if n.startswith("center_of_mass")}
    return analyze_swing(
        kinematics=columns,
        energetics=center | {"time": columns["time"]},
        bats="right",
        height_m=HEIGHT_M,
        mass_kg=MASS_KG,
    )


def measure_real(folder: Path = DATA) -> dict[str, dict[str, Accuracy]]:
    """Return ours minus the published value, by metric and frame rate."""
    outcomes: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for swing in read_swings(folder):
        for rate_hz in RATES_HZ:
            for columns in swing.at_rate(rate_hz):
                analysis = analyze_real(columns)
                poor = analysis.quality.grade == "poor"
                for metric, right in swing.published.items():
                    found = analysis.metrics[metric]
                    error: float | None = None
                    state: State = "missing"
                    if isinstance(found.value, float):
                        error = found.value - right
                        state = "flagged" if found.flagged or poor else "counted"
                    outcomes[metric, f"{rate_hz:g}"].append(
                        Outcome(metric, state, error, found.uncertainty)
                    )
    answer: dict[str, dict[str, Accuracy]] = {}
    for (metric, rate), rows in outcomes.items():
        answer.setdefault(metric, {})[rate] = summarize(rows)
    return answer
