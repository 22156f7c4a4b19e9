"""The pages of the sync: its state, its history, and the buttons of staff."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from accounts.audit import record
from accounts.models import Action, User
from athletes.access import may_administer, may_start_sync
from athletes.analysis import old_numbers
from athletes.http import PageRequest, page_number, wants_fragment
from syncing import care, clock, selectors, services
from syncing.choices import JobState, Trigger
from syncing.forms import BackfillForm, StartForm
from syncing.models import ColumnLayout, ExportJob, SyncLog
from syncing.status import SyncState, sync_state, uncomputed_sessions, unread_sessions


def _rights(user: User) -> dict[str, bool]:
    """Return what the user may do on the pages of the sync, for their templates."""
    return {"may_act": may_administer(user), "may_start": may_start_sync(user)}


def _require_staff(request: HttpRequest) -> None:
    if not may_administer(request.user):
        raise PermissionDenied("Only staff can start, stop or repair a sync.")


@require_safe
def index(request: PageRequest) -> HttpResponse:
    """The page of the sync: state, failures, what waits, history."""
    return _whole_page(request, BackfillForm())


@require_safe
def panel(request: PageRequest) -> HttpResponse:
    """The part that changes with each run; the page asks for it again and again.

    `?active=1` says that the page shows a run under way.
    """
    if not wants_fragment(request):
        return redirect("syncing:index")
    state = selectors.sync_panel(request.user)
    response = render(
        request,
        "syncing/_panel.html",
        {"panel": state, **_rights(request.user)},
    )
    patch_vary_headers(response, ("HX-Request",))
    if "active" in request.GET and not state.status.is_active:
        # What the run changed below the panel: failures, waiting, history.
        response["HX-Trigger"] = "sync-ended"
    return response


@require_safe
def records(request: PageRequest) -> HttpResponse:
    """Failures, waiting files and history, loaded again after a run has ended."""
    if not wants_fragment(request):
        return redirect("syncing:index")
    status = sync_state()
    return render(request, "syncing/_records.html", _records(request, status))


@require_safe
def freshness(request: PageRequest) -> HttpResponse:
    """The chip in the head of every page: how fresh the data are.

    `?run=` names a run that the page shows as under way: once it has ended, the answer
    says what it brought.
    """
    run = _number(request.GET.get("run", ""))
    return render(
        request,
        "syncing/_freshness.html",
        {
            "chip": selectors.freshness(request.user),
            "news": None if run is None else selectors.news(run, request.user),
        },
    )


@require_safe
def alert(request: PageRequest) -> HttpResponse:
    """A warning on the home page when a day passed without success, or nothing."""
    state = selectors.sync_panel(request.user)
    return render(request, "syncing/_alert.html", {"panel": state})


@require_safe
def run(request: PageRequest, pk: int) -> HttpResponse:
    """The page of one run."""
    found = get_object_or_404(SyncLog.objects.select_related("requested_by"), pk=pk)
    return render(
        request,
        "syncing/run.html",
        {
            "detail": selectors.run_detail(found, request.user),
            **_rights(request.user),
        },
    )


@require_POST
def start(request: PageRequest) -> HttpResponse:
    """Start a sync; a run that is under way is shown, never joined by a second one."""
    form = StartForm(request.POST)
    full = form.is_valid() and form.cleaned_data["full"]
    if full:
        _require_staff(request)
    if not may_start_sync(request.user):
        raise PermissionDenied(
            "Your account can't start a sync. Ask staff to turn it on."
        )
    started, created = services.request_sync(
        trigger=Trigger.BUTTON, user=request.user, full=full
    )
    if created:
        record(Action.SYNC_REQUESTED, by=request.user, subject=started, full=full)
    else:
        messages.info(request, "A sync is already running.")
    return _back_to_panel(request)


@require_POST
def cancel(request: PageRequest) -> HttpResponse:
    """Ask the active run to stop."""
    _require_staff(request)
    if services.request_cancel(user=request.user):
        record(Action.RECORD_CHANGED, by=request.user, what="cancel sync")
    else:
        messages.info(request, "Nothing to cancel: the sync had already ended.")
    return _back_to_panel(request)


@require_POST
def retry(request: PageRequest) -> HttpResponse:
    """Try again what failed: one file or session, or all of one reason."""
    _require_staff(request)
    if "sessions" in request.POST:
        return _retry_sessions(request)
    count = services.retry_jobs(job_ids=_chosen_jobs(request), user=request.user)
    record(Action.SYNC_REQUESTED, by=request.user, what="try again", files=count)
    messages.success(request, f"{_files(count)} will be retried now.")
    return redirect("syncing:index")


def _retry_sessions(request: PageRequest) -> HttpResponse:
    """Read sessions again, or compute their numbers again."""
    kind, number = request.POST["sessions"], _number(request.POST.get("row", ""))
    rows: dict[str, list[int]] = {"unread": [], "uncomputed": []}
    if kind in rows and number is not None:
        rows[kind] = [number]
    elif kind == "unread":
        rows[kind] = list(unread_sessions().values_list("pk", flat=True))
    elif kind == "uncomputed":
        rows[kind] = list(uncomputed_sessions().values_list("pk", flat=True))
    count = services.retry_sessions(user=request.user, **rows)
    record(Action.SYNC_REQUESTED, by=request.user, what="try again", sessions=count)
    sessions = "1 session" if count == 1 else f"{count} sessions"
    messages.success(request, f"{sessions} will be looked at again now.")
    return redirect("syncing:index")


@require_POST
def give_up(request: PageRequest) -> HttpResponse:
    """Stop asking for files that will never come."""
    _require_staff(request)
    count = services.give_up(job_ids=_chosen_jobs(request))
    record(Action.RECORD_CHANGED, by=request.user, what="give up", files=count)
    messages.success(request, f"{_files(count)} given up; “Try again” undoes it.")
    return redirect("syncing:index")


@require_POST
def note_columns(request: PageRequest) -> HttpResponse:
    """Note that the columns of a kind of file changed: it is not listed any more."""
    _require_staff(request)
    number = _number(request.POST.get("row", ""))
    waiting = ColumnLayout.objects.filter(noted_at__isnull=True)
    if number is not None and waiting.filter(pk=number).update(
        noted_at=clock.now(), noted_by=request.user
    ):
        messages.success(request, "Hidden. A further change is listed again.")
    return redirect("syncing:index")


@require_POST
def backfill(request: PageRequest) -> HttpResponse:
    """Download the files of an athlete, or of some days, again."""
    _require_staff(request)
    form = BackfillForm(request.POST)
    if form.is_valid():
        player = form.cleaned_data["player"]
        count = services.backfill(
            player_ids=None if player is None else [player.pk],
            start=form.cleaned_data["start"],
            end=form.cleaned_data["end"],
            user=request.user,
        )
        record(
            Action.SYNC_REQUESTED,
            by=request.user,
            player_id=None if player is None else player.pk,
            what="download again",
            files=count,
        )
        messages.success(request, f"{_files(count)} will be downloaded again.")
        return redirect("syncing:index")
    return _whole_page(request, form, status=422)


def _whole_page(
    request: PageRequest, form: BackfillForm, status: int = 200
) -> HttpResponse:
    panel = selectors.sync_panel(request.user, with_jobs=True)
    context = {
        "panel": panel,
        "backfill_form": form,
        **_records(request, panel.status),
    }
    return render(request, "syncing/index.html", context, status=status)


def _records(request: PageRequest, status: SyncState) -> dict[str, Any]:
    shown = {
        **_rights(request.user),
        "waiting": status.waiting,
        "runs": selectors.history(page_number(request)),
    }
    if not may_administer(request.user):
        return shown | {"incomplete": selectors.incomplete(request.user)}
    return shown | {
        "old_numbers": old_numbers.progress(),
        "failures": selectors.failures(status),
        "troubles": selectors.troubles(status),
        "unread_values": care.unread_values(),
        "column_changes": care.column_changes(),
    }


def _chosen_jobs(request: HttpRequest) -> list[int]:
    """Return the ids of the job, or of the jobs of one reason, that a form names."""
    job = _number(request.POST.get("job", ""))
    if job is not None:
        return [job]
    jobs = ExportJob.objects.broken().filter(error_code=request.POST.get("code", ""))
    if request.POST.get("only") == JobState.FAILED:
        jobs = jobs.filter(state=JobState.FAILED)
    return list(jobs.values_list("pk", flat=True))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _back_to_panel(request: PageRequest) -> HttpResponse:
    if wants_fragment(request):
        response = render(
            request,
            "syncing/_panel.html",
            {"panel": selectors.sync_panel(request.user), **_rights(request.user)},
        )
        # The head of the page looks after it from now on.
        response["HX-Trigger"] = "sync-started"
        return response
    return redirect("syncing:index")
