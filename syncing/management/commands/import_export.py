"""Stores export files that a person downloaded from Reboot Motion."""

from __future__ import annotations

import contextlib
import datetime as dt
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from syncing.choices import Trigger
from syncing.imports import GivenFile, ImportRefusedError, import_files


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
            "--date",
            type=dt.date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="date of a session that no sync has brought yet",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Store the files, and print how many movements are new."""
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
                    trigger=Trigger.COMMAND,
                )
            except ImportRefusedError as error:
                raise CommandError(f"{error} Nothing was stored.") from error
        for repair in result.repairs:
            self.stderr.write(f"Repaired: {repair}")
        self.stdout.write(
            f"{result.movements} movements: {result.created} new, {result.updated} "
            f"changed, {result.unchanged} as before."
        )
