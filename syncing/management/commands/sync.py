"""Runs one whole sync in the foreground, without any worker."""

from __future__ import annotations

import json
import signal
import sys
from argparse import ArgumentTypeError
from datetime import date, datetime
from types import FrameType
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, Error

from syncing import clock, services
from syncing.choices import Phase, RunStatus, SyncType, Trigger
from syncing.engine import runs
from syncing.models import SyncLog, empty_counts
from syncing.outages import outage_of

EXIT_STATUS = {"success": 0, "partial": 1, "failed": 2}


class Command(BaseCommand):
    """Runs one whole sync, and ends with a status that says how it went."""

    help = (
        "Import athletes, sessions and swings from Reboot Motion. Exit status: 0 "
        "complete, 1 with parts missing, 2 failed before doing anything useful."
    )

    # A wrong setting ends in a message and exit status 2 of our own.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Define what to look at, and whether to print JSON."""
        parser.add_argument(
            "--full",
            action="store_true",
            help="full resync: check everything, and mark what Reboot Motion no longer "
            "lists",
        )
        parser.add_argument(
            "--since",
            type=_day,
            metavar="YYYY-MM-DD",
            help="only sessions Reboot Motion changed since that date",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            dest="as_json",
            help="the last line of standard output is the outcome as JSON",
        )
        parser.add_argument(
            "--accept-removals",
            action="store_true",
            help="with --full: accept a list that is missing much of what is stored",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the sync, print what went wrong, and exit with its status."""
        if options["full"] and options["since"]:
            raise CommandError(
                "Give either --full or --since: a full sync checks everything.",
                returncode=2,
            )
        self._last_line = ""
        log = self._open(options)
        if log is None:
            self._end("failed", None, options["as_json"])
        assert log is not None  # noqa: S101 - _end does not return
        # A plain stop signal would end the process without a word in the run.
        signal.signal(signal.SIGTERM, _stop)
        try:
            log = services.run_sync(
                log_id=log.pk,
                accept_removals=options["accept_removals"],
                on_progress=self._show,
            )
        except KeyboardInterrupt:
            log.refresh_from_db()
        except SystemExit:
            log.refresh_from_db()
            self._report(log)
            raise
        except (Error, OSError) as error:
            # So bad that not even the end of the run could be written down.
            self._refuse(error, options["as_json"])
        self._report(log)
        self._end(_word(log), log, options["as_json"])

    def _open(self, options: dict[str, Any]) -> SyncLog | None:
        """Return a run to do here; None when another one is under way."""
        sync_type = SyncType.INCREMENTAL
        if options["full"]:
            sync_type = SyncType.FULL
        elif options["since"]:
            sync_type = SyncType.SINCE
        try:
            log, is_new = runs.open_run(
                trigger=Trigger.COMMAND, sync_type=sync_type, since=options["since"]
            )
        except (Error, OSError) as error:
            self._refuse(error, options["as_json"])
        if is_new or log.status == RunStatus.QUEUED:
            # A run that waits for a worker is done here and now.
            return log
        age_s = (clock.now() - (log.heartbeat_at or log.created_at)).total_seconds()
        self.stderr.write(
            f"Another sync (run {log.pk}) is running on {log.host or 'a worker'}; its "
            f"last heartbeat was {age_s:.0f} s ago. Wait for it, or cancel it on the "
            "Syncing page."
        )
        return None

    def _refuse(self, error: Exception, as_json: bool) -> NoReturn:
        """End with 2 because disk or database cannot be used."""
        outage = outage_of(error)
        if outage is not None:
            message, code, hint = outage.message, outage.code, outage.hint
        elif isinstance(error, DatabaseError):
            message = f"The database cannot be used ({type(error).__name__})."
            code, hint = "database", "Check DATABASE_URL, and run manage.py migrate."
        else:
            raise error
        if as_json:
            self.stdout.write(json.dumps(failure(message, code, hint=hint)))
        raise CommandError(f"{message} {hint}", returncode=2) from error

    def _show(self, log: SyncLog) -> None:
        entry = log.progress.get(log.phase)
        if entry is None:
            return
        total = f" of {entry['total']}" if entry["total"] is not None else ""
        line = f"{Phase(log.phase).label}: {entry['done']}{total}"
        if line != self._last_line:
            self._last_line = line
            self.stderr.write(line)

    def _report(self, log: SyncLog) -> None:
        for error in log.errors[:20]:
            self.stderr.write(
                f"{error['what']} ({error['object']}): {error['message']} "
                f"{error['hint']}"
            )
        if (log.error_message and not log.errors) or log.status in {
            RunStatus.FAILED,
            RunStatus.CANCELLED,
        }:
            self.stderr.write(log.error_message)
        parts = ", ".join(
            f"{kind}: {counts.get('created', 0)} new, {counts.get('updated', 0)} "
            f"changed, {counts.get('failed', 0)} failed"
            for kind, counts in log.counts.items()
        )
        self.stderr.write(f"Run {log.pk} {log.get_status_display().lower()}. {parts}.")

    def _end(self, status: str, log: SyncLog | None, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(outcome(status, log), allow_nan=False))
        if EXIT_STATUS[status]:
            sys.exit(EXIT_STATUS[status])


def outcome(status: str, log: SyncLog | None) -> dict[str, Any]:
    """Return the JSON of the last line, as other programs know it."""
    if log is None:
        return failure(
            "Another sync is running.",
            "already_running",
            hint="Wait for it, or cancel it on the Syncing page.",
        )
    errors = list(log.errors)
    if log.error_message and not errors:
        errors.append(
            {
                "what": "Sync",
                "object": f"run {log.pk}",
                "message": log.error_message,
                "hint": "",
                "code": log.error_class,
            }
        )
    return {
        "status": status,
        "run": log.pk,
        **log.counts,
        "requests": log.requests,
        "errors": errors,
    }


def failure(message: str, code: str, *, hint: str = "") -> dict[str, Any]:
    """Return the JSON for a run that could not begin."""
    error = {
        "what": "Starting the sync",
        "object": "",
        "message": message,
        "hint": hint,
        "code": code,
    }
    return {
        "status": "failed",
        "run": None,
        **empty_counts(),
        "requests": 0,
        "errors": [error],
    }


def _word(log: SyncLog) -> str:
    """Return the outcome in the three words of the contract."""
    if log.status == RunStatus.SUCCESS:
        return "success"
    return "failed" if log.status == RunStatus.FAILED else "partial"


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day only
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is not a date written as YYYY-MM-DD"
        ) from None


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
