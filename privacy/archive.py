"""Everything that is stored about one athlete, as one ZIP.

One idea, though long: the parts of that ZIP, one after another.

Tables for people are CSV, frames are Parquet, and `records/` holds each row of each
table as it is stored, so that nothing depends on what we thought of when writing this.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q
from django.utils import timezone

from athletes.analysis.event_rules import rule_in_basis
from athletes.analysis.means_by_side import means_by_side, side_in_files
from athletes.api.frames import cell
from athletes.identity.session_parts import family
from athletes.models import (
    EventCorrection,
    GapDismissal,
    Goal,
    InclusionDecision,
    Movement,
    Note,
    Player,
    Session,
    SessionMetric,
    Tag,
)
from biomechanics.basis import setup_in, without_setup
from biomechanics.definitions import METHOD_VERSION, METRICS, SERIES
from privacy import records
from privacy.archive_frames import INDEX_COLUMNS, Row, folder_of, write_frames
from syncing.models import RawPayload


def write_archive(player: Player, file: IO[bytes]) -> None:
    """Write the ZIP of `player` into `file`, which must be seekable."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        _Archive(player, archive).write()


class _Archive:
    """The ZIP while it is written."""

    def __init__(self, player: Player, archive: zipfile.ZipFile) -> None:
        self._player = player
        # With those of the vendor that were merged into theirs.
        self._records = list(
            Player.everyone.filter(pk__in=family(player.pk)).order_by("pk")
        )
        self._zip = archive
        self._sessions = list(
            Session.objects.filter(player=player).order_by("session_date", "id")
        )
        self._movements: dict[int, list[Movement]] = {s.pk: [] for s in self._sessions}
        for movement in Movement.objects.filter(session__player=player).order_by(
            "session_id", "position", "id"
        ):
            self._movements[movement.session_id].append(movement)
        self._index: list[Row] = []

    def write(self) -> None:
        self._text("README.txt", self._readme())
        self._facts()
        self._session_tables()
        self._swing_tables()
        self._written_by_people()
        self._definitions()
        for session in self._sessions:
            self._index += write_frames(self._zip, session, self._movements[session.pk])
        self._csv(
            "frames/index.csv",
            INDEX_COLUMNS,
            self._index,
        )
        for kind in records.athlete_tables():
            self._json(
                f"records/{kind.table}.json",
                kind.rows(self._player.pk).values(*kind.fields()).iterator(200),
            )
        self._vendor()

    # Files

    def _text(self, name: str, text: str) -> None:
        self._zip.writestr(name, text.encode())

    def _csv(self, name: str, head: Row, rows: Iterable[Row]) -> None:
        with (
            self._zip.open(name, "w", force_zip64=True) as raw,
            io.TextIOWrapper(raw, encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file)
            writer.writerow(head)
            for row in rows:
                writer.writerow([_cell(value) for value in row])

    def _json(self, name: str, rows: Iterable[Any]) -> None:
        encoder = DjangoJSONEncoder(ensure_ascii=False, allow_nan=False)
        with (
            self._zip.open(name, "w", force_zip64=True) as raw,
            io.TextIOWrapper(raw, encoding="utf-8") as file,
        ):
            file.write("[")
            for place, row in enumerate(rows):
                file.write(",\n" if place else "\n")
                file.write(encoder.encode(row))
            file.write("\n]\n")

    # Tables

    def _facts(self) -> None:
        names = [
            *("org_player_id", "reboot_player_id", "first_name", "last_name"),
            *("date_of_birth", "height_ft", "weight_lbs"),
            *("dominant_hand_hitting", "dominant_hand_throwing"),
            *("corrected_fields", "missing_since", "created_at", "updated_at"),
        ]
        self._csv(
            "athlete.csv",
            ["field", "value"],
            ([name, getattr(self._player, name)] for name in names),
        )
        merged = [each for each in self._records if each.pk != self._player.pk]
        if merged:
            self._csv(
                "merged_records.csv",
                names,
                ([getattr(each, name) for name in names] for each in merged),
            )

    def _session_tables(self) -> None:
        names = [
            *("session_id", "session_date", "session_num", "movement_type_id"),
            *("movement_type_name", "mocap_type_name", "session_type_name"),
            *("vendor_status", "vendor_updated_at", "missing_since", "data_state"),
            *("condition", "bat", "height_ft", "weight_lbs", "swing_count"),
        ]
        self._csv(
            "sessions.csv",
            ["folder", *names],
            ([folder_of(s), *(getattr(s, n) for n in names)] for s in self._sessions),
        )
        numbers = [
            *("n", "mean", "sd", "minimum", "maximum", "median", "robust_spread"),
            *("cv", "method_version"),
        ]
        rows = SessionMetric.objects.filter(session__player=self._player).order_by(
            "session_id", "metric", "basis"
        )
        by_pk = {session.pk: session for session in self._sessions}
        of_side = {
            pk: means_by_side(movements) for pk, movements in self._movements.items()
        }
        versions: dict[tuple[int, str, str], str] = {}

        def line(pk: int, metric: str, basis: str, values: Row, side: str) -> Row:
            return [
                by_pk[pk].session_id,
                by_pk[pk].session_date,
                metric,
                METRICS[metric].unit if metric in METRICS else None,
                rule_in_basis(basis),
                *values,
                side,
                without_setup(basis),
                by_pk[pk].condition if (own := setup_in(basis)) is None else own,
            ]

        def lines() -> Iterator[Row]:
            for row in rows.iterator():
                pk, metric, basis = row.session_id, row.metric, row.basis
                versions[pk, metric, basis] = _version(row)
                values = [getattr(row, name) for name in numbers[:-1]]
                values.append(_version(row))
                yield line(pk, metric, basis, values, side_in_files(of_side[pk]))
            for pk, sides in of_side.items():
                if len(sides) < 2:
                    continue
                for side, means in sides.items():
                    for (metric, basis), one in sorted(means.items()):
                        values = [
                            *(one.n, one.mean, one.sd, one.minimum, one.maximum),
                            *(one.median, one.robust_spread, one.cv_percent),
                            versions.get((pk, metric, basis), ""),
                        ]
                        yield line(pk, metric, basis, values, side or "unknown")

        self._csv(
            "session_metrics.csv",
            [
                *("session_id", "session_date", "metric", "unit", "event_rule"),
                *(*numbers, "side", "basis", "condition"),
            ],
            lines(),
        )

    def _swings(self) -> Iterator[tuple[Session, Movement]]:
        for session in self._sessions:
            for movement in self._movements[session.pk]:
                yield session, movement

    def _swing_tables(self) -> None:
        names = [
            *("position", "is_swing", "side", "sampling_rate_hz", "frame_count"),
            *("duration_s", "angle_unit_found", "quality_grade", "quality_reasons"),
            *("inclusion", "inclusion_reason", "method_version", "analysed_at"),
            *("missing_since", "metadata", "vendor_metrics", "condition"),
        ]
        self._csv(
            "swings.csv",
            [*_SWING, *names],
            (
                [
                    *_swing(s, m),
                    *(
                        _version(m) if name == "method_version" else getattr(m, name)
                        for name in names
                    ),
                ]
                for s, m in self._swings()
            ),
        )
        self._csv(
            "metrics.csv",
            [
                *(*_SWING, "metric", "name", "value", "unit", "reason", "flagged"),
                *("window", "method_version", "uncertainty", "confidence", "basis"),
                "text",
            ],
            (
                [
                    *_swing(s, m),
                    metric,
                    METRICS[metric].name if metric in METRICS else None,
                    # Numbers alone, so that a program reads them as such.
                    None if _is_text(entry) else entry.get("value"),
                    *(entry.get(k) for k in ("unit", "reason", "flagged")),
                    entry.get("window"),
                    _version(m),
                    entry.get("uncertainty"),
                    "low" if entry.get("flagged") else "good",
                    entry.get("basis"),
                    entry["value"] if _is_text(entry) else None,
                ]
                for s, m in self._swings()
                for metric, entry in m.metrics.items()
            ),
        )
        self._csv(
            "events.csv",
            [*_SWING, "event", "found_by", "time_s", "rule", "confidence"],
            (
                [
                    *_swing(s, m),
                    event,
                    found_by,
                    *((entry or {}).get(k) for k in ("time_s", "rule", "confidence")),
                ]
                for s, m in self._swings()
                for found_by, events in (
                    ("used", m.events),
                    ("automatic", m.automatic_events),
                )
                for event, entry in events.items()
            ),
        )

    def _written_by_people(self) -> None:
        swings = {m.pk: (s, m) for s, m in self._swings()}
        sessions = {session.pk: session for session in self._sessions}
        moved = EventCorrection.objects.filter(
            movement__session__player=self._player
        ).order_by("id")
        names = ["event", "time_s", "automatic_time_s", "reason", "created_at"]
        names += ["undone_at"]
        self._csv(
            "event_corrections.csv",
            [*_SWING, *names],
            (
                [*_swing(*swings[row.movement_id]), *(getattr(row, n) for n in names)]
                for row in moved
            ),
        )
        decided = InclusionDecision.objects.filter(
            movement__session__player=self._player
        ).order_by("id")
        names = ["inclusion", "reason", "created_at"]
        self._csv(
            "inclusion_decisions.csv",
            [*_SWING, *names],
            (
                [*_swing(*swings[row.movement_id]), *(getattr(row, n) for n in names)]
                for row in decided
            ),
        )
        dismissed = GapDismissal.objects.filter(session__in=sessions).order_by("id")
        names = ["data_state", "data_gap", "reason", "created_at", "undone_at"]
        self._csv(
            "dismissed_gaps.csv",
            ["session_id", "session_date", *names],
            (
                [
                    sessions[row.session_id].session_id,
                    sessions[row.session_id].session_date,
                    *(getattr(row, n) for n in names),
                ]
                for row in dismissed
            ),
        )
        notes = Note.objects.filter(
            Q(session__player=self._player) | Q(player=self._player)
        ).order_by("id")

        def about(note: Note) -> Row:
            """The session and movement of a note; nothing for one on the athlete."""
            session = sessions.get(note.session_id or 0)
            swing = swings.get(note.movement_id or 0)
            return [
                session.session_id if session else None,
                session.session_date if session else None,
                swing[1].org_movement_id if swing else None,
            ]

        names = ["text", "on_sheet", "created_at", "edited_at"]
        self._csv(
            "notes.csv",
            ["session_id", "session_date", "org_movement_id", *names],
            ([*about(note), *(getattr(note, n) for n in names)] for note in notes),
        )
        names = ["metric", "unit", "low", "high", "by", "condition", "note"]
        goals = Goal.objects.filter(player=self._player).order_by("id")
        self._csv(
            "goals.csv",
            [*names, "created_at", "ended_at"],
            (
                [
                    goal.metric,
                    METRICS[goal.metric].unit if goal.metric in METRICS else None,
                    *(getattr(goal, n) for n in names[2:]),
                    goal.created_at,
                    goal.ended_at,
                ]
                for goal in goals
            ),
        )
        levels = self._player.levels.select_related("level").order_by("since")
        self._csv(
            "levels.csv", ["level", "since"], ([r.level, r.since] for r in levels)
        )
        tags: list[Row] = [
            ["athlete", None, tag.name]
            for tag in Tag.objects.filter(players=self._player)
        ]
        tags += [
            ["session", session_id, name]
            for name, session_id in Tag.objects.filter(
                sessions__player=self._player
            ).values_list("name", "sessions__session_id")
            if session_id in {session.session_id for session in self._sessions}
        ]
        self._csv("tags.csv", ["of", "session_id", "tag"], tags)

    def _definitions(self) -> None:
        metrics = [dataclasses.asdict(item) for item in METRICS.values()]
        series = [dataclasses.asdict(item) for item in SERIES.values()]
        self._json("definitions/metrics.json", metrics)
        self._json("definitions/curves.json", series)
        self._csv(
            "definitions/metrics.csv",
            list(metrics[0]),
            ([*m.values()] for m in metrics),
        )

    # Frames

    # The vendor's own words

    def _vendor(self) -> None:
        """The last JSON of the vendor about the athlete, nobody else's in it."""
        ids = {
            text
            for each in self._records
            for text in (each.org_player_id, each.reboot_player_id)
        } - {""}
        sessions = [session.session_id for session in self._sessions]
        payloads = list(
            RawPayload.objects.filter(
                kind=RawPayload.Kind.PLAYER,
                vendor_id__in=[each.org_player_id for each in self._records],
            )
        )
        for start in range(0, len(sessions), 500):
            payloads += RawPayload.objects.filter(
                kind__in=[RawPayload.Kind.SESSION, RawPayload.Kind.SESSION_DETAIL],
                vendor_id__in=sessions[start : start + 500],
            ).order_by("vendor_id", "kind")
        self._json(
            "vendor/payloads.json",
            (
                {
                    "kind": row.kind,
                    "vendor_id": row.vendor_id,
                    "fetched_at": row.fetched_at,
                    "payload": only_of(row.payload, ids),
                }
                for row in payloads
            ),
        )

    def _readme(self) -> str:
        player = self._player
        swings = sum(len(found) for found in self._movements.values())
        return README.format(
            name=player.full_name,
            org_player_id=player.org_player_id,
            reboot_player_id=player.reboot_player_id or "none",
            sessions=len(self._sessions),
            swings=swings,
            made_at=timezone.now().isoformat(timespec="seconds"),
            version=METHOD_VERSION,
        )


_SWING = ("session_id", "session_date", "org_movement_id")


def _swing(session: Session, movement: Movement) -> tuple[Any, ...]:
    return session.session_id, session.session_date, movement.org_movement_id


def _cell(value: Any) -> Any:
    """Return a value as a CSV cell; no spreadsheet runs its text as a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, list | dict | tuple):
        value = json.dumps(
            value, ensure_ascii=False, allow_nan=False, cls=DjangoJSONEncoder
        )
    elif hasattr(value, "isoformat"):
        value = value.isoformat()
    return cell(str(value))


def only_of(payload: Any, ids: set[str]) -> Any:
    """Return a payload of the vendor without the entries of other people."""
    if isinstance(payload, dict):
        return {
            key: [item for item in value if item in ids]
            if key == "participant_ids" and isinstance(value, list)
            else only_of(value, ids)
            for key, value in payload.items()
        }
    if isinstance(payload, list):
        return [
            only_of(item, ids)
            for item in payload
            if not isinstance(item, dict)
            or "org_player_id" not in item
            or item["org_player_id"] in ids
        ]
    return payload


def _version(row: Movement | SessionMetric) -> str:
    """The method's version, with a letter: as a number 2026.10 would be 2026.1."""
    return f"v{row.method_version}" if row.method_version else ""


def _is_text(entry: Mapping[str, Any]) -> bool:
    """Whether the value of a metric is a text and no number."""
    return isinstance(entry.get("value"), str)


README = """\
Stored data about {name}
===========================

Created {made_at}. Organization ID of the athlete: {org_player_id}; Reboot Motion ID:
{reboot_player_id}. Sessions: {sessions}. Movements: {swings}.

Tables (CSV, UTF-8, one header line; an empty cell is a missing value)
  athlete.csv              the athlete's profile
  merged_records.csv       profiles of other Reboot Motion records merged into this
                           athlete, if any
  sessions.csv             one line per session, with Reboot Motion's session_id, the
                           setup (column condition) and the folder of its frames
  session_metrics.csv      average and spread of each number in a session; side is
                           the batting side of the swings; where it is "both", lines
                           for each side follow at the end
  swings.csv               one line per recorded movement: what was found, its
                           quality with the reasons, and whether it is included
  metrics.csv              one line per movement and metric: value, unit, and the
                           reason where there is no value; text values, such as the
                           kinematic sequence, are in the column text
  events.csv               events found in each movement, with the rule; "used" is
                           what the numbers are timed from, "automatic" what was
                           found before a coach moved an event
  event_corrections.csv    events that a coach moved
  inclusion_decisions.csv  movements that a coach included or excluded
  dismissed_gaps.csv       missing data that needs no attention, and why
  notes.csv, tags.csv,
  goals.csv, levels.csv    what coaches wrote; this archive does not say who

  Text that a spreadsheet program would run as a formula begins with an apostrophe.

Frames (Parquet)
  frames/SESSION/inverse-kinematics.parquet and momentum-energy.parquet hold the
  motion as Reboot Motion delivered it: its columns, its names, its units. All movements
  of a session are in one file, one after the other; archive_org_movement_id,
  archive_position and archive_frame say which row is which. curves.parquet holds the
  curves computed from them. Numbers are 32-bit, clocks and counts 64-bit floats; NaN
  is a gap in the file, an empty value a column that the movement's file did not have.
  frames/index.csv lists every column of every file with its name here, its unit where
  it is known, and its type.

    import pandas
    frames = pandas.read_parquet("frames/.../inverse-kinematics.parquet")
    metrics = pandas.read_csv("metrics.csv")

Definitions
  definitions/ says what each number and each curve means: in words, as a formula, its
  unit, window and source. Method version: v{version}; each value names its own.

Everything else
  records/ holds each stored row of each table, as JSON. vendor/payloads.json holds the
  last answers of Reboot Motion about this athlete and these sessions, without what they
  say of other people.
"""
