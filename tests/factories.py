"""Rows for tests: plain functions, each with defaults that overrides replace.

People, sessions and identifiers are invented. A builder saves what it makes and
makes the parents it needs, so a test names only what it is about.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from django.utils import timezone

from accounts.models import Scope, Team, User
from accounts.services import create_token
from athletes.frames.format import PackedFrames
from athletes.frames.packing import PackedMovement, pack
from athletes.models import (
    BiomechanicsData,
    DataState,
    DataType,
    Goal,
    Movement,
    Player,
    Session,
    SessionMetric,
)

# Where the numbers begin can be moved, to see that no test rests on them.
_numbers = itertools.count(int(os.environ.get("TEST_NUMBERS_FROM", "1")))

PASSWORD = "a-password-for-tests"


def make_user(**fields: Any) -> User:
    """A coach: may log in, nothing more."""
    number = next(_numbers)
    password = fields.pop("password", PASSWORD)
    given = {"username": f"coach{number}", "email": f"coach{number}@facility.invalid"}
    user = User(**(given | fields))
    user.set_password(password)
    user.save()
    return user


def make_staff(**fields: Any) -> User:
    """A user who may also sync and use the admin."""
    number = next(_numbers)
    return make_user(**({"username": f"staff{number}", "is_staff": True} | fields))


def make_superuser(**fields: Any) -> User:
    return make_staff(**({"is_superuser": True} | fields))


def make_team(**fields: Any) -> Team:
    """A team; `players` and `members` are put into it."""
    players, members = fields.pop("players", ()), fields.pop("members", ())
    team = Team.objects.create(**({"name": f"Team {next(_numbers)}"} | fields))
    team.players.set(players)
    team.members.set(members)
    return team


def make_token(scope: str = Scope.READ, **fields: Any) -> dict[str, str]:
    """A new token, as the header that a program sends."""
    name = f"program {next(_numbers)}"
    _, secret = create_token(**({"name": name, "scope": scope} | fields))
    return {"Authorization": f"Bearer {secret}"}


def make_player(**fields: Any) -> Player:
    number = next(_numbers)
    player: Player = Player.objects.create(
        **(
            {
                "org_player_id": f"org-player-{number}",
                "reboot_player_id": f"reboot-player-{number}",
                "first_name": "Invented",
                "last_name": f"Athlete {number:04d}",
                "height_ft": 6.0,
                "weight_lbs": 180.0,
                "dominant_hand_hitting": "right",
                "dominant_hand_throwing": "right",
            }
            | fields
        )
    )
    return player


def make_session(**fields: Any) -> Session:
    """A hitting session, of a new athlete unless `player` is given."""
    number = next(_numbers)
    player = fields.pop("player", None) or make_player()
    return Session.objects.create(
        player=player,
        **(
            {
                "session_id": f"00000000-0000-4000-8000-{number:012d}",
                "session_date": dt.date(2026, 3, 1),
                "session_num": "1",
                "movement_type_id": 1,
                "movement_type_name": "baseball-hitting",
                "mocap_type_name": "single-camera",
                "vendor_status": "processed",
            }
            | fields
        ),
    )


def make_goal(**fields: Any) -> Goal:
    """A goal for the hand speed, in any setup."""
    values: dict[str, Any] = {
        "metric": "peak_hand_speed",
        "low": 10.0,
        "high": fields.get("low", 10.0),
        "by": dt.date(2027, 3, 1),
    }
    return Goal.objects.create(**{**values, **fields})


def make_movement(**fields: Any) -> Movement:
    """A movement without frames and without numbers, last in its session."""
    number = next(_numbers)
    session = fields.pop("session", None) or make_session()
    if "position" not in fields:
        fields["position"] = session.movements.count() + 1
    return Movement.objects.create(
        session=session,
        **({"org_movement_id": f"IMG-{number:04d}-0001"} | fields),
    )


def metric(
    value: float | str | None, unit: str = "deg/s", reason: str | None = None
) -> dict[str, Any]:
    """One entry of `Movement.metrics`."""
    return {"value": value, "unit": unit, "reason": reason, "flagged": False}


def make_swing(
    metrics: Mapping[str, float | None] | None = None, **fields: Any
) -> Movement:
    """An analyzed good swing; `metrics` maps metric names to bare values."""
    entries = {
        name: metric(value, reason=None if value is not None else "not measured")
        for name, value in (metrics or {"peak_pelvis_omega": 640.0}).items()
    }
    return make_movement(
        **(
            {
                "is_swing": True,
                "side": "right",
                "sampling_rate_hz": 240.0,
                "frame_count": 577,
                "duration_s": 2.4,
                "angle_unit_found": "rad",
                "metrics": entries,
                "quality_grade": "good",
                "method_version": "test",
                "analysed_at": timezone.now(),
            }
            | fields
        )
    )


def smooth_columns(
    names: list[str] | None = None, *, frames: int = 48, rate_hz: float = 240.0
) -> dict[str, np.ndarray]:
    """A clock and smooth columns: a sine each, of its own frequency and phase."""
    time_s = np.arange(frames) / rate_hz
    columns: dict[str, np.ndarray] = {"time": time_s}
    for place, name in enumerate(names or ["pelvis_rot", "torso_rot", "left_knee"]):
        columns[name] = np.sin(2 * np.pi * (1 + 0.3 * place) * time_s + place)
    return columns


def make_frames(
    columns: Mapping[str, np.ndarray] | None = None, **fields: Any
) -> BiomechanicsData:
    """Stored frames of one data type; of a new movement unless one is given."""

    movement = fields.pop("movement", None) or make_movement()
    packed = pack(columns or smooth_columns())
    return BiomechanicsData.objects.create(
        movement=movement,
        **(
            {
                "data_type": DataType.INVERSE_KINEMATICS,
                "frames": packed.data,
                "header_size": packed.header_size,
                "byte_size": len(packed.data),
                "frame_count": packed.frame_count,
                "column_count": packed.column_count,
                "content_sha256": packed.sha256,
            }
            | fields
        ),
    )


@lru_cache(maxsize=4)
def simulated_movements(
    swings: int = 4, *, bats: str = "R", seed: int = 1, rate_hz: float = 240.0
) -> tuple[Any, ...]:
    """Movements of one session of the simulator; the first are swings."""
    from simulator.data import World
    from simulator.population import Shape

    world = World(Shape(players=12, sessions=12, swings=swings, seed=seed))
    for session in world.sessions:
        for athlete in world.athletes:
            if not world.has_data(session, athlete.org_player_id, "baseball-hitting"):
                continue
            movements = world.movements(session, athlete.org_player_id)
            if movements[0].bats == bats and movements[0].rate_hz == rate_hz:
                return tuple(movements)
    raise LookupError("The simulator has no such session; try another seed.")


def simulated_columns(movement: Any, data_type: str) -> dict[str, np.ndarray]:
    """The number columns of a simulated movement's file."""
    from simulator.columns import Options, inverse_kinematics
    from simulator.momentum import momentum_energy

    make = (
        inverse_kinematics
        if data_type == DataType.INVERSE_KINEMATICS
        else momentum_energy
    )
    columns = make(movement, Options())
    return {
        name: values
        for name, values in columns.items()
        if isinstance(values, np.ndarray) and values.dtype.kind == "f"
    }


