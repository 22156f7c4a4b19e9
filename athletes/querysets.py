"""Questions about rows that can be chained, for use by every other module."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, When

from athletes import names

if TYPE_CHECKING:
    from athletes.models import (  # noqa: F401
        BiomechanicsData,
        DuplicatePair,
        Movement,
        Player,
        SameRecording,
        Session,
    )


_MOST_NEARLY_NAMED = 50
#: Words of a search that are looked for: a database takes no condition of thousands.
_MOST_WORDS = 10


class PlayerQuerySet(models.QuerySet["Player"]):
    """Questions about athletes."""

    def named_like(self, text: str) -> PlayerQuerySet:
        """Athletes whose name contains every word of `text`, in any order.

        Accents, capitals, apostrophes and punctuation do not matter (`athletes.names`).
        """
        matching = self
        for word in names.search_words(text)[:_MOST_WORDS]:
            matching = matching.filter(search_text__contains=word)
        return matching

    def nearly_named(self, text: str) -> PlayerQuerySet:
        """Athletes whose name is `text` but for a typing error or two in each word.

        The 50 with the fewest `errors`, which each row has. Reads the names at once,
        for a search that found nobody by `named_like`.
        """
        words = names.search_words(text)[:_MOST_WORDS]
        near = self if words else self.none()
        for word in words:
            left = (
                Q(search_text__contains=part)
                for part in names.parts_left_by_errors(word)
            )
            near = near.filter(reduce(or_, left))
        errors_of = names.errors_counter(words)
        found: list[tuple[int, int]] = []
        closest = 0
        for pk, searched in near.order_by().values_list("pk", "search_text").iterator():
            errors = errors_of(searched)
            if errors is None:
                continue
            found.append((errors, pk))
            # Nobody can be closer than by one error.
            closest += errors <= 1
            if closest == _MOST_NEARLY_NAMED:
                break
        best = sorted(found)[:_MOST_NEARLY_NAMED]
        count = Case(
            *(
                When(
                    pk__in=[pk for errors, pk in best if errors == number], then=number
                )
                for number in {errors for errors, _ in best}
            ),
            default=0,
        )
        return self.filter(pk__in=[pk for _, pk in best]).annotate(errors=count)

    def found_by_name(self, text: str) -> PlayerQuerySet:
        """Athletes of that name, or else those who are nearly so named; one query."""
        matching = self.named_like(text)
        return matching if matching.exists() else self.nearly_named(text)

    def in_name_order(self) -> PlayerQuerySet:
        """The athletes by last name, first name and key."""
        return self.order_by("last_name", "first_name", "id")


class PlayerManager(models.Manager["Player"].from_queryset(PlayerQuerySet)):  # type: ignore[misc]
    """Athletes without the records that were merged into another one."""

    def get_queryset(self) -> PlayerQuerySet:
        """Return the athletes without the records that were merged into another one."""
        players: PlayerQuerySet = super().get_queryset()
        return players.filter(merged_into__isnull=True)


def of_present_session(path: str = "") -> Q:
    """The condition that a session is shown, and that the vendor still has it.

    The one place that says so: lists, counts, averages, percentiles and files ask
    here. `path` leads from the rows that are asked for to their session, such as
    `session__`. A row that shows the parts of several records of one athlete is there
    as long as the vendor has one of them.
    """
    parts = apps.get_model("athletes", "Session")._base_manager
    others = parts.filter(folded_into=OuterRef(f"{path}pk"), missing_since__isnull=True)
    return Q(**{f"{path}folded_into__isnull": True}) & (
        Q(**{f"{path}missing_since__isnull": True}) | Q(Exists(others))
    )


class SessionQuerySet(models.QuerySet["Session"]):
    """Questions about sessions."""

    def present(self) -> SessionQuerySet:
        """The sessions that are shown and that the vendor still has."""
        return self.filter(of_present_session())

    def needing_care(self) -> SessionQuerySet:
        """The sessions whose data failed or are partly here, and not dismissed so.

        What the vendor no longer has needs nobody's care.
        """
        dismissals = apps.get_model("athletes", "GapDismissal")._base_manager
        dismissed = dismissals.filter(
            session=OuterRef("pk"),
            undone_at__isnull=True,
            data_state=OuterRef("data_state"),
            data_gap=OuterRef("data_gap"),
        )
        return self.present().filter(
            ~Exists(dismissed), data_state__in=["failed", "partial"]
        )

    def of_setup(self, setup: str) -> SessionQuerySet:
        """The sessions with a swing of a setup; empty is none recorded.

        A swing has its session's setup unless its own was recorded. A session without
        swings yet has the setup that is stated for it.
        """
        swings = (
            apps.get_model("athletes", "Movement")
            .objects.present()
            .filter(session=OuterRef("pk"), is_swing=True)
        )
        return self.filter(
            Q(condition=setup)
            & (Exists(swings.filter(condition=None)) | ~Exists(swings))
            | Exists(swings.filter(condition=setup))
        )

    def newest_first(self) -> SessionQuerySet:
        """The sessions by day, latest first; those without a day come last."""
        return self.order_by(models.F("session_date").desc(nulls_last=True), "-id")


class MovementQuerySet(models.QuerySet["Movement"]):
    """Questions about movements."""

    def present(self) -> MovementQuerySet:
        """The movements that the vendor still sends (athletes.frames.presence).

        Gone ones are kept to look at, and are in no count, average or file.
        """
        return self.filter(missing_since__isnull=True)

    def in_session_order(self) -> MovementQuerySet:
        """The movements by session, and in a session as they were recorded."""
        return self.order_by("session_id", "position", "id")

    def of_part(self, session_pk: int) -> MovementQuerySet:
        """Movements that come from the vendor's files of one session row.

        Movements of another record's part that this row shows are not among them
        (athletes.identity.session_parts); those of a folded row are, although another
        row shows them.
        """
        return self.of_parts([session_pk])

    def of_parts(self, session_pks: Iterable[int]) -> MovementQuerySet:
        """Movements that come from the vendor's files of these session rows."""
        pks = list(session_pks)
        own = Q(session_id__in=pks, folded_from__isnull=True)
        return self.filter(own | Q(folded_from_id__in=pks))


