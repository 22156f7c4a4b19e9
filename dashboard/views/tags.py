"""Tags on athletes and sessions."""

from __future__ import annotations

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models.functions import Lower
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from athletes import access
from athletes.http import PageRequest, wants_fragment
from athletes.models import Player, Session, Tag
from dashboard.forms import TagForm


@require_POST
def athlete_tags(request: PageRequest, pk: int) -> HttpResponse:
    """Put a tag on the athlete, or take one off."""
    player = access.get_player_or_404(request.user, pk)
    return _change(request, player, f"/athletes/{pk}/", "/athletes/")


@require_POST
def session_tags(request: PageRequest, pk: int) -> HttpResponse:
    """Put a tag on the session, or take one off."""
    session = access.get_session_or_404(request.user, pk)
    return _change(request, session, f"/athletes/sessions/{pk}/", "/athletes/sessions/")


def _change(
    request: PageRequest, tagged: Player | Session, page: str, listing: str
) -> HttpResponse:
    """Put the tag of the form on or off; answers the tags alone to htmx."""
    access.require_edit(request.user)
    form = TagForm(request.POST)
    if form.is_valid():
        name = form.cleaned_data["name"]
        if form.cleaned_data["remove"]:
            tagged.tags.remove(*tagged.tags.filter(name=name))
        else:
            tagged.tags.add(_tag(name))
        form = TagForm()
    elif not wants_fragment(request):
        messages.error(request, "Not tagged: enter one or a few words.")
    if not wants_fragment(request):
        return redirect(page)
    context = {
        "tags": list(tagged.tags.all()),
        "tags_url": f"{page}tags/",
        "tagged_url": listing,
        "tag_form": form,
        "may_edit": True,
    }
    status = 422 if form.errors else 200
    return render(request, "dashboard/_tags.html", context, status=status)


def _tag(name: str) -> Tag:
    """The tag of this name whatever its capitals; two people may make it at once."""
    same = Tag.objects.annotate(lower=Lower("name")).filter(lower=name.lower())
    found = same.first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return Tag.objects.create(name=name)
    except IntegrityError:
        return same.get()
