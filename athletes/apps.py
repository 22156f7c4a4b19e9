"""The settings of the Django app `athletes`."""

from typing import Any

from django.apps import AppConfig
from django.db import connections, transaction
from django.db.models.signals import post_delete, post_migrate, pre_migrate


class AthletesConfig(AppConfig):
    """The app of athletes, their sessions, movements and numbers."""

    name = "athletes"

    def ready(self) -> None:
        """Follow changes after migrations, and forget what goes with a session."""
        pre_migrate.connect(_let_tables_change, sender=self)
        post_migrate.connect(_follow_changes, sender=self)
        post_delete.connect(_forget_files, sender="athletes.Session")
        post_delete.connect(_tell_session_gone, sender="athletes.Session")
        post_delete.connect(_tell_athlete_gone, sender="athletes.Player")


def _forget_files(instance: Any, using: str, **_: Any) -> None:
    """Delete what was made for downloads of a session, when it is gone for good."""
    from athletes.api import kept_files

    pk = instance.pk
    transaction.on_commit(lambda: kept_files.forget([pk]), using=using)


def _tell_session_gone(instance: Any, **_: Any) -> None:
    """Tell the listeners that a session was deleted for good."""
    from athletes import listeners

    listeners.tell_ids(listeners.SESSION_GONE, [instance.pk])


def _tell_athlete_gone(instance: Any, **_: Any) -> None:
    """Tell the listeners that an athlete was erased."""
    from athletes import listeners

    listeners.tell_ids(listeners.ATHLETE_GONE, [instance.pk])


#: Apps whose migrations may change the tables that have triggers.
_OWNERS = frozenset({"athletes", "accounts"})


def _let_tables_change(using: str, plan: list[tuple[Any, bool]], **_: Any) -> None:
    """Take the triggers away before migrations: columns that they name cannot go."""
    from athletes.feed import triggers

    if any(migration.app_label in _OWNERS for migration, _ in plan):
        triggers.remove(connections[using])


def _follow_changes(using: str, **_: Any) -> None:
    """Make the triggers that write changes down, where they are missing."""
    from athletes.feed import triggers

    triggers.install(connections[using])
