"""The command that writes what the JSON API sends into a file, without a server."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser
from ninja.errors import HttpError

from accounts.audit import record
from accounts.models import Action, ApiToken, Team
from athletes.access import visible_movements
from athletes.api import lists, metrics_table
from athletes.api.exports import metrics_export
from athletes.api.following import moment
from athletes.api.rows import Row
from athletes.api.session_frames import (
    SessionData,
    UnknownColumnsError,
    session_frames,
)
from athletes.models import Session

_LISTS: dict[str, Callable[..., Row]] = {
    "players": lists.player_changes,
    "sessions": lists.session_changes,
    "movements": lists.movement_changes,
}
_PAGE = 1000


class Command(BaseCommand):
    """The command `export`."""

    help = (
        "Write what the JSON API sends into a file: `metrics` (one row per swing, CSV "
        "or Parquet), `frames` (of one session), or `players`, `sessions`, "
        "`movements` (one JSON object per line). The last line on stdout is a cursor "
        "for the next export: pass it to --cursor."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options of the command."""
        parser.add_argument("what", choices=("metrics", "frames", *_LISTS))
        parser.add_argument(
            "file", type=Path, help="file to write; replaced if it exists"
        )
        parser.add_argument("--format", choices=("csv", "parquet"))
        parser.add_argument("--metrics", default="", help="comma-separated IDs")
        parser.add_argument(
            "--columns", default="", help="comma-separated frame columns"
        )
        parser.add_argument(
            "--data-type",
            choices=[kind.value for kind in SessionData],
            default=SessionData.INVERSE_KINEMATICS.value,
        )
        parser.add_argument(
            "--player", type=int, metavar="ID", help="ID in this dashboard"
        )
        parser.add_argument(
            "--session", type=int, metavar="ID", help="ID in this dashboard"
        )
        parser.add_argument("--start-date", type=dt.date.fromisoformat, metavar="DAY")
        parser.add_argument("--end-date", type=dt.date.fromisoformat, metavar="DAY")
        parser.add_argument("--updated-since", default="", metavar="TIME")
        parser.add_argument(
            "--cursor", default="", help="the cursor printed by the last export"
        )
        parser.add_argument("--team", help="only what a token for this team can see")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file and print where to go on."""
        caller = ApiToken(team=_team(options["team"]))
        try:
            since = moment(options["updated_since"])
            with _replaced(options["file"]) as file:
                following = self._write(caller, since, file, options)
        except (HttpError, ValueError) as error:
            raise CommandError(str(error), returncode=2) from error
        record(
            Action.DATA_EXPORTED,
            by=None,
            player_id=options["player"],
            data_type=options["what"],
        )
        if following:
            self.stdout.write(following)

    def _write(
        self, caller: ApiToken, since: Any, file: BinaryIO, options: dict[str, Any]
    ) -> str:
        """Write what is asked for, and return where to go on; empty for frames."""
        what = options["what"]
        if what == "frames":
            _write_frames(caller, Path(file.name), options)
            return ""
        place = {"updated_since": since, "cursor": options["cursor"]}
        days = {name: options[name] for name in ("start_date", "end_date")}
        of_session = {"player_id": options["player"], "session": options["session"]}
        if what == "metrics":
            names = lists.chosen_metrics(options["metrics"])
            table = metrics_export(caller, names=names, **of_session, **days, **place)
            is_csv = _format(options) == "csv"
            write = metrics_table.csv_pieces if is_csv else metrics_table.parquet_pieces
            for piece in write(table):
                file.write(piece)
            return table.facts["next"]
        ask = _LISTS[what]
        chosen: dict[str, Any] = {}
        if what == "sessions":
            chosen = {"player_id": options["player"], **days}
        elif what == "movements":
            chosen = {"metrics": options["metrics"], **of_session}
        while True:
            page = ask(caller, limit=_PAGE, **chosen, **place)
            for row in page[what]:
                file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            place["cursor"] = page["next"]
            if not page["more"]:
                return str(page["next"])


def _write_frames(caller: ApiToken, path: Path, options: dict[str, Any]) -> None:
    session = Session.objects.filter(pk=options["session"]).first()
    if session is None:
        raise ValueError("Give the session by its ID here: --session ID.")
    wanted = [name for name in map(str.strip, options["columns"].split(",")) if name]
    movements = visible_movements(caller).filter(session=session)
    try:
        frames = session_frames(movements, SessionData(options["data_type"]), wanted)
    except UnknownColumnsError as error:
        raise ValueError(f"Not in these frames: {error}.") from error
    if not frames.parts:
        raise ValueError("No such frames are stored for this session.")
    is_csv = _format(options) == "csv"
    (frames.write_csv if is_csv else frames.write_parquet)(path)


def _format(options: dict[str, Any]) -> str:
    """The format that was named, or that of the file's name."""
    named = options["format"] or options["file"].suffix.lstrip(".").lower()
    return "csv" if named == "csv" else "parquet"


def _team(name: str | None) -> Team | None:
    if name is None:
        return None
    team = Team.objects.filter(name=name).first()
    if team is None:
        raise CommandError(f"There is no team {name!r}.", returncode=2)
    return team


@contextmanager
def _replaced(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` when it is whole, for its owner alone."""
    unfinished = path.with_name(f"{path.name}.part")
    try:
        unfinished.touch(mode=0o600)
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(path)
    except OSError as error:
        raise CommandError(
            f"{path} cannot be written: {error}.", returncode=2
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
