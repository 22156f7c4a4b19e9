"""What is done with selected swings, the setup of sessions, and the way back."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.audit import record
from accounts.models import Action
from athletes import access, decisions
from athletes.http import PageRequest
from athletes.models import Movement, Session
from dashboard.forms import SessionsSetupForm, SwingSetupForm
from dashboard.selectors.setup_choice import setup_of

# Under which name the login keeps what the last change of setups replaced.
KEPT = "setups_before"
# How a form says that swings are as their session.
AS_SESSION = "session"
MOST_DIGITS = 18
#: Of the filters of a list that are kept in a form and in the login.
MOST_LETTERS = 1000


def undo_offer(request: PageRequest, place: str) -> dict[str, str]:
    """What may be undone on this page, with its key; empty for nothing.

    `words` say it (`Setup of 4 swings changed.`). `key` stands for this one change.
    """
    kept = request.session.get(KEPT) or {}
    if kept.get("place") != place:
        return {}
    return {"words": str(kept.get("words", "")), "key": str(kept.get("key", ""))}


@require_POST
def swing_setups(request: PageRequest, pk: int) -> HttpResponse:
    """Compare the selected swings of a session, or state their setup.

    Swings are ticked (`chosen`, by key) or named by their numbers in the session
    (`swings`); `do=compare` leads to the comparison of the ticked ones, `do=setup`
    states a setup, and without either nothing is changed.
    """
    shown = access.get_session_or_404(request.user, pk)
    swings = _chosen(request, shown)
    if request.POST.get("do") == "compare":
        return _comparison(request, shown, swings)
    access.require_edit(request.user)
    if request.POST.get("do") != "setup":
        messages.error(request, "Not saved. Choose what to do with the swings.")
        return _to_swings(shown)
    form = SwingSetupForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Not saved. " + _first_error(form))
        return _to_swings(shown)
    wanted = form.cleaned_data["swings"]
    if wanted:
        swings = list(shown.movements.present().filter(position__in=wanted))
    missing = sorted(set(wanted) - {swing.position for swing in swings})
    if missing:
        messages.error(request, f"Not saved: there is no swing {missing[0]}.")
        return _to_swings(shown)
    if not swings:
        messages.error(request, "Not saved: these swings are no longer here.")
        return _to_swings(shown)
    setup = form.cleaned_data["setup"]
    stated = None if setup == AS_SESSION else setup
    before = decisions.set_setups(movements=swings, setup=stated)
    positions = sorted(swing.position for swing in swings)
    _record(request, shown, "setup of swings", swings=positions, setup=setup)
    _keep(request, before, stated, f"session-{pk}", _words(len(swings), "swing"))
    messages.success(request, "Saved. Averages are updated.")
    return _to_swings(shown)


def _chosen(request: PageRequest, shown: Session) -> list[Movement]:
    """The ticked swings of a session, in its order; what is not of it is left out."""
    present = shown.movements.present().filter(pk__in=_keys(request, "chosen"))
    return list(present.in_session_order())


def _keys(request: PageRequest, name: str) -> list[int]:
    """The keys of rows that a form sends; what can be none is left out."""
    asked = request.POST.getlist(name)
    # Keys are 64-bit numbers; a longer one names nothing, and may be too long to read.
    return [int(one) for one in asked if one.isdecimal() and len(one) <= MOST_DIGITS]


def _comparison(
    request: PageRequest, shown: Session, swings: list[Movement]
) -> HttpResponse:
    """Lead to the comparison of these swings."""
    if not swings:
        messages.error(request, "Select two to six swings to compare.")
        return _to_swings(shown)
    items = ",".join(f"swing-{swing.pk}" for swing in swings)
    return redirect(f"{reverse('dashboard:compare')}?items={items}")


def _to_swings(shown: Session) -> HttpResponse:
    """Lead back to the swings of a session, where they were selected."""
    return redirect(f"{reverse('dashboard:session', args=[shown.pk])}#swings-head")


@require_POST
def sessions_setup(request: PageRequest) -> HttpResponse:
    """State the setup of the sessions that are ticked in the list."""
    access.require_edit(request.user)
    shown = request.POST.get("shown", "")
    visible = access.visible_sessions(request.user)
    sessions = list(visible.filter(pk__in=_keys(request, "sessions")))
    data = request.POST.copy()
    data.setlist("sessions", [str(one.pk) for one in sessions])
    form = SessionsSetupForm(data, sessions=[one.pk for one in sessions])
    if not form.is_valid():
        messages.error(request, "Not saved: select sessions and a setup.")
        return _to_list(shown)
    setup = form.cleaned_data["setup"]
    stated = setup_of(setup)
    before = decisions.set_setups(sessions=sessions, setup=stated)
    for session in sessions:
        _record(request, session, "setup", setup=setup)
    words = _words(len(sessions), "session")
    _keep(request, before, stated, "sessions", words, shown=shown)
    messages.success(request, "Saved. Averages are updated.")
    return _to_list(shown)


def _to_list(shown: str) -> HttpResponse:
    """Lead back to the list of sessions with the filters, order and page it had."""
    # Read and written again: an address of another site can't come of it.
    query = QueryDict(shown[:MOST_LETTERS]).urlencode()
    address = reverse("dashboard:sessions")
    return redirect(f"{address}?{query}" if query else address)


@require_POST
def undo(request: PageRequest) -> HttpResponse:
    """Give back the setups that the reader's last change replaced.

    Not where somebody has stated another since, and not where the button was shown
    for an earlier change: `key` says for which.
    """
    access.require_edit(request.user)
    kept = request.session.get(KEPT)
    if not kept:
        messages.info(request, "Nothing to undo.")
        return redirect("dashboard:sessions")
    if request.POST.get("key", "") != str(kept.get("key", "")):
        messages.error(request, "Not undone: you have changed other setups since.")
        return _to_place(kept)
    del request.session[KEPT]
    before: decisions.Setups = {
        kind: {int(pk): setup for pk, setup in kept[kind].items()}
        for kind in ("sessions", "movements")
    }
    visible = access.visible_sessions(request.user)
    swings = Movement.objects.filter(pk__in=list(before["movements"]))
    touched = {*before["sessions"], *swings.values_list("session_id", flat=True)}
    if visible.filter(pk__in=touched).count() != len(touched):
        raise PermissionDenied("Some of these sessions can't be changed anymore.")
    stated = kept.get("stated")
    # Swings of a session that got a setup as a whole were to follow it.
    of_swings = None if before["sessions"] else stated
    still: decisions.Setups = {
        "sessions": dict.fromkeys(before["sessions"], stated),
        "movements": dict.fromkeys(before["movements"], of_swings),
    }
    restored = decisions.restore_setups(
        before, only_where=still if "stated" in kept else None
    )
    swings = Movement.objects.filter(pk__in=list(restored["movements"]))
    given = {*restored["sessions"], *swings.values_list("session_id", flat=True)}
    for session in visible.filter(pk__in=given):
        _record(request, session, "change of setup undone")
    _say_undone(request, before, restored)
    return _to_place(kept)


def _say_undone(
    request: PageRequest, before: decisions.Setups, restored: decisions.Setups
) -> None:
    """Say what was given back, and that the rest was not."""
    wanted, done = (
        sum(len(rows) for rows in one.values()) for one in (before, restored)
    )
    if not done:
        messages.error(request, "Not undone: the setups have been changed since.")
    elif done < wanted:
        messages.success(
            request,
            "Undone, except where the setup has been changed since. Averages are "
            "updated.",
        )
    else:
        messages.success(request, "Undone. Averages are updated.")


def _to_place(kept: Mapping[str, Any]) -> HttpResponse:
    """Lead to the page on which the change was made."""
    kind, _, pk = str(kept["place"]).partition("-")
    if kind == "session":
        return redirect("dashboard:session", pk=int(pk))
    return _to_list(str(kept.get("shown", "")))


def _record(
    request: PageRequest, session: Session, what: str, **detail: object
) -> None:
    """Add to the audit who changed the setup of a session or of some of its swings."""
    record(
        Action.RECORD_CHANGED,
        by=request.user,
        subject=session,
        player_id=session.player_id,
        what=what,
        **detail,
    )


def _keep(
    request: PageRequest,
    before: decisions.Setups,
    stated: str | None,
    place: str,
    words: str,
    *,
    shown: str = "",
) -> None:
    """Remember in the login what was replaced, and by which setup.

    A form that is sent again after its answer was lost replaces nothing: what it
    replaced the first time can still be brought back.
    """
    replaced = {setup for found in before.values() for setup in found.values()}
    if replaced <= {stated} and undo_offer(request, place):
        return
    request.session[KEPT] = {
        **{
            kind: {str(pk): setup for pk, setup in found.items()}
            for kind, found in before.items()
        },
        "stated": stated,
        "place": place,
        "words": words,
        "shown": shown[:MOST_LETTERS],
        "key": secrets.token_hex(8),
    }


def _words(count: int, noun: str) -> str:
    return f"Setup of {count} {noun}{'' if count == 1 else 's'} changed."


def _first_error(form: SwingSetupForm) -> str:
    return next((str(e) for errors in form.errors.values() for e in errors), "")
