"""What the queue calls. Queued rows hold these dotted names: keep them."""

from __future__ import annotations

from athletes.models import Movement


def recompute_player(player_id: int) -> int:
    """Bring an athlete's numbers up to date; returns the number of sessions."""
    # Here, because web processes import this module's name and not its libraries.
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
