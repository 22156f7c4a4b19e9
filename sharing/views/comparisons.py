"""Saved comparisons: the list, and what is done to one."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.sent_forms import store_once
from athletes.http import PageRequest
from dashboard.forms import CompareForm, FigureForm
from dashboard.selectors.compare_keys import ItemKey, parse_items
from sharing import comparisons
from sharing.forms import ComparisonForm


@require_safe
def listing(request: PageRequest) -> HttpResponse:
    """The list of saved comparisons: own ones and shared ones."""
    return _list(request)


@require_POST
def save(request: PageRequest) -> HttpResponse:
    """Save what the compare page shows under a name."""
    keys, _ = parse_items(request.POST.getlist("items"))
    form = ComparisonForm(request.POST)
    view = CompareForm(request.POST)
    view.is_valid()
    series = view.cleaned_data.get("series") or ""
    align = view.cleaned_data.get("align") or ""
    each = bool(view.cleaned_data.get("each"))
    second = view.cleaned_data.get("second") or ""
    figure = FigureForm(request.POST).said()
    back = _back(keys, series=series, align=align, each=each, second=second, **figure)
    if not form.is_valid():
        messages.error(request, "Not saved: give it a name of up to 100 letters.")
        return redirect(back)
    try:
        stored = store_once(
            request,
            lambda: (
                comparisons.save_comparison(
                    user=request.user,
                    name=form.cleaned_data["name"],
                    keys=keys,
                    series=series,
                    align=align,
                    each=each,
                    second=second,
                    figure=figure,
                    is_shared=form.cleaned_data["is_shared"],
                ).pk
            ),
        )
    except comparisons.NotSavableError as error:
        messages.error(request, f"Not saved. {error}")
        return redirect(back)
    messages.success(request, f"Saved as “{form.cleaned_data['name']}”.")
    return redirect("sharing:comparison", pk=stored.pk)


def _back(keys: Sequence[ItemKey], *, each: bool, **shown: str) -> str:
    """The address of the compare page that a comparison was to be saved from."""
    query = {"items": ",".join(map(str, keys)), **shown, "each": "on" if each else ""}
    told = {name: value for name, value in query.items() if value}
    return f"{reverse('dashboard:compare')}?{urlencode(told, safe=',')}"


@require_safe
def show(request: PageRequest, pk: int) -> HttpResponse:
    """Redirect to the compare page, whose address holds all of it."""
    saved = comparisons.get_comparison_or_404(request.user, pk)
    items = saved.items.select_related("player", "session", "movement")
    return redirect(reverse("dashboard:compare") + comparisons.address(saved, items))


@require_POST
def change(request: PageRequest, pk: int) -> HttpResponse:
    """Rename a comparison of one's own, or share it with others."""
    saved = comparisons.get_own_comparison_or_404(request.user, pk)
    form = ComparisonForm(request.POST, instance=saved)
    if not form.is_valid():
        return _list(request, form=form, status=422)
    form.save()
    messages.success(request, "Saved.")
    return redirect("sharing:comparisons")


@require_POST
def delete(request: PageRequest, pk: int) -> HttpResponse:
    """Delete a comparison of one's own; what it compares stays."""
    comparisons.get_own_comparison_or_404(request.user, pk).delete()
    messages.success(
        request, "Comparison deleted. Its sessions and swings are unchanged."
    )
    return redirect("sharing:comparisons")


def _list(
    request: PageRequest, *, form: ComparisonForm | None = None, status: int = 200
) -> HttpResponse:
    """The list; with a `form` that was refused, its errors."""
    lines = [
        {
            "saved": line,
            "form": form
            if form is not None and form.instance.pk == line.comparison.pk
            else ComparisonForm(
                instance=line.comparison, auto_id=f"id_{line.comparison.pk}_%s"
            ),
        }
        for line in comparisons.saved_lines(request.user)
    ]
    context = {
        "lines": lines,
        "crumbs": [("Compare", reverse("dashboard:compare")), ("Saved", "")],
    }
    return render(request, "sharing/comparisons.html", context, status=status)
