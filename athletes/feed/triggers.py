"""Triggers by which the database itself writes down every change that JSON shows.

No writer can forget one: saves, bulk updates, cascades, raw SQL and statements by hand
all pass here. A column counts as shown unless it is named in `UNSEEN`, so that a new
one is followed from its first day.

`install` runs after each `migrate` (athletes.apps). The name of a trigger ends with a
hash of its text: one that a release changed is made anew, and the rows of its table are
then told again. So are all when migrations change the tables: triggers would stand in
their way, and are taken away before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from athletes.models import new_epoch

#: By table: columns that no JSON shows.
UNSEEN = {
    "players": frozenset(
        {
            *("search_text", "last_session_on", "session_count", "swing_count"),
            *("data_state", "latest_hand_speed_m_per_s", "latest_bat_speed_m_per_s"),
            *("corrected_fields", "vendor_updated_at", "compared_at", "updated_at"),
        }
    ),
    "sessions": frozenset(
        {
            *("session_num", "mocap_type_name", "session_type_name", "vendor_status"),
            *("vendor_updated_at", "data_state", "data_gap", "bat", "recorded_as_id"),
            *("height_ft", "weight_lbs"),
            *("swing_count", "summary", "updated_at"),
        }
    ),
    "movements": frozenset(
        {
            *("folded_from_id", "name_at_vendor", "metadata", "vendor_metrics"),
            *("unlisted_since", "became_id", "duration_s", "verdict"),
            *("automatic_events", "analysed_at", "updated_at"),
        }
    ),
    # Who sees the athlete.
    "accounts_team_players": frozenset(),
}
#: Columns of a session that its movements show too.
_IN_MOVEMENTS = (
    *("player_id", "session_id", "session_date", "condition", "folded_into_id"),
    "missing_since",
)
#: Columns of an athlete that movements show too.
_IN_SWINGS = ("org_player_id", "merged_into_id")

_COLUMNS = "kind, row_id, parent_id, gone, spreads, at"
_PREFIX = "feed_"


@dataclass(frozen=True)
class _Dialect:
    """How one kind of database writes what differs."""

    now: str
    differs: str

    def changed(self, columns: Iterable[str]) -> str:
        """The condition that any of the columns has another value."""
        return " OR ".join(
            f'OLD."{name}" {self.differs} NEW."{name}"' for name in columns
        )


_DIALECTS = {
    "postgresql": _Dialect("clock_timestamp()", "IS DISTINCT FROM"),
    # Milliseconds, rounded up: no change is dated before it was made.
    "sqlite": _Dialect("strftime('%Y-%m-%d %H:%M:%f', 'now') || '999'", "IS NOT"),
}


@dataclass(frozen=True)
class _Trigger:
    """One trigger: on which event, under which condition, and what it writes."""

    table: str
    event: str
    condition: str
    statements: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name, which ends with a hash of all else."""
        text = "\n".join((self.condition, *self.statements))
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        return f"{_PREFIX}{self.table}_{self.event}_{digest}"

    def sql(self, vendor: str) -> list[str]:
        """The statements that make it."""
        body = " ".join(f"{statement};" for statement in self.statements)
        when = f"WHEN ({self.condition}) " if self.condition else ""
        head = f'CREATE TRIGGER "{self.name}" AFTER {self.event} ON "{self.table}" '
        if vendor == "sqlite":
            return [f"{head}FOR EACH ROW {when}BEGIN {body} END"]
        return [
            f'CREATE OR REPLACE FUNCTION "{self.name}"() RETURNS trigger '
            f"LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$",
            f'{head}FOR EACH ROW {when}EXECUTE FUNCTION "{self.name}"()',
        ]


def _note(dialect: _Dialect, *values: str, only_if: str = "") -> str:
    where = f" WHERE {only_if}" if only_if else ""
    return (
        f"INSERT INTO feed_notes ({_COLUMNS}) "
        f"SELECT {', '.join(values)}, {dialect.now}{where}"
    )


def _case(condition: str, yes: object, no: object) -> str:
    return f"CASE WHEN {condition} THEN {yes} ELSE {no} END"


