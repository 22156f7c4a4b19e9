"""Invented export files for the reader's tests."""

import csv
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

POINTS = ("LHJC", "RHJC", "NECK")
ANGLES = ("torso_rot", "pelvis_rot", "left_knee", "right_knee")


def frames(movement="IMG-1-0001", count=12, *, start=0.0, step=1 / 240, seed=1):
    """Columns of one movement's inverse-kinematics file, as the vendor spells them."""
    rng = np.random.default_rng(seed)
    columns = {"index": list(range(count))}
    for point in POINTS:
        for axis in "XYZ":
            columns[f"{point}_{axis}"] = rng.normal(1, 0.1, count).round(9).tolist()
    for angle in ANGLES:
        columns[angle] = rng.normal(0, 0.5, count).round(9).tolist()
    time = start + np.arange(count) * step
    columns["time"] = time.round(10).tolist()
    columns["norm_time"] = (time * 500).round(9).tolist()
    columns["org_movement_id"] = [movement] * count
    return columns


def energies(movement="IMG-1-0001", count=12):
    rng = np.random.default_rng(7)
    names = [
        f"{segment}_{quantity}"
        for segment in ("lowertorso", "torso", "larm", "bat")
        for quantity in ("kinetic_energy", "angular_momentum_mag")
    ]
    columns = {"": list(range(count))}
    columns |= {name: rng.normal(5, 1, count).round(9).tolist() for name in names}
    columns["time"] = (np.arange(count) / 240).round(10).tolist()
    columns["org_movement_id"] = [movement] * count
    return columns


def stacked(*parts):
    return {name: [v for part in parts for v in part[name]] for name in parts[0]}


def as_csv(columns, *, line_end="\r\n", quoted=True, bom=False, missing=""):
    buffer = io.StringIO(newline="")
    writer = csv.writer(
        buffer,
        lineterminator=line_end,
        quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL,
    )
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow([missing if value is None else value for value in row])
    return buffer.getvalue().encode("utf-8-sig" if bom else "utf-8")


def as_parquet(columns, **types):
    table = pa.table(
        {name: pa.array(v, types.get(name)) for name, v in columns.items()}
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()
