"""Tasks that the queue runs. Queued rows hold these dotted names: never change them."""

from __future__ import annotations

from athletes.models import Movement


def recompute_player(player_id: int) -> int:
    """Compute an athlete's old numbers again; returns the number of sessions."""
    # Imported here, so that importing this module loads no mathematics.
    from athletes.analysis.run import analyze_session

    sessions = (
        Movement.objects.filter(session__player_id=player_id, method_version="")
        .order_by("session_id")
        .values_list("session_id", flat=True)
        .distinct()
    )
    count = 0
    for session_pk in sessions:
        analyze_session(session_pk)
        count += 1
    return count


#: So long a portion of old numbers is computed, of each minute; the rest of it is free
#: for what else waits in the queue.
PORTION_S = 40.0


def recompute_old_task() -> int:
    """Compute a portion of numbers of former methods again; returns the sessions."""
    from athletes.analysis.old_numbers import recompute_some

    return recompute_some(PORTION_S)


def refresh_joined_task() -> int:
    """Keep setups apart where an older release joined them; returns the sessions."""
    from athletes.analysis.old_numbers import refresh_joined

    return refresh_joined()
