"""The administration of the queue: what it calls when, and how that ended.

What it may call at all stands in the settings (QUEUE_MAY_CALL), for superusers too.
"""

from __future__ import annotations

import ast
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django_q.models import Failure, Schedule, Success
from django_q.tasks import async_task

from accounts.audit import record
from accounts.models import Action, User
from syncing import clock
from syncing.schedules import PLANS

if TYPE_CHECKING:
    _Form = forms.ModelForm[Any]
    QueueScheduleAdmin = admin.ModelAdmin[Any]
    FailAdmin = admin.ModelAdmin[Any]
    TaskAdmin = admin.ModelAdmin[Any]
else:  # Django's own classes take no parameter at run time
    from django_q.admin import FailAdmin, TaskAdmin
    from django_q.admin import ScheduleAdmin as QueueScheduleAdmin

    _Form = forms.ModelForm

for _model in (Failure, Schedule, Success):
    admin.site.unregister(_model)

#: Of a schedule of the product, what staff may change.
TIMES = frozenset({"schedule_type", "minutes", "cron", "next_run"})
#: Of a schedule of the product, what follows the code.
CALLED = ("name", "func", "args", "kwargs", "cluster", "intended_date_kwarg")
# Arguments of these names are orders to the queue, not to the function.
_ORDERS = frozenset(
    {
        *("q_options", "hook", "group", "save", "sync", "cached", "ack_failure"),
        *("iter_count", "iter_cached", "chain", "broker", "broker_name", "cluster"),
        *("timeout", "task_name"),
    }
)
# The scheduler counts up from a time that is past, step by step.
_MINUTES = 7 * 24 * 60
_PAST, _FUTURE = timedelta(days=1), timedelta(days=366 * 5)


def is_of_the_product(schedule: Schedule) -> bool:
    """Whether the schedule is one that each release registers."""
    return (schedule.name, schedule.func) in {(plan.name, plan.func) for plan in PLANS}


class ScheduleForm(_Form):
    """Refuses values at which the scheduler would stop, with all other schedules."""

    def clean_name(self) -> str | None:
        """Return the name; refuse one that the product uses for its own."""
        name: str | None = self.cleaned_data["name"]
        others = Schedule.objects.filter(name=name).exclude(pk=self.instance.pk)
        if any(plan.name == name for plan in PLANS) and (
            others.exists() or self.instance.pk is None
        ):
            raise forms.ValidationError("A schedule with this name already exists.")
        return name

    def clean_args(self) -> str | None:
        """Return the arguments; refuse what the scheduler cannot read."""
        text: str | None = self.cleaned_data["args"]
        if text:
            _literal(text)
        return text

    def clean_kwargs(self) -> str | None:
        """Return the named arguments; refuse those that are orders to the queue."""
        text: str | None = self.cleaned_data["kwargs"]
        if not text:
            return text
        values = _literal(text)
        if not isinstance(values, dict) or not all(isinstance(k, str) for k in values):
            raise forms.ValidationError("Enter them as {'name': value}.")
        if orders := sorted(_ORDERS.intersection(values)):
            raise forms.ValidationError(
                f"These aren't arguments of the function: {', '.join(orders)}."
            )
        return text

    def clean_next_run(self) -> Any:
        """Return the next time; refuse one far away."""
        at = self.cleaned_data["next_run"]
        now = clock.now()
        if "next_run" in self.changed_data and not now - _PAST < at < now + _FUTURE:
            raise forms.ValidationError("Choose a time within the next five years.")
        return at

    def clean_minutes(self) -> int | None:
        """Check that a number of minutes is at least one and at most a week."""
        minutes: int | None = self.cleaned_data["minutes"]
        if minutes is not None and not 1 <= minutes <= _MINUTES:
            raise forms.ValidationError(f"Enter 1 to {_MINUTES} minutes.")
        return minutes

    def clean(self) -> dict[str, Any]:
        """Check that a schedule by minutes says how many, and one by cron which day."""
        values = super().clean() or self.cleaned_data
        kind = values.get("schedule_type")
        is_by_minutes = kind == Schedule.MINUTES and "minutes" not in self.errors
        if is_by_minutes and not values.get("minutes"):
            self.add_error("minutes", "Enter the number of minutes.")
        if kind != Schedule.CRON or "cron" in self.errors:
            return values
        if not values.get("cron"):
            self.add_error(
                "cron", "Enter when, as minute, hour, day, month and weekday."
            )
            return values
        try:
            Schedule(
                schedule_type=Schedule.CRON, cron=values["cron"]
            ).calculate_next_run()
        except ValueError:
            self.add_error("cron", "That date never occurs. Choose one that does.")
        return values


