"""Run the queue's cluster and keep it alive: the worker of the Procfile."""

import sys
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections

from reboot_site.supervisor import Supervisor, qcluster_command


def heartbeat_age_s() -> float | None:
    """Age of the last heartbeat; young when the database cannot be asked.

    A cluster is not at fault for a database that is away, and restarting it
    would not bring that back.
    """
    from syncing.status import worker_heartbeat_age_s

    try:
        close_old_connections()
        return worker_heartbeat_age_s()
    except DatabaseError:
        return 0.0


def leave() -> None:
    """Take this host off the list; ends well although the database is away."""
    from syncing.status import say_goodbye

    with suppress(DatabaseError):
        close_old_connections()
        say_goodbye()


class Command(BaseCommand):
    """Runs the queue's workers and restarts them when they die or fall silent."""

    help = "Runs the queue's workers and restarts them if they stop or don't respond."
    # The cluster makes them when it starts. Here they would load every page, for a
    # process that asks the database one question.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the cluster until it is told to stop; exit with its status."""
        supervisor = Supervisor(qcluster_command(), heartbeat_age_s=heartbeat_age_s)
        status = supervisor.run()
        leave()
        sys.exit(status)