class BiomechanicsDataQuerySet(models.QuerySet["BiomechanicsData"]):
    """Questions about stored frames; `frames` is never loaded by accident."""

    def without_frames(self) -> BiomechanicsDataQuerySet:
        """The rows without their frames, which may be megabytes each."""
        return self.defer("frames")


class DuplicatePairQuerySet(models.QuerySet["DuplicatePair"]):
    """Questions about pairs of records that may be one athlete."""

    def of_separate(self) -> DuplicatePairQuerySet:
        """Pairs of which neither record is merged into another one."""
        return self.filter(
            first__merged_into__isnull=True, second__merged_into__isnull=True
        )

    def waiting(self) -> DuplicatePairQuerySet:
        """Pairs about which nobody has decided yet."""
        return self.of_separate().filter(dismissed_at__isnull=True)


class SameRecordingQuerySet(models.QuerySet["SameRecording"]):
    """Questions about recordings that are here under two sessions."""

    def of_session(self, session_pk: int) -> SameRecordingQuerySet:
        """Pairs of which a session is one."""
        return self.filter(
            models.Q(session_id=session_pk) | models.Q(other_id=session_pk)
        )

    def waiting(self) -> SameRecordingQuerySet:
        """Pairs about which nobody has decided yet."""
        return self.filter(decided_at__isnull=True)

    def of_present(self) -> SameRecordingQuerySet:
        """Pairs of which the vendor still has both sessions."""
        return self.filter(
            session__missing_since__isnull=True, other__missing_since__isnull=True
        )
