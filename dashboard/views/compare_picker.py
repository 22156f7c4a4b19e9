"""The picker of the page of a comparison, alone and as a part of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from athletes.http import PageRequest
from athletes.models import Player
from dashboard.forms import CompareForm
from dashboard.selectors.compare_choices import Choice, Known
from dashboard.selectors.compare_keys import MOST_ITEMS, ItemKey, parse_items
from dashboard.selectors.compare_picker import (
    PICK_SESSIONS,
    PickAsked,
    Picker,
    PickSession,
    athlete_to_pick,
    opened_athlete,
)
from dashboard.views.compare_links import CompareLinks, kept_parameters

# Longer numbers are no keys of rows, and no pages.
_MOST_DIGITS = 18


def picker_asked(query: QueryDict) -> PickAsked:
    """What an address asks of the picker; what is no number there is not asked."""
    return PickAsked(
        text=query.get("q", "")[:100],
        athlete=_number(query.get("pick", "")),
        page=_number(query.get("at", "")) or 1,
        session=_number(query.get("swings", "")),
    )


def _number(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if is_number else None


@require_safe
def pick(request: PageRequest) -> HttpResponse:
    """The picker alone, for what is typed and opened in it."""
    keys, _ = parse_items(request.GET.getlist("items"))
    wanted = CompareForm(request.GET)
    wanted.is_valid()
    links = CompareLinks(
        tuple(map(str, keys)),
        wanted.cleaned_data.get("series") or "",
        wanted.cleaned_data.get("align") or "reference",
        kept_parameters(request.GET),
    )
    asked = picker_asked(request.GET)
    picker, player = opened_athlete(request.user, asked)
    if player is not None:
        known = Known(request.user, [player.pk])
        picker = with_athlete(request, picker, player, asked, known)
    return render(request, "dashboard/_compare_found.html", shown_picker(picker, links))


def with_athlete(
    request: PageRequest, picker: Picker, player: Player, asked: PickAsked, known: Known
) -> Picker:
    """The picker with one athlete opened; their sessions are among those `known`."""
    today = timezone.localdate()
    opened = athlete_to_pick(request.user, player, asked, known, today)
    return replace(picker, athlete=opened)


def shown_picker(picker: Picker, links: CompareLinks) -> dict[str, Any]:
    """The picker with the addresses of all that can be added or opened in it."""
    athlete = picker.athlete
    context: dict[str, Any] = {
        "picker": picker,
        "is_full": len(links.keys) >= MOST_ITEMS,
        "links": links,
        "names": [
            {"pk": pk, "name": name, **_opened(links, pick=str(pk), q=picker.text)}
            for pk, name in picker.found
        ],
    }
    if athlete is None:
        return context
    turn = {"pick": str(athlete.pk), "q": picker.text}
    return context | {
        "choices": shown_choices(athlete.choices, links, "choose"),
        "sessions": [
            _session(session, links, {**turn, "at": str(athlete.page)})
            for session in athlete.sessions
        ],
        "last": min(athlete.first + PICK_SESSIONS - 1, athlete.total),
        "previous": _opened(links, **turn, at=str(athlete.page - 1))
        if athlete.page > 1
        else None,
        "next": _opened(links, **turn, at=str(athlete.page + 1))
        if athlete.page < athlete.pages
        else None,
    }


def shown_choices(
    choices: Iterable[Choice], links: CompareLinks, prefix: str
) -> list[dict[str, Any]]:
    """Choices with the address that adds each, or takes it out.

    `prefix` begins their ids: the same thing may be offered in several places.
    """
    return [
        {"choice": choice, **_turned(choice.key, links, prefix)} for choice in choices
    ]


def _session(
    session: PickSession, links: CompareLinks, turn: dict[str, str]
) -> dict[str, Any]:
    is_open = bool(session.swings)
    return {
        "session": session,
        **_turned(session.key, links),
        "open": _opened(links, **turn, swings="" if is_open else str(session.pk)),
        "is_open": is_open,
        "swings": [
            {"swing": swing, **_turned(swing.key, links)} for swing in session.swings
        ],
    }


def _turned(key: ItemKey, links: CompareLinks, prefix: str = "pick") -> dict[str, str]:
    """The letter of a thing that is in, and the address that adds or removes it."""
    word = str(key)
    letter = links.letter(word)
    url = links.without(word) if letter else links.to_add(word)
    if not letter and len(links.keys) >= MOST_ITEMS:
        url = ""
    return {"letter": letter, "url": url, "id": f"{prefix}-{word}"}


def _opened(links: CompareLinks, **state: str) -> dict[str, str]:
    """The address of another state of the picker: `state` as the URL names it."""
    return {"state": links.here(**{"at": "", "swings": "", **state})}
