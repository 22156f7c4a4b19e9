"""The page of one swing, and whether it is included in averages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.formats import date_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts.audit import record
from accounts.models import Action
from athletes import access, decisions, display
from athletes.http import PageRequest, page_or_fragment, wants_fragment
from athletes.models import Inclusion, Movement
from dashboard import charts
from dashboard.forms import AlignForm, EventForm, InclusionForm, NoteForm
from dashboard.phrases import session_day
from dashboard.selectors.by_hand import uploads_of_swing
from dashboard.selectors.event_preview import EventPreview, Move, Zero, moves_of
from dashboard.selectors.notes import note_box
from dashboard.selectors.swing_curves import SWING_TABS, SwingCurves, swing_curves
from dashboard.selectors.swing_page import (
    CLIP_START,
    SwingPage,
    reference_of,
    swing_page,
)
from dashboard.selectors.swing_rows import swing_row
from dashboard.selectors.vendor_angles import VENDOR_GROUPS
from dashboard.views.pictures import asked_picture
from dashboard.views.session_parts import after_decision, shown_query

# How the address asks for tables, and what htmx asks for one by one.
ALL = "all"
NUMBERS_TARGET = "swing-numbers"
DETAIL_TARGET = "swing-detail"
TABLE_TARGETS = {"sequence-table": "sequence", "detail-table": "detail"}

# What a form says that takes the last decision about a swing back.
UNDO = "undo"


@require_safe
def swing(request: PageRequest, pk: int) -> HttpResponse:
    """The swing; `tab` chooses the second chart, `vendor` whose angles it shows.

    `align` names the event that all charts have at zero. `numbers=all` shows all
    numbers and `tables=all` the tables of the charts, which are left out otherwise.
    """
    movement = access.get_movement_or_404(request.user, pk)
    target = request.htmx.target if wants_fragment(request) else None
    if target == NUMBERS_TARGET:
        return _all_numbers(request, movement)
    if target in TABLE_TARGETS:
        chart = getattr(_curves(request, movement), TABLE_TARGETS[target])
        return _table(request, "dashboard/_series_values.html", {"chart": chart})
    return swing_response(request, movement)


def _all_numbers(request: PageRequest, movement: Movement) -> HttpResponse:
    """All numbers for htmx; the address keeps what has been chosen since it was left.

    The link that asks for them is as old as the page, its charts may be newer.
    """
    shown = shown_query(request)
    tab = shown.get("tab", "")
    context = {
        "page": swing_page(movement),
        "numbers": True,
        "oob": True,
        "kept_tab": tab if tab in SWING_TABS else "",
        "tables": shown.get("tables") == ALL,
    }
    response = _table(request, "dashboard/_swing_numbers.html", context)
    patch_vary_headers(response, ("HX-Current-URL",))
    query = request.GET.dict() if request.htmx.current_url is None else shown
    return _pushed(response, movement, {**query, "numbers": ALL})


def _pushed(
    response: HttpResponse, movement: Movement, query: Mapping[str, str]
) -> HttpResponse:
    """The response, after which the browser's address is that of the swing with this.

    `query` may come from the browser's address: it is encoded anew.
    """
    address = reverse("dashboard:swing", args=[movement.pk])
    response["HX-Push-Url"] = f"{address}?{urlencode(query)}"
    return response


def _shows_all(request: PageRequest, what: str) -> bool:
    """Whether the page has all of it, or that page from which htmx asks for a part.

    It may have come since the link or form that asks was made.
    """
    asked: list[Mapping[str, str]] = [request.GET.dict()]
    if wants_fragment(request):
        asked.append(shown_query(request))
    return any(query.get(what) == ALL for query in asked)


def _table(
    request: PageRequest, template: str, context: dict[str, object]
) -> HttpResponse:
    """One table that htmx asks for."""
    response = render(request, template, context)
    patch_vary_headers(response, ("HX-Request", "HX-Target"))
    return response


def _curves(request: PageRequest, movement: Movement) -> SwingCurves:
    """The charts that the address chooses."""
    return swing_curves(
        movement,
        tab=request.GET.get("tab", ""),
        vendor=request.GET.get("vendor", ""),
        align=wanted_align(request),
        system=request.user.units,
    )


def swing_response(
    request: PageRequest,
    movement: Movement,
    form: EventForm | None = None,
    preview: EventPreview | None = None,
) -> HttpResponse:
    """The page; with the `preview` of a `form` that moves events, or its errors.

    htmx gets of these the preview alone. Errors have status 422.
    """
    curves = _curves(request, movement)
    shown = {"sequence": curves.sequence, "detail": curves.detail}
    picture = asked_picture(
        request, {name: (chart.title, chart.figure) for name, chart in shown.items()}
    )
    if picture is not None:
        return picture
    page = swing_page(movement)
    zero = shown_zero(movement, curves.sequence.figure)
    moves = moves_of(page.corrections, zero)
    numbers = _shows_all(request, "numbers")
    tables = request.GET.get("tables") == ALL
    align_query = "" if curves.align == "reference" else f"&align={curves.align}"
    all_query = f"&numbers={ALL}" if numbers else ""
    all_query += f"&tables={ALL}" if tables else ""
    day = movement.session.session_date
    where = date_format(day, "M j") if day else session_day(None)
    context = {
        "title": f"{movement.session.player.full_name} · {where} · "
        f"{page.noun} {movement.position}",
        "page_path": reverse("dashboard:swing", args=[movement.pk]),
        "page": page,
        "numbers": numbers,
        "oob": request.htmx.target == DETAIL_TARGET,
        "kept_tab": curves.tab.key,
        "tables": tables,
        "align_form": AlignForm(initial={"align": curves.align}),
        "align_query": align_query,
        "movement": movement,
        "session": movement.session,
        "by_hand": uploads_of_swing(movement.session, movement.pk),
        "may_administer": access.may_administer(request.user),
        "player": movement.session.player,
        "swing": swing_row(movement),
        "headlines": _headlines(page, request.user.units),
        "curves": curves,
        "detail": curves.detail,
        "vendor_groups": VENDOR_GROUPS.values()
        if curves.tab.key == "angles" and movement.angle_unit_found
        else (),
        "tabs": [
            {
                "label": tab.label,
                "url": f"?tab={tab.key}{align_query}{all_query}",
                "current": tab is curves.tab,
                "target": "#swing-detail",
            }
            for tab in SWING_TABS.values()
        ],
        "crumbs": _crumbs(movement, page.noun),
        "note_box": note_box(movement),
        "note_form": NoteForm(),
        "not_swing_reason": " ".join(page.reasons) or "It doesn't move like a swing.",
        "event_form": form or EventForm(events=page.movable, zero=zero),
        "event_preview": preview,
        "event_zero": zero,
        "event_query": request.GET.urlencode(),
        "moves": moves,
        "last_move": _own_last_move(request, moves),
        "may_edit": access.may_edit(request.user),
    }
    response = page_or_fragment(
        request,
        "dashboard/swing.html",
        "dashboard/_swing_detail.html" if form is None else "dashboard/_preview.html",
        context,
        status=200 if form is None or preview is not None else 422,
    )
    patch_vary_headers(response, ("HX-Target", "HX-Current-URL"))
    if numbers and wants_fragment(request) and request.htmx.target == DETAIL_TARGET:
        return _pushed(response, movement, {**request.GET.dict(), "numbers": ALL})
    return response


def _own_last_move(request: PageRequest, moves: Sequence[Move]) -> Move | None:
    """The reader's newest move, where the address says that they have just saved it."""
    if "moved" not in request.GET:
        return None
    own = (one for one in moves if one.correction.created_by_id == request.user.pk)
    return next(own, None)