@lru_cache(maxsize=48)
def packed_simulated(movement: Any, data_type: str) -> PackedFrames:
    """A simulated movement's frames as they are stored; made once, never changed."""
    return pack(simulated_columns(movement, data_type))


def store_simulated(session: Session, movements: Sequence[Any]) -> None:
    """Store both data types of simulated movements, as a sync would."""
    from athletes.frames import store

    for data_type in DataType:
        store.store_frames(
            session_pk=session.pk,
            data_type=data_type,
            movements=[
                PackedMovement(
                    movement.org_movement_id, packed_simulated(movement, data_type)
                )
                for movement in movements
            ],
        )


def make_session_metric(**fields: Any) -> SessionMetric:
    session = fields.pop("session", None) or make_session()
    mean = float(fields.get("mean", 640.0))
    return SessionMetric.objects.create(
        session=session,
        **(
            {
                "metric": "peak_pelvis_omega",
                "n": 5,
                "mean": mean,
                "sd": 20.0,
                "minimum": mean - 30.0,
                "maximum": mean + 30.0,
                "median": mean,
                "robust_spread": 18.0,
                "cv": 20.0 / mean if mean else None,
                "method_version": "test",
            }
            | fields
        ),
    )


def make_synced_session(*, swings: int = 3, **fields: Any) -> Session:
    """A complete session with `swings` analyzed swings."""
    session = make_session(
        **(
            {
                "data_synced": True,
                "data_state": DataState.COMPLETE,
                "swing_count": swings,
            }
            | fields
        )
    )
    for place in range(swings):
        make_swing({"peak_pelvis_omega": 600.0 + 20.0 * place}, session=session)
    return session


def settle_all() -> int:
    """Give every change its place; the last place."""
    from athletes.feed.order import settle

    while (settled := settle()).more:
        pass
    return settled.last
