"""What the queue does by the clock.

Registered by name at each release. What a schedule calls follows the code; when it is
called belongs to staff once the row exists, so a time that was changed in the admin
stays. A schedule is switched off by setting its repeats to 0; one that was deleted
comes back with the next release.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django_q.models import Schedule

#: What starts a sync by the clock.
SYNC_BY_CLOCK = "syncing.tasks.scheduled_sync_task"


@dataclass(frozen=True)
class Plan:
    """One schedule: its name, what it calls, and when at first."""

    name: str
    func: str
    timing: dict[str, Any]
    kwargs: dict[str, Any] = field(default_factory=dict)


# Cron is read in the facility's time zone (FACILITY_TIME_ZONE).
PLANS = (
    Plan(
        "Sync every day",
        SYNC_BY_CLOCK,
        {"schedule_type": Schedule.CRON, "cron": "30 4 * * *"},
    ),
    Plan(
        "Full sync every week",
        SYNC_BY_CLOCK,
        {"schedule_type": Schedule.CRON, "cron": "30 2 * * 0"},
        {"full": True},
    ),
    Plan(
        "Clean up waiting work",
        "syncing.tasks.sweep_task",
        {"schedule_type": Schedule.MINUTES, "minutes": 5},
    ),
    # It reaches one host of several. Beside it each cluster calls its own host
    # (reboot_site/broker.py).
    Plan(
        "Heartbeat of the queue",
        "syncing.tasks.heartbeat_task",
        {"schedule_type": Schedule.MINUTES, "minutes": 1},
    ),
    Plan(
        "Delete old task results",
        "syncing.tasks.prune_task",
        {"schedule_type": Schedule.CRON, "cron": "10 3 * * *"},
    ),
    # After an upgrade that changed the method; else it finds nothing to do.
    Plan(
        "Recompute old numbers",
        "athletes.tasks.recompute_old_task",
        {"schedule_type": Schedule.MINUTES, "minutes": 1},
    ),
    # After an upgrade from a release that knew no setup of a swing, the first time at
    # once; else it finds nothing to do.
    Plan(
        "Keep setups apart",
        "athletes.tasks.refresh_joined_task",
        {"schedule_type": Schedule.DAILY},
    ),
    # Names of tasks above this package: the queue imports them, we do not.
    Plan(
        "Delete expired data",
        "privacy.tasks.prune_task",
        {"schedule_type": Schedule.HOURLY},
    ),
    Plan(
        "Measure storage",
        "privacy.tasks.measure_storage_task",
        {"schedule_type": Schedule.DAILY},
    ),
    Plan(
        "Test the latest backup",
        "reboot_site.tasks.check_backup_task",
        {"schedule_type": Schedule.CRON, "cron": "15 1 * * 1"},
    ),
    Plan(
        "Retry webhooks",
        "webhooks.tasks.deliver_due_task",
        {"schedule_type": Schedule.MINUTES, "minutes": 1},
    ),
)


def register() -> list[str]:
    """Create the missing schedules, update what each calls; return new names."""
    created = []
    for plan in PLANS:
        called = {"func": plan.func, "args": None, "kwargs": str(plan.kwargs) or None}
        schedule, is_new = Schedule.objects.update_or_create(
            name=plan.name,
            defaults=called,
            create_defaults={**called, **plan.timing, "repeats": -1},
        )
        if is_new:
            created.append(plan.name)
            if schedule.schedule_type == Schedule.CRON:
                # Django-Q would take "now" for the first time.
                schedule.next_run = schedule.calculate_next_run()
                schedule.save(update_fields=["next_run"])
    return created