def _headlines(page: SwingPage, system: str) -> list[dict[str, object]]:
    """The known headline numbers, each beside the average of its session."""
    tiles = []
    for reading in page.headlines:
        if reading.is_missing:
            continue
        mean = page.session_means.get(reading.metric)
        note = ""
        if mean is not None and mean.n is not None and mean.n > 1:
            shown = display.value_text(
                mean.value, mean.unit, system, decimals=mean.definition.decimals
            )
            of = f" {page.means_side}" if page.means_side else ""
            swings = display.number_of(mean.n, "swing")
            note = f"session average{of} {shown}, {swings}"
        if reading.flagged:
            note = f"Not in averages: {reading.reason or 'it failed a check'}"
        elif reading.reason:
            # Unusual, or measured in a way that has to be said: it counts all the same.
            note = " · ".join(filter(None, (reading.reason, note)))
        tiles.append({"reading": reading, "note": note})
    return tiles


def _crumbs(movement: Movement, noun: str) -> list[tuple[str, str]]:
    """The way from the list of athletes to this swing."""
    session, player = movement.session, movement.session.player
    return [
        ("Athletes", reverse("dashboard:list")),
        (player.full_name, reverse("dashboard:athlete", args=[player.pk])),
        (
            session_day(session.session_date),
            reverse("dashboard:session", args=[session.pk]),
        ),
        (f"{noun} {movement.position}", ""),
    ]


