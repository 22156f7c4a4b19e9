"""Goals of an athlete: set, edited, ended, deleted."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.audit import record
from accounts.models import Action
from accounts.sent_forms import store_once, stored_before
from athletes import access
from athletes.http import PageRequest
from athletes.models import Goal, Player
from dashboard.forms import GoalForm
from dashboard.selectors.goals import goals_of


@require_http_methods(["GET", "POST"])
def athlete_goals(request: PageRequest, pk: int) -> HttpResponse:
    """The athlete's goals, and setting one; `metric` chooses its number at first."""
    player = access.get_player_or_404(request.user, pk)
    form = GoalForm(
        request.POST or None,
        goal=Goal(player=player, created_by=request.user),
        system=request.user.units,
        metric=request.GET.get("metric", ""),
    )
    if request.method == "POST":
        access.require_edit(request.user)
        stored = Goal.objects.filter(pk=stored_before(request)).first()
        if stored is not None:
            return _answer(request, stored, "goal set")
        if form.is_valid():
            goal = form.changed_goal()
            store_once(request, lambda: _store(request, goal, "goal set"))
            return _answer(request, goal, "goal set")
    return _page(request, player, form, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def edit_goal(request: PageRequest, pk: int) -> HttpResponse:
    """The form to edit a goal, and saving it."""
    goal = access.get_goal_or_404(request.user, pk)
    access.require_edit(request.user)
    form = GoalForm(request.POST or None, goal=goal, system=request.user.units)
    if request.method == "POST" and form.is_valid():
        return _saved(request, form.changed_goal(), "goal edited")
    return _page(request, goal.player, form, status=422 if form.errors else 200)


@require_POST
def end_goal(request: PageRequest, pk: int) -> HttpResponse:
    """End a goal: it is shown no more, and stays in the list; or show it again."""
    goal = access.get_goal_or_404(request.user, pk)
    access.require_edit(request.user)
    goal.ended_at = None if request.POST.get("undo") else timezone.now()
    what = "goal reopened" if goal.ended_at is None else "goal ended"
    return _saved(request, goal, what, back=_list(goal.player))


@require_POST
def delete_goal(request: PageRequest, pk: int) -> HttpResponse:
    """Delete a goal; only who set it may, and staff."""
    goal = access.get_goal_or_404(request.user, pk)
    if not access.may_delete(request.user, goal):
        raise PermissionDenied(
            "Only the coach who set a goal, or staff, can delete it."
        )
    with transaction.atomic():
        record(
            Action.RECORD_DELETED,
            by=request.user,
            subject=goal,
            player_id=goal.player_id,
            what="goal deleted",
        )
        goal.delete()
    messages.success(request, "Goal deleted.")
    return redirect(_list(goal.player))


def _saved(request: PageRequest, goal: Goal, what: str, back: str = "") -> HttpResponse:
    """Store the goal; leads to `back`, or to the trend that shows it."""
    _store(request, goal, what)
    return _answer(request, goal, what, back)


def _store(request: PageRequest, goal: Goal, what: str) -> int:
    """Store the goal with the audit's entry; returns its key."""
    with transaction.atomic():
        goal.save()
        record(
            Action.RECORD_CHANGED,
            by=request.user,
            subject=goal,
            player_id=goal.player_id,
            what=what,
        )
    return goal.pk


def _answer(
    request: PageRequest, goal: Goal, what: str, back: str = ""
) -> HttpResponse:
    """Say what was done, on the page `back` or at the trend that shows the goal."""
    messages.success(request, f"{what.capitalize()}.")
    shown = reverse("dashboard:athlete", args=[goal.player_id])
    return redirect(back or f"{shown}?metric={goal.metric}#numbers")


def _list(player: Player) -> str:
    return reverse("dashboard:athlete_goals", args=[player.pk])


def _page(
    request: PageRequest, player: Player, form: GoalForm, *, status: int
) -> HttpResponse:
    """The form, and the athlete's goals below it."""
    is_new = form.goal.pk is None
    heading = "Goals" if is_new else "Edit goal"
    crumbs = [
        ("Athletes", reverse("dashboard:list")),
        (player.full_name, reverse("dashboard:athlete", args=[player.pk])),
        *([] if is_new else [("Goals", _list(player))]),
        (heading, ""),
    ]
    context = {
        "player": player,
        "form": form,
        "is_new": is_new,
        "heading": heading,
        "crumbs": crumbs,
        "goals": goals_of(player, request.user.units) if is_new else None,
        "may_administer": access.may_administer(request.user),
    }
    return render(request, "dashboard/goals.html", context, status=status)
