"""What is put aside to compare: one address that takes every change of it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from athletes.http import PageRequest
from dashboard.selectors.compare_keys import parse_item, parse_items
from dashboard.selectors.compare_tray import Tray, filled, turned, without


@require_POST
def change(request: PageRequest) -> HttpResponse:
    """Add or take out (`turn`), take out (`remove`), replace all (`fill`, `clear`).

    htmx gets the tray; a plain form leads back to the page it was on, `next`.
    """
    tray = _changed(request)
    if request.htmx:
        return render(request, "components/compare_tray.html", {"tray": tray})
    if tray.said:
        messages.info(request, tray.said)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        back, {request.get_host()}, require_https=request.is_secure()
    ):
        back = reverse("dashboard:compare")
    # Not `redirect`: it takes a word without a slash for the name of a view.
    return HttpResponseRedirect(back)


def _changed(request: PageRequest) -> Tray:
    user, kept, asked = request.user, request.session, request.POST
    if "turn" in asked:
        # A chart names its curve behind the thing: "session-12 torso_omega".
        word, _, series = asked["turn"].partition(" ")
        return turned(user, kept, parse_item(word), series)
    if "remove" in asked:
        return without(user, kept, parse_item(asked["remove"]))
    keys, _ = parse_items(asked.getlist("fill"))
    return filled(user, kept, keys)
