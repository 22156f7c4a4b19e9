"""The sheet behind the login: on screen, as PDF, and its share links."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.audit import record
from accounts.models import Action
from accounts.sent_forms import store_once
from athletes import access
from athletes.http import PageRequest, page_or_fragment
from athletes.models import Player, Session
from sharing import links
from sharing.forms import ShareForm
from sharing.models import ShareLink
from sharing.pdf_response import pdf_response
from sharing.sheet import Sheet, athlete_sheet, paper_for, session_sheet


@require_safe
def athlete(request: PageRequest, pk: int) -> HttpResponse:
    """The sheet of an athlete's newest session with numbers."""
    player = access.get_player_or_404(request.user, pk)
    return _page(request, player, None)


@require_safe
def session(request: PageRequest, pk: int) -> HttpResponse:
    """The sheet of one session."""
    shown = access.get_session_or_404(request.user, pk)
    return _page(request, shown.player, shown)


@require_safe
def athlete_pdf(request: PageRequest, pk: int) -> HttpResponse:
    """The sheet of an athlete's newest session as PDF; `paper` is a4 or letter."""
    player = access.get_player_or_404(request.user, pk)
    return _pdf(request, player, None)


@require_safe
def session_pdf(request: PageRequest, pk: int) -> HttpResponse:
    """The sheet of one session as PDF; `paper` is a4 or letter."""
    shown = access.get_session_or_404(request.user, pk)
    return _pdf(request, shown.player, shown)


@require_POST
def share_athlete(request: PageRequest, pk: int) -> HttpResponse:
    """Make a link to the sheet of an athlete's newest session."""
    player = access.get_player_or_404(request.user, pk)
    return _share(request, player, None)


@require_POST
def share_session(request: PageRequest, pk: int) -> HttpResponse:
    """Make a link to the sheet of one session."""
    shown = access.get_session_or_404(request.user, pk)
    return _share(request, shown.player, shown)


@require_POST
def revoke(request: PageRequest, pk: int) -> HttpResponse:
    """Revoke a link; only who made it may, and staff."""
    link = ShareLink.objects.filter(pk=pk).select_related("player", "session").first()
    if link is None:
        raise Http404("That link doesn't exist.")
    kept = link.player.merged_into_id or link.player_id
    # Of a hidden athlete as of nobody: the numbers of links tell no more than that.
    player = access.visible_players(request.user).filter(pk=kept).first()
    if (
        player is None
        or not links.links_about(request.user, player).filter(pk=pk).exists()
    ):
        raise Http404("That link doesn't exist.")
    links.revoke(link=link, by=request.user)
    messages.success(request, "The link is revoked and no longer works.")
    if link.session is not None:
        return redirect("sharing:session", pk=link.session.whole_id)
    return redirect("sharing:athlete", pk=kept)


# --- Parts ----------------------------------------------------------------------------


def _sheet(request: PageRequest, player: Player, session: Session | None) -> Sheet:
    """The sheet in the user's units, from the sessions that they may see."""
    sessions = access.visible_sessions(request.user)
    units = request.user.units
    side = request.GET.get("side", "")
    if session is not None:
        return session_sheet(session, sessions, units=units, side=side)
    return athlete_sheet(player, sessions, units=units, side=side)


def _kind(session: Session | None) -> str:
    """Return the name that the audit trail has for the sheet."""
    return "session sheet" if session else "athlete sheet"


def _note(
    request: PageRequest,
    action: Action,
    player: Player,
    session: Session | None,
    **detail: str,
) -> None:
    """Record in the audit trail what was shown."""
    # A HEAD shows nothing to anybody.
    if request.method == "GET":
        record(
            action,
            by=request.user,
            subject=session or player,
            player_id=player.pk,
            **detail,
        )


def _page(
    request: PageRequest, player: Player, session: Session | None
) -> HttpResponse:
    """The page, recorded as viewed."""
    _note(request, Action.SHEET_VIEWED, player, session, what=_kind(session))
    return _answer(request, player, session)


def _pdf(request: PageRequest, player: Player, session: Session | None) -> HttpResponse:
    """The PDF, recorded as exported; raises `PermissionDenied` without the right to."""
    if not access.may_export(request.user):
        raise PermissionDenied("You can view this but not download it.")
    _note(
        request,
        Action.DATA_EXPORTED,
        player,
        session,
        what=_kind(session),
        format="PDF",
    )
    paper = paper_for(request.GET.get("paper", ""), request.user.sheet_paper)
    return pdf_response(_sheet(request, player, session), paper)


def _share(
    request: PageRequest, player: Player, session: Session | None
) -> HttpResponse:
    """Make a share link and show it once; `PermissionDenied` without the right to.

    Sent again after its answer was lost, the form gives that link another secret.
    """
    if not access.may_export(request.user):
        raise PermissionDenied("You can view this but not share it.")
    form = ShareForm(request.POST)
    token = ""
    if form.is_valid():
        try:
            token = _new_secret(request, player, session, form)
        except (links.TooManyLinksError, links.OpenedAlreadyError) as error:
            form.add_error(None, str(error))
    return _answer(
        request,
        player,
        session,
        form=None if token else form,
        new_url=request.build_absolute_uri(reverse("shared", args=[token]))
        if token
        else "",
        status=200 if token else 422,
    )


def _new_secret(
    request: PageRequest, player: Player, session: Session | None, form: ShareForm
) -> str:
    """The secret of the link that the form makes, or of the one that it made before."""
    secret = ""

    def make() -> int:
        nonlocal secret
        link, secret = links.make_link(
            by=request.user,
            player=player,
            session=session,
            days=form.cleaned_data["days"],
            label=form.cleaned_data["label"],
            full_name=form.cleaned_data["full_name"],
        )
        return link.pk

    stored = store_once(request, make)
    return secret if stored.is_new else links.renew_secret(stored.pk, by=request.user)


def _answer(
    request: PageRequest,
    player: Player,
    session: Session | None,
    *,
    form: ShareForm | None = None,
    new_url: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page of the sheet; to htmx the share links alone."""
    own = "session" if session else "athlete"
    pk = session.pk if session else player.pk
    paper = request.user.sheet_paper
    sheet = _sheet(request, player, session)
    crumbs = [
        ("Athletes", reverse("dashboard:list")),
        (player.full_name, reverse("dashboard:athlete", args=[player.pk])),
    ]
    if session:
        url = reverse("dashboard:session", args=[session.pk])
        crumbs.append((sheet.now_head, url))
    context: dict[str, Any] = {
        "sheet": sheet,
        "player": player,
        "session": session,
        "crumbs": [*crumbs, ("Sheet", "")],
        "pdf_url": reverse(f"sharing:{own}_pdf", args=[pk]),
        "share_url": reverse(f"sharing:share_{own}", args=[pk]),
        "paper": paper,
        "other_paper": "a4" if paper == "letter" else "letter",
        "links": links.links_about(request.user, player),
        "may_export": access.may_export(request.user),
        "form": form or ShareForm(),
        "new_url": new_url,
    }
    return page_or_fragment(
        request, "sharing/sheet.html", "sharing/_links.html", context, status=status
    )
