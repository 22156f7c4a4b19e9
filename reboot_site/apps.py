"""The app that wires the others: database, queue and their checks."""

from typing import Any

from django.apps import AppConfig


class RebootSiteConfig(AppConfig):
    """Connects what holds for the whole product when Django starts."""

    name = "reboot_site"
    verbose_name = "Dashboard"

    def ready(self) -> None:
        """Connect the signals of database and queue, and register the checks."""
        from django.apps import apps
        from django.conf import settings
        from django.db.backends.signals import connection_created
        from django.db.models.signals import post_migrate, post_save
        from django_q.models import Task
        from django_q.signals import call_hook, post_execute_in_worker, pre_enqueue

        from reboot_site import (
            checks,  # noqa: F401  # registers the checks
            crashes,
            permissions,
            queuerules,
        )

        permissions.close_what_is_open()
        crashes.start(settings.SENTRY_DSN)
        connection_created.connect(
            _end_idle_transactions, dispatch_uid="reboot_site.idle-transactions"
        )
        post_execute_in_worker.connect(
            _tell_no_values, dispatch_uid="reboot_site.failed-tasks"
        )
        pre_enqueue.connect(
            queuerules.on_enqueue, dispatch_uid="reboot_site.queue-rules"
        )
        post_migrate.connect(
            _make_cache_table,
            # Sent once for each app that has tables, which this one has not.
            sender=apps.get_app_config("accounts"),
            dispatch_uid="reboot_site.cache-table",
        )
        # It would import and call whatever name stands in the row of a result.
        post_save.disconnect(call_hook, sender=Task)


def _make_cache_table(using: str, **kwargs: Any) -> None:
    """Make the cache's table, so that `migrate` is all that a database needs.

    No migration does it: whether there has to be one depends on REDIS_URL, which may
    change later.
    """
    from django.core.management import call_command

    call_command("createcachetable", database=using, verbosity=0)


def _end_idle_transactions(connection: Any, **kwargs: Any) -> None:
    """Have PostgreSQL let go of what a host held that lost power, or was frozen.

    It learns of that after hours only, and until then all others would wait for the
    rows that an unfinished transaction has locked. Set by a statement, since poolers
    refuse it among the parameters of a connection.
    """
    if connection.vendor == "postgresql":
        with connection.connection.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = '60s'")


def _tell_no_values(task: dict[str, Any], **kwargs: Any) -> None:
    """Keep and log of a failed task what logs may tell: its traceback has values."""
    from reboot_site.logs import redact, without_values

    if not task["success"] and isinstance(task["result"], str):
        task["result"] = redact(without_values(task["result"]))
