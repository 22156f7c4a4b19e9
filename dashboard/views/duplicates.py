"""Records that may be one athlete: staff compare, merge, and take it back."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from athletes import access
from athletes.http import PageRequest, page_number
from athletes.identity import duplicates as likeness
from athletes.identity import merging
from athletes.models import AthleteMerge, DuplicatePair
from dashboard.forms import MergeForm
from dashboard.selectors.duplicates_page import (
    duplicates_page,
    merge_page,
    sessions_given_back,
    swings_given_back,
)


def _require_staff(request: PageRequest) -> None:
    """Raise `PermissionDenied` unless the user may merge athletes."""
    if not access.may_administer(request.user):
        raise PermissionDenied("Only staff can merge athletes.")


@require_safe
def duplicates(request: PageRequest) -> HttpResponse:
    """Pairs that wait for a decision, and what was decided of late."""
    _require_staff(request)
    page = duplicates_page(page_number(request))
    context = {
        "page": page,
        "previous_url": f"?page={page.number - 1}" if page.number > 1 else "",
        "next_url": f"?page={page.number + 1}" if page.has_next else "",
        "crumbs": [("Athletes", reverse("dashboard:list")), ("Duplicates", "")],
    }
    return render(request, "dashboard/duplicates.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: PageRequest, kept: int, merged: int) -> HttpResponse:
    """Show both records side by side; by POST, merge the second into the first."""
    _require_staff(request)
    if kept == merged:
        raise Http404("These are one record.")
    one = access.get_player_or_404(request.user, kept)
    other = access.get_player_or_404(request.user, merged)
    page = merge_page(one, other)
    form = MergeForm(request.POST or None, facts=page.conflicts)
    if request.method == "POST" and form.is_valid():
        try:
            merging.merge(
                kept=one,
                merged=other,
                from_merged=form.from_merged(),
                by=request.user,
            )
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect("dashboard:duplicates")
        # Without a name: a message may lie in a cookie.
        messages.success(
            request, "Merged. You can undo it below or on the Duplicates page."
        )
        return redirect("dashboard:athlete", pk=one.pk)
    context = {
        "page": page,
        "form": form,
        "crumbs": [
            ("Athletes", reverse("dashboard:list")),
            ("Duplicates", reverse("dashboard:duplicates")),
            ("Compare", ""),
        ],
    }
    status = 422 if form.errors else 200
    return render(request, "dashboard/merge.html", context, status=status)


@require_POST
def dismiss(request: PageRequest, pk: int) -> HttpResponse:
    """Decide that the two records are of two people."""
    _require_staff(request)
    likeness.dismiss(pair=_pair(pk), by=request.user)
    messages.success(request, "Saved: not the same athlete.")
    return redirect("dashboard:duplicates")


@require_POST
def bring_back(request: PageRequest, pk: int) -> HttpResponse:
    """Take back that a pair are two people; it waits for a decision again."""
    _require_staff(request)
    likeness.bring_back(pair=_pair(pk), by=request.user)
    messages.success(request, "The pair is back on the list.")
    return redirect("dashboard:duplicates")


def _pair(pk: int) -> DuplicatePair:
    """The pair, or `Http404`."""
    pair = DuplicatePair.objects.filter(pk=pk).first()
    if pair is None:
        raise Http404("That pair doesn't exist.")
    return pair


@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: PageRequest, pk: int) -> HttpResponse:
    """Show what undoing a merge gives back; by POST, undo it."""
    _require_staff(request)
    entry = (
        AthleteMerge.objects.select_related("kept__merged_into", "merged", "created_by")
        .filter(pk=pk)
        .first()
    )
    if entry is None:
        raise Http404("That merge doesn't exist.")
    if request.method == "POST":
        try:
            merging.separate(entry=entry, by=request.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect("dashboard:duplicates")
        messages.success(request, "Undone: these are two athletes again.")
        return redirect("dashboard:athlete", pk=entry.merged_id)
    sessions, newest = sessions_given_back(entry)
    context = {
        "entry": entry,
        "sessions": sessions,
        "newest": newest,
        "swings": swings_given_back(entry),
        "crumbs": [
            ("Athletes", reverse("dashboard:list")),
            ("Duplicates", reverse("dashboard:duplicates")),
            ("Undo a merge", ""),
        ],
    }
    return render(request, "dashboard/merge_undo.html", context)
