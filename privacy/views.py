"""Pages about an athlete's stored data: what there is, archives, erasing."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.db.models import F
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from athletes import access
from athletes.http import PageRequest, page_or_fragment, wants_fragment
from athletes.models import Player
from privacy import erasing
from privacy.archives import record_download, request_archive
from privacy.forms import EraseForm
from privacy.models import Archive, ArchiveState
from privacy.selectors import stored_page
from privacy.storage import request_measure, storage_page

#: htmx stops asking when it gets this.
STOP_POLLING = 286


@require_safe
def stored(request: PageRequest, pk: int) -> HttpResponse:
    """Show what is stored about an athlete; to htmx the list of archives alone."""
    player = access.get_player_or_404(request.user, pk)
    context = _context(request, player)
    is_over = wants_fragment(request) and not context["page"].is_under_way
    return page_or_fragment(
        request,
        "privacy/stored.html",
        "privacy/_archives.html",
        context,
        status=STOP_POLLING if is_over else 200,
    )


def _context(request: PageRequest, player: Player) -> dict[str, Any]:
    may_administer = access.may_administer(request.user)
    return {
        "player": player,
        "page": stored_page(player, with_accesses=may_administer),
        "may_export": access.may_export(request.user),
        "may_administer": may_administer,
        "now": timezone.now(),
        "crumbs": [
            ("Athletes", "/athletes/"),
            (player.full_name, f"/athletes/{player.pk}/"),
            ("Stored data", ""),
        ],
    }


@require_POST
def archive(request: PageRequest, pk: int) -> HttpResponse:
    """Have an archive made."""
    player = access.get_player_or_404(request.user, pk)
    _require_export(request)
    request_archive(player=player, user=request.user)
    if wants_fragment(request):
        return render(request, "privacy/_archives.html", _context(request, player))
    return redirect("privacy:stored", player.pk)


@require_safe
def download(request: PageRequest, pk: int) -> HttpResponseBase:
    """Send the ZIP to users who may export the athlete's data at this moment."""
    found = (
        Archive.objects.filter(
            pk=pk,
            state=ArchiveState.READY,
            expires_at__gt=timezone.now(),
            player__in=access.visible_players(request.user),
        )
        # Made while two athletes were merged, it would hold the data of both.
        .exclude(player__merges__undone_at__gt=F("created_at"))
        .select_related("player")
        .first()
    )
    if found is None or not default_storage.exists(found.file_name):
        raise Http404("That archive no longer exists; make a new one.")
    _require_export(request)
    if request.method == "GET":
        record_download(found, by=request.user)
    return FileResponse(
        default_storage.open(found.file_name),
        as_attachment=True,
        filename=found.download_name,
        content_type="application/zip",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def storage(request: PageRequest) -> HttpResponse:
    """Show how much disk each kind of data takes; a POST measures it now."""
    if not access.may_administer(request.user):
        raise PermissionDenied("Only staff can see storage use.")
    if request.method == "POST":
        request_measure()
        messages.info(request, "Measuring now; check again in a moment.")
        return redirect("privacy:storage")
    return render(request, "privacy/storage.html", {"page": storage_page()})


def _require_export(request: PageRequest) -> None:
    if not access.may_export(request.user):
        raise PermissionDenied("You can view this but not download it.")


@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: PageRequest, pk: int) -> HttpResponse:
    """Show what erasing takes away, and erase once the word was typed."""
    if not access.may_administer(request.user):
        raise PermissionDenied("Only staff can erase an athlete.")
    player = access.get_player_or_404(request.user, pk)
    form = EraseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        erasing.erase(player=player, by=request.user)
        # Without a name: a message may lie in a cookie.
        messages.success(request, "The athlete was permanently erased.")
        return redirect("dashboard:list")
    context = _context(request, player)
    context["crumbs"] = [
        *context["crumbs"][:-1],
        ("Stored data", f"/privacy/athletes/{player.pk}/"),
        ("Erase", ""),
    ]
    context |= {
        "form": form,
        "plan": erasing.plan(player),
    }
    return render(
        request, "privacy/erase.html", context, status=422 if form.errors else 200
    )
