"""Queries of runs and export jobs that can be chained."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q

from syncing.choices import ACTIVE_RUNS, OPEN_STATES, JobState, RunKind

if TYPE_CHECKING:
    from syncing.models import AnalysisJob, ExportJob, SyncLog  # noqa: F401

#: Tries at computing the numbers of one session.
ANALYSIS_ATTEMPTS = 6
#: States of settled jobs that have another try, once their time has come.
_TRIED_AGAIN = (JobState.FAILED, JobState.NO_DATA, JobState.GIVEN_UP)


class SyncLogQuerySet(models.QuerySet["SyncLog"]):
    """Queries of runs."""

    def active(self) -> SyncLogQuerySet:
        """Runs that are queued or running."""
        return self.filter(status__in=ACTIVE_RUNS)

    def of_vendor(self) -> SyncLogQuerySet:
        """Runs that talk to the vendor."""
        return self.filter(kind=RunKind.VENDOR)


def _is_unclaimed(now: datetime) -> Q:
    """Nobody holds the row, or its holder stopped renewing the lease."""
    return Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)


class AnalysisJobQuerySet(models.QuerySet["AnalysisJob"]):
    """Queries of sessions whose numbers are computed from stored frames."""

    def outdated(self) -> AnalysisJobQuerySet:
        """Sessions with frames that are newer than their numbers."""
        return self.filter(wanted__gt=F("done"))

    def to_do(self) -> AnalysisJobQuerySet:
        """Outdated sessions that were not tried too often."""
        return self.outdated().filter(attempts__lt=ANALYSIS_ATTEMPTS)

    def unclaimed(self, now: datetime) -> AnalysisJobQuerySet:
        """Sessions whose numbers nobody computes."""
        return self.filter(_is_unclaimed(now))

    def left_behind(self, now: datetime) -> AnalysisJobQuerySet:
        """Sessions left to do by a worker that died, or gave them back.

        Those that failed are not: they are left to the next sync.
        """
        return self.to_do().filter(last_error="").unclaimed(now)


class ExportJobQuerySet(models.QuerySet["ExportJob"]):
    """Queries of export jobs."""

    def unclaimed(self, now: datetime) -> ExportJobQuerySet:
        """Jobs that nobody holds, or whose holder stopped renewing its lease."""
        return self.filter(_is_unclaimed(now))

    def due(self, now: datetime) -> ExportJobQuerySet:
        """Jobs whose next try has come, whoever holds them."""
        return self.filter(
            state__in=[*OPEN_STATES, *_TRIED_AGAIN], next_try_at__lte=now
        ).filter(session__missing_since__isnull=True)

    def waiting(self) -> ExportJobQuerySet:
        """Jobs on their way to the vendor or from it."""
        return self.filter(state__in=OPEN_STATES)

    def broken(self) -> ExportJobQuerySet:
        """Jobs that failed, to be tried again or given up.

        What the vendor no longer lists is not tried, and nobody has to act on it.
        """
        return self.filter(
            state__in=[JobState.FAILED, JobState.GIVEN_UP],
            session__missing_since__isnull=True,
        )
