"""The page on which a session that came by hand is moved, dated or deleted."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from athletes.access import get_session_or_404, visible_players
from athletes.http import PageRequest
from athletes.models import Session
from syncing import clock, hand_sessions
from syncing.forms import RedateForm
from syncing.people_added import UndoRefusedError
from syncing.upload_views import MOST_ATHLETES, chosen_athlete, require_staff


@require_http_methods(["GET", "HEAD", "POST"])
def by_hand(request: PageRequest, pk: int) -> HttpResponse:
    """Give a session that came by hand to another athlete, date it, or delete it."""
    require_staff(request)
    session = get_session_or_404(request.user, pk)
    text = request.GET.get("q", "").strip()
    form = RedateForm(
        request.POST if "redate" in request.POST else None,
        initial={"date": session.session_date},
    )
    player, error = chosen_athlete(request), ""
    if request.method == "POST":
        try:
            answer = _correct(request, session, form)
        except UndoRefusedError as refusal:
            error = f"{refusal} Nothing was changed."
        else:
            if answer is not None:
                return answer
    context = {
        "session": session,
        "is_by_hand": hand_sessions.is_by_hand_alone(session),
        "uploads": session.hand_uploads.exclude(
            state__in=["undone", "staged"]
        ).select_related("created_by"),
        "q": text,
        "found": list(
            visible_players(request.user)
            .found_by_name(text)
            .exclude(pk=session.player_id)
            .in_name_order()[:MOST_ATHLETES]
        )
        if text
        else [],
        "player": player,
        "form": form,
        "added": hand_sessions.what_people_added(session),
        "error": error,
    }
    status = 422 if error or form.errors else 200
    return render(request, "syncing/by_hand.html", context, status=status)


def _correct(
    request: PageRequest, session: Session, form: RedateForm
) -> HttpResponse | None:
    """Do what a form of the page asks for; None where it is not clear."""
    if "redate" in request.POST:
        if not form.is_valid():
            return None
        date = form.cleaned_data["date"]
        if (
            date > timezone.localtime(clock.now()).date()
            and not form.cleaned_data["looked"]
        ):
            form.add_error(
                "date", "This date is in the future. Check the box if it is correct."
            )
            return None
        hand_sessions.redate(session=session, date=date, by=request.user)
        messages.success(request, "The session's date was changed.")
    elif "move" in request.POST:
        player = chosen_athlete(request)
        if player is None:
            raise UndoRefusedError("Choose an athlete first.")
        hand_sessions.move(session=session, to=player, by=request.user)
        messages.success(request, "The session was moved to this athlete.")
    elif "delete" in request.POST:
        hand_sessions.delete(
            session=session, by=request.user, with_added="added" in request.POST
        )
        messages.success(request, "The session was deleted.")
        return redirect("syncing:upload")
    return redirect("dashboard:session", session.pk)