def _wanted(vendor: str, columns: dict[str, list[str]]) -> Iterator[_Trigger]:
    """Yield all triggers, for tables that have these columns."""
    dialect = _DIALECTS[vendor]
    shown = {
        table: sorted(set(columns[table]) - hidden) for table, hidden in UNSEEN.items()
    }

    def there(row: str, column: str) -> str:
        return _case(f"{row}.{column} IS NULL", "''", "'merged'")

    # What shows an athlete, and whose swings name them by the vendor's id.
    spreads = _case(dialect.changed(_IN_SWINGS), 2, 1)
    player = ("'player'", "NEW.id", "NULL", there("NEW", "merged_into_id"))

    # Who is kept shows the records that were merged into them.
    def keeper(row: str) -> str:
        column = f"{row}.merged_into_id"
        values = ("'player'", column, "NULL", "NULL", "0")
        return _note(dialect, *values, only_if=f"{column} IS NOT NULL")

    yield _Trigger(
        "players", "INSERT", "", (_note(dialect, *player, "0"), keeper("NEW"))
    )
    yield _Trigger(
        "players",
        "UPDATE",
        dialect.changed(shown["players"]),
        (_note(dialect, *player, spreads), keeper("OLD"), keeper("NEW")),
    )
    erased = ("'player'", "OLD.id", "NULL", "'erased'", "0")
    yield _Trigger("players", "DELETE", "", (_note(dialect, *erased), keeper("OLD")))

    session = ("'session'", "NEW.id", "NEW.player_id", there("NEW", "folded_into_id"))

    # A row that shows parts of others is there as long as one of them is.
    def folder(row: str) -> str:
        column = f"{row}.folded_into_id"
        values = ("'session'", column, "NULL", "NULL", "0")
        return _note(dialect, *values, only_if=f"{column} IS NOT NULL")

    yield _Trigger(
        "sessions", "INSERT", "", (_note(dialect, *session, "0"), folder("NEW"))
    )
    spreads = _case(dialect.changed(_IN_MOVEMENTS), 1, 0)
    yield _Trigger(
        "sessions",
        "UPDATE",
        dialect.changed(shown["sessions"]),
        (_note(dialect, *session, spreads), folder("OLD"), folder("NEW")),
    )
    erased = ("'session'", "OLD.id", "OLD.player_id", "'erased'", "0")
    yield _Trigger("sessions", "DELETE", "", (_note(dialect, *erased), folder("OLD")))

    movement = ("'movement'", "NEW.id", "NEW.session_id", "''", "0")
    yield _Trigger("movements", "INSERT", "", (_note(dialect, *movement),))
    yield _Trigger(
        "movements",
        "UPDATE",
        dialect.changed(shown["movements"]),
        (_note(dialect, *movement),),
    )
    erased = ("'movement'", "OLD.id", "OLD.session_id", "'erased'", "0")
    yield _Trigger("movements", "DELETE", "", (_note(dialect, *erased),))

    team = "accounts_team_players"
    joined = _note(dialect, "'player'", "NEW.player_id", "NULL", "NULL", "2")
    left = _note(dialect, "'player'", "OLD.player_id", "NULL", "NULL", "2")
    leaving = (
        "INSERT INTO team_leavings (team_id, player_id, left_at) "
        f"SELECT OLD.team_id, OLD.player_id, {dialect.now}"
    )
    yield _Trigger(team, "INSERT", "", (joined,))
    yield _Trigger(
        team, "UPDATE", dialect.changed(shown[team]), (left, leaving, joined)
    )
    yield _Trigger(team, "DELETE", "", (left, leaving))


# --- Making them ------------------------------------------------------------------


