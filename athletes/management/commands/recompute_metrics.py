"""The command that computes numbers again from stored frames, without a download."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Exists, OuterRef

from athletes.analysis import peer_numbers, run, summaries
from athletes.models import Movement, Player, Session
from biomechanics.definitions import METHOD_VERSION

# Sessions after which the athletes' summaries are brought up to date.
_SESSIONS_AT_ONCE = 50


class Command(BaseCommand):
    """The command `recompute_metrics`."""

    help = (
        "Recompute the numbers of movements from their stored frames: those from an "
        "older method version, or all of them with --force. It can be stopped at any "
        "time and continues where it left off."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Define the options of the command."""
        parser.add_argument(
            "--player", type=int, metavar="ID", help="only sessions of this athlete"
        )
        parser.add_argument(
            "--session",
            type=int,
            metavar="ID",
            help="only this session (by its ID here)",
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="also movements whose numbers are up to date",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Compute the numbers of the chosen sessions again."""
        force = bool(options["force"])
        sessions = Session.objects.order_by("pk")
        if options["player"] is not None:
            if not Player.objects.filter(pk=options["player"]).exists():
                raise CommandError(f"There is no athlete {options['player']}.")
            sessions = sessions.filter(player_id=options["player"])
        if options["session"] is not None:
            sessions = sessions.filter(pk=options["session"])
            if not sessions.exists():
                raise CommandError(f"There is no session {options['session']}.")
        due = Movement.objects.filter(session=OuterRef("pk"))
        if not force:
            due = due.exclude(method_version=METHOD_VERSION)
        rows = list(sessions.filter(Exists(due)).values_list("pk", "player_id"))
        counts = self._recompute(rows, force=force)
        if options["player"] is None and options["session"] is None:
            peer_numbers.rebuild()
        self.stdout.write(
            f"Method {METHOD_VERSION}: {counts.analyzed} movements of {len(rows)} "
            f"sessions computed, {counts.failed} failed."
        )
        if counts.failed:
            raise CommandError(
                f"{counts.failed} movements could not be analyzed. Their pages and the "
                "log say why.",
                returncode=1,
            )

    def _recompute(
        self, rows: list[tuple[int, int]], *, force: bool
    ) -> run.AnalysisCounts:
        """Analyze session by session; returns how many movements were computed.

        So memory stays small, and stopping loses little.
        """
        counts = run.AnalysisCounts()
        players: set[int] = set()
        started = time.monotonic()
        try:
            for place, (session_pk, player_id) in enumerate(rows, start=1):
                counts += run.analyze_session(session_pk, force=force)
                players.add(player_id)
                if place % _SESSIONS_AT_ONCE == 0:
                    summaries.refresh_player_summaries(players)
                    players.clear()
                self._say(place, len(rows), counts, time.monotonic() - started)
        except KeyboardInterrupt as stop:
            raise CommandError(
                f"Stopped after {counts.analyzed} movements. Run it again to continue"
                + ("; with --force it starts over." if force else "."),
                returncode=130,
            ) from stop
        finally:
            # Also when stopped: lists then show what is computed.
            summaries.refresh_player_summaries(players)
        return counts

    def _say(
        self,
        place: int,
        total: int,
        counts: run.AnalysisCounts,
        passed_s: float,
    ) -> None:
        """Show how far the command is, and about how long it still takes."""
        remaining_s = passed_s / place * (total - place)
        line = (
            f"{place} of {total} sessions, {counts.analyzed} movements, "
            f"about {remaining_s:.0f} s left"
        )
        # On a terminal one line that changes; in a log a line now and then.
        if self.stderr.isatty():
            end = "\n" if place == total else ""
            self.stderr.write(f"\r{line:<70}", ending=end)
            self.stderr.flush()
        elif place == total or place % _SESSIONS_AT_ONCE == 0:
            self.stderr.write(line)
