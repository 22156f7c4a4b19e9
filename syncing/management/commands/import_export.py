"""Stores export files that a person downloaded from Reboot Motion."""

from __future__ import annotations

import contextlib
import datetime as dt
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from syncing.choices import Trigger
from syncing.imports import GivenFile, ImportRefusedError, NewAthlete, import_files


class Command(BaseCommand):
    """Stores export files of one athlete's session."""

    help = (
        "Stores export files (CSV, CSV.gz, Parquet) of one athlete's session, through "
        "the same reader as the sync. A wrong file is refused before anything is "
        "written; the same file twice changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define the files and whose they are."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--player", required=True, metavar="ORG_PLAYER_ID")
        parser.add_argument("--session", required=True, metavar="SESSION_ID")
        parser.add_argument(
            "--new-athlete",
            metavar="NAME",
            help="first and last name of an athlete not synced yet; without it, an "
            "unknown ID is refused",
        )
        parser.add_argument(
            "--birth-date",
            type=dt.date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="birth date of the new athlete",
        )
        parser.add_argument(
            "--date",
            type=dt.date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="date of a session not synced yet",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Store the files, and print how many movements are new."""
        new_athlete = _new_athlete(options["new_athlete"], options["birth_date"])
        with contextlib.ExitStack() as stack:
            files = []
            for path in options["files"]:
                try:
                    file = stack.enter_context(path.open("rb"))
                except OSError as error:
                    raise CommandError(
                        f"{path}: {error.strerror}. Nothing was stored."
                    ) from error
                files.append(GivenFile(path.name, file))
            try:
                result = import_files(
                    files,
                    org_player_id=options["player"],
                    session_id=options["session"],
                    session_date=options["date"],
                    new_athlete=new_athlete,
                    trigger=Trigger.COMMAND,
                )
            except ImportRefusedError as error:
                raise CommandError(f"{error} Nothing was stored.") from error
        for warning in result.warnings:
            self.stderr.write(f"Check this: {warning}")
        for repair in result.repairs:
            self.stderr.write(f"Repaired: {repair}")
        self.stdout.write(
            f"{result.movements} movements: {result.created} new, {result.updated} "
            f"changed, {result.unchanged} as before. To undo it: manage.py "
            f"undo_import {result.upload.pk}"
        )


def _new_athlete(name: str | None, born: dt.date | None) -> NewAthlete | None:
    """Return the athlete of a name such as "First Last" or "Last, First"."""
    if name is None:
        if born is not None:
            raise CommandError("--birth-date is for a new athlete: add --new-athlete.")
        return None
    if "," in name:
        last, _, first = name.partition(",")
    else:
        first, _, last = name.strip().partition(" ")
    if not (first.strip() and last.strip()):
        raise CommandError(
            'Give --new-athlete a first and a last name, such as "Ash Maple".'
        )
    return NewAthlete(first.strip(), last.strip(), born)
