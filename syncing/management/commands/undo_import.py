"""Undoes an upload of export files by hand."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from athletes.models import HandUpload
from syncing.people_added import UndoRefusedError
from syncing.undoing import undo


class Command(BaseCommand):
    """Undoes one upload as a whole."""

    help = (
        "Undoes one upload: what it added is removed, what it replaced comes back. "
        "Data that a later upload or sync also brought stay."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define which import, and whether people's additions go too."""
        parser.add_argument("number", type=int, help="as import_export printed it")
        parser.add_argument(
            "--with-added",
            action="store_true",
            help="also remove what coaches have added: notes, decisions, tags",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Undo the import, and print what was done."""
        upload = HandUpload.objects.filter(pk=options["number"]).first()
        if upload is None:
            raise CommandError(f"There is no import {options['number']}.")
        try:
            plan = undo(upload=upload, by=None, with_added=options["with_added"])
        except UndoRefusedError as error:
            hint = " With --with-added it goes too." if error.is_about_additions else ""
            raise CommandError(f"{error} Nothing was undone.{hint}") from error
        self.stdout.write("Undone: " + ", ".join(plan.lines) + ".")
        for kept in plan.kept:
            self.stdout.write(f"Kept: {kept}.")