def install(connection: Any) -> list[str]:
    """Make the triggers that are missing, and take away those of another release.

    Rows of a table whose triggers are made are put into the order: at first all of
    them at once, later as changes, because some may have been missed. Does nothing
    while a table or a column of the order is missing (amid a series of migrations).

    Returns
    -------
    list of str
        The tables whose triggers were made.
    """
    vendor = connection.vendor
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        existing = set(connection.introspection.table_names(cursor))
        if (
            not {"feed_notes", "feed_rows", "feed_counter", "team_leavings", *UNSEEN}
            <= existing
        ):
            return []
        columns = {
            table: [
                column.name
                for column in connection.introspection.get_table_description(
                    cursor, table
                )
            ]
            for table in (*UNSEEN, "feed_counter")
        }
        if "epoch" not in columns["feed_counter"]:
            return []
        wanted = {trigger.name: trigger for trigger in _wanted(vendor, columns)}
        there = _existing(cursor, vendor)
        made = [trigger for name, trigger in wanted.items() if name not in there]
        for trigger in made:
            for statement in trigger.sql(vendor):
                cursor.execute(statement)
        for name, table in there.items():
            if name not in wanted:
                _drop(cursor, vendor, name, table)
        tables = sorted({trigger.table for trigger in made})
        for table in tables:
            _tell_all(cursor, vendor, table)
    return tables


def remove(connection: Any) -> None:
    """Take all triggers away."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for name, table in _existing(cursor, connection.vendor).items():
            _drop(cursor, connection.vendor, name, table)


def _existing(cursor: Any, vendor: str) -> dict[str, str]:
    """The triggers that are there, with their tables."""
    if vendor == "sqlite":
        cursor.execute(
            "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' "
            "AND substr(name, 1, 5) = 'feed_'"
        )
    else:
        cursor.execute(
            "SELECT t.tgname, c.relname FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE NOT t.tgisinternal AND starts_with(t.tgname, 'feed_') "
            "AND c.relnamespace = current_schema()::regnamespace"
        )
    return dict(cursor.fetchall())


def _drop(cursor: Any, vendor: str, name: str, table: str) -> None:
    if vendor == "sqlite":
        cursor.execute(f'DROP TRIGGER "{name}"')
        return
    cursor.execute(f'DROP TRIGGER "{name}" ON "{table}"')
    cursor.execute(f'DROP FUNCTION "{name}"()')


#: By table: kind, the column of the parent, and whether the row is gone.
_ROWS = {
    "players": ("player", "NULL", _case("merged_into_id IS NULL", "''", "'merged'")),
    "sessions": (
        "session",
        "player_id",
        _case("folded_into_id IS NULL", "''", "'merged'"),
    ),
    "movements": ("movement", "session_id", "''"),
}


def _tell_all(cursor: Any, vendor: str, table: str) -> None:
    """Put all rows of a table into the order, by one statement."""
    if table not in _ROWS:
        return
    kind, parent, gone = _ROWS[table]
    cursor.execute("SELECT 1 FROM feed_rows WHERE kind = %s LIMIT 1", [kind])
    if cursor.fetchone() is None:
        cursor.execute(
            "INSERT INTO feed_rows "  # noqa: S608 - our own words alone
            "(kind, row_id, parent_id, place, changed_at, gone, gone_at) "
            f"SELECT '{kind}', id, {parent}, "
            "(SELECT COALESCE(MAX(last), 0) FROM feed_counter) "
            f"+ ROW_NUMBER() OVER (ORDER BY id), updated_at, {gone}, "
            f"CASE WHEN {gone} = '' THEN NULL ELSE updated_at END FROM {table}"
        )
        cursor.execute(
            "INSERT INTO feed_counter (id, last, epoch) SELECT 1, 0, %s "
            "WHERE NOT EXISTS (SELECT 1 FROM feed_counter)",
            [new_epoch()],
        )
        cursor.execute(
            "UPDATE feed_counter SET last = "
            "(SELECT COALESCE(MAX(place), 0) FROM feed_rows)"
        )
        return
    now = _DIALECTS[vendor].now
    cursor.execute(
        f"INSERT INTO feed_notes ({_COLUMNS}) "  # noqa: S608 - our own words alone
        f"SELECT '{kind}', id, {parent}, {gone}, 0, {now} FROM {table}"
    )
    cursor.execute(
        f"INSERT INTO feed_notes ({_COLUMNS}) "  # noqa: S608 - our own words alone
        f"SELECT kind, row_id, NULL, 'erased', 0, {now} FROM feed_rows f "
        f"WHERE kind = '{kind}' AND gone <> 'erased' "
        f"AND NOT EXISTS (SELECT 1 FROM {table} t WHERE t.id = f.row_id)"
    )