def _literal(text: str) -> Any:
    """Return the value that the scheduler reads from a text, or refuse the text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise forms.ValidationError("These aren't plain values.") from None


@admin.register(Schedule)
class ScheduleAdmin(QueueScheduleAdmin):
    """When the queue calls what; a changed time holds from its next occurrence."""

    form = ScheduleForm
    fields = (
        *("name", "func", "args", "kwargs", "schedule_type", "minutes", "cron"),
        *("repeats", "next_run", "cluster", "intended_date_kwarg"),
    )

    def has_change_permission(
        self, request: HttpRequest, obj: Schedule | None = None
    ) -> bool:
        """Staff change the times of the product's own; superusers change others too."""
        user = cast(User, request.user)
        return super().has_change_permission(request, obj) and (
            user.is_superuser or obj is None or is_of_the_product(obj)
        )

    def get_readonly_fields(
        self, request: HttpRequest, obj: Schedule | None = None
    ) -> list[str]:
        """Fix what a schedule of the product calls, for superusers too."""
        if not cast(User, request.user).is_superuser:
            return [name for name in self.fields if name not in TIMES]
        return list(CALLED) if obj is not None and is_of_the_product(obj) else []

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer the functions that the queue may call as a list."""
        if db_field.name == "func":
            listed = [(name, name) for name in settings.QUEUE_MAY_CALL]
            return forms.ChoiceField(choices=listed, label="Function")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Explain the fields of times in the facility’s zone."""
        form = super().get_form(request, *args, **kwargs)
        zone = settings.TIME_ZONE
        helps = {
            "cron": (
                "Minute, hour, day, month, day of the week, in the time of "
                f"{zone}. “30 4 * * *” is every day at 4:30, “30 2 * * 0” Sundays "
                "at 2:30."
            ),
            "repeats": "-1: always. 0: turned off.",
        }
        for name, text in helps.items():
            # Who may only look has no such field.
            if name in form.base_fields:
                form.base_fields[name].help_text = text
        return form

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Save, with the next time of a changed rhythm, and record who did it."""
        # The queue would call it once more at the old time.
        is_new_time = {"cron", "schedule_type", "minutes"} & set(form.changed_data)
        if change and is_new_time and "next_run" not in form.changed_data:
            obj.next_run = obj.calculate_next_run(clock.now())
        super().save_model(request, obj, form, change)
        record(
            Action.RECORD_CHANGED,
            by=cast(User, request.user),
            subject=obj,
            fields=sorted(form.changed_data),
        )


@admin.action(description="Queue selected tasks again")
def submit_again(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, tasks: QuerySet[Any]
) -> None:
    """Queue ended tasks again, except those that the queue may not call."""
    refused = []
    count = 0
    for task in tasks:
        if task.func not in settings.QUEUE_MAY_CALL or task.hook:
            refused.append(task.func)
            continue
        async_task(
            task.func,
            *task.args or (),
            **task.kwargs or {},
            q_options={"group": task.group, "cluster": task.cluster},
        )
        count += 1
        if model_admin.model is Failure:
            task.delete()
    if count:
        by = cast(User, request.user)
        record(Action.RECORD_CHANGED, by=by, what="submit again", tasks=count)
        messages.success(request, f"{count} tasks are in the queue again.")
    if refused:
        names = ", ".join(sorted({str(name)[:100] for name in refused}))
        messages.error(request, f"The queue isn't allowed to call these: {names}.")


@admin.register(Success)
class SuccessAdmin(TaskAdmin):
    """Tasks that were done."""

    actions = [submit_again]


@admin.register(Failure)
class FailureAdmin(FailAdmin):
    """Tasks that failed; a task that is queued again leaves this list."""

    actions = [submit_again]