def wanted_align(request: PageRequest) -> str:
    """The event that the address puts at zero; contact if it names none there is."""
    wanted = AlignForm(request.GET)
    wanted.is_valid()
    return wanted.cleaned_data.get("align") or "reference"


def shown_zero(movement: Movement, figure: charts.Json | None) -> Zero:
    """From where the charts of the page count ms; contact if they count percent."""
    meta = {} if figure is None else figure["meta"]
    if meta.get("x_unit") == "ms" and "time_zero_s" in meta:
        return Zero(float(meta["time_zero_s"]), str(meta.get("zero") or CLIP_START))
    at, words = reference_of(movement.events)
    return Zero(0.0 if at is None else at, words or CLIP_START)


@require_POST
def inclusion(request: PageRequest, pk: int) -> HttpResponse:
    """Include the swing in averages or exclude it, with a reason, or undo that.

    An undo names the `undone` reason, so that sending it twice undoes one decision.
    `quick` is a reason that was tapped, `reason` one that was typed. htmx gets the
    swing's tile as it is now, with the averages beside it.
    """
    movement = access.get_movement_or_404(request.user, pk)
    access.require_edit(request.user)
    data = request.POST.copy()
    if data.get("inclusion") == UNDO and not _is_to_undo(data, movement):
        # Sent again because the answer was lost: the same answer, and nothing more.
        return _decided(request, movement)
    if data.get("inclusion") == UNDO:
        data["inclusion"], data["reason"] = decisions.decision_before(movement)
    elif data.get("quick"):
        data["reason"] = str(data["quick"])
    form = InclusionForm(data)
    if not form.is_valid():
        error = "Not changed. " + _first_error(form)
        if wants_fragment(request):
            return after_decision(request, movement, error, status=422)
        messages.error(request, error)
        return _back(request, movement)
    movement = decisions.set_inclusion(
        movement=movement,
        inclusion=form.cleaned_data["inclusion"],
        reason=form.cleaned_data["reason"],
        user=request.user,
    )
    record(
        Action.INCLUSION_CHANGED,
        by=request.user,
        subject=movement,
        player_id=movement.session.player_id,
        inclusion=form.cleaned_data["inclusion"],
    )
    return _decided(request, movement)


def _is_to_undo(data: QueryDict, movement: Movement) -> bool:
    """Whether the exclusion that the form was shown with still holds."""
    reason = movement.inclusion_reason
    is_excluded = movement.inclusion == Inclusion.EXCLUDED
    # A browser changes the ends of lines.
    return is_excluded and data.get("undone", reason).split() == reason.split()


def _decided(request: PageRequest, movement: Movement) -> HttpResponse:
    """Say what holds now."""
    done = "included in averages" if movement.is_counted else "excluded from averages"
    words = f"Swing {movement.position} is now {done}; averages are updated."
    if wants_fragment(request):
        return after_decision(request, movement, words)
    messages.success(request, words)
    return _back(request, movement)


def _first_error(form: InclusionForm) -> str:
    """The first error of the form, as text."""
    return next((str(e) for errors in form.errors.values() for e in errors), "")


def _back(request: PageRequest, movement: Movement) -> HttpResponse:
    """A redirect to the page that the form stood on, if that is one of ours."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    ):
        # Not `redirect`: it takes a word without a slash for the name of a view.
        return HttpResponseRedirect(wanted)
    return redirect("dashboard:swing", pk=movement.pk)
