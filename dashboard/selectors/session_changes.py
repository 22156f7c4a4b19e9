"""What changed in a session, as its page tells it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.text import capfirst

from athletes.analysis.changes import MetricChange, session_changes
from athletes.analysis.history import histories
from athletes.analysis.usual_scatter import Facility
from athletes.models import Session
from athletes.querysets import SessionQuerySet
from biomechanics.definitions import NUMERIC_HEADLINES
from dashboard.selectors.changes import ChangeSentence, change_sentences, setup_note
from dashboard.selectors.session_groups import setup_key
from dashboard.selectors.session_page import APART, TOGETHER


@dataclass(frozen=True)
class SideChanges:
    """What changed in the session, of a switch hitter from one side.

    `label` names the side, and is empty where there is one alone.
    """

    label: str
    changes: tuple[MetricChange, ...]
    findings: tuple[ChangeSentence, ...]

    @property
    def setup_note(self) -> str:
        """What is said where the session has no setup and is compared all the same."""
        return setup_note(self.changes)


def changes_by_side(
    session: Session,
    siblings: SessionQuerySet,
    side: str,
    *,
    system: str,
    setup: str = APART,
) -> tuple[SideChanges, ...]:
    """What changed, a part for each side and setup shown; at most five queries.

    `siblings` are the sessions of the athlete that the user may see, and `side` and
    `setup` are as the page's address names them.
    """
    if side == TOGETHER:
        return ()
    found = histories(siblings, [session.player_id], NUMERIC_HEADLINES)
    changes = session_changes(
        found.get(session.player_id, {}),
        session.pk,
        Facility(found).of(session.player_id),
    )
    found_parts = list(dict.fromkeys(map(_part_of, changes)))
    parts = []
    for part in found_parts:
        own = tuple(change for change in changes if _part_of(change) == part)
        if side not in (APART, part[0]) or setup not in (APART, setup_key(part[1])):
            continue
        parts.append(
            SideChanges(
                capfirst(own[0].side) if len(found_parts) > 1 else "",
                own,
                change_sentences(own, system=system),
            )
        )
    return tuple(parts)


def _part_of(change: MetricChange) -> tuple[str, str]:
    """The side and the setup that a change is of."""
    return change.side_key, change.basis.condition if change.basis else ""
