"""The cache, in Redis or in a table, with JSON in the place of pickles.

Reading a pickle runs what its writer put there, and Redis or a copy of the database may
be within reach of others. What is no JSON is therefore as good as not there.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from django.db import DatabaseError, connections, router, transaction
from django.utils import timezone

logger = logging.getLogger(__name__)

_UNREADABLE = object()


class JsonSerializer:
    """Text for a value and back; refuses what would come back as something else."""

    def dumps(self, value: Any) -> str:
        """JSON of a value. TypeError for what JSON cannot give back as it was."""
        _check(value)
        return json.dumps(value, separators=(",", ":"))

    def loads(self, data: str | bytes) -> Any:
        """The value again, or a mark for what is no JSON."""
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            # Not its text: it may be anything.
            logger.warning("A cache entry isn't valid JSON and was skipped.")
            return _UNREADABLE


def _check(value: Any) -> None:
    if type(value) is dict:
        if any(type(key) is not str for key in value):
            raise TypeError("Keys of a cached dict must be text.")
        value = list(value.values())
    if type(value) is list:
        for item in value:
            _check(item)
    elif value is not None and type(value) not in {str, int, float, bool}:
        raise TypeError(
            f"A {type(value).__name__} does not survive the cache: store text, "
            "numbers, lists or dicts."
        )


def redis_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that an unreachable Redis raises, for `except`.

    None where Redis is not set; its client is imported only where it is.
    """
    if not settings.REDIS_URL:
        return ()
    from redis import RedisError

    return (RedisError,)


# --- Redis ----------------------------------------------------------------------


class _JsonRedisClient(RedisCacheClient):
    def __init__(self, servers: list[str], **options: Any) -> None:
        super().__init__(servers, **options | {"serializer": JsonSerializer})

    def get(self, key: Any, default: Any) -> Any:
        found = super().get(key, default)
        return default if found is _UNREADABLE else found

    def get_many(self, keys: Any) -> dict[Any, Any]:
        found = super().get_many(keys)
        return {name: item for name, item in found.items() if item is not _UNREADABLE}


class JsonRedisCache(RedisCache):
    """Django's Redis cache, with JSON."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _JsonRedisClient


# --- Database -------------------------------------------------------------------


class JsonDatabaseCache(DatabaseCache):
    """Django's table as cache, with JSON, and counters that lose no count."""

    _serializer = JsonSerializer()

    @property
    def table(self) -> str:
        """The name of the table that holds the entries."""
        name: str = self._table  # type: ignore[attr-defined]
        return name

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        """Return the entries that are there and not over, by their keys."""
        names = {self.make_and_validate_key(key, version=version): key for key in keys}
        if not names:
            return {}
        connection = connections[router.db_for_read(self.cache_model_class)]
        places = ", ".join(["%s"] * len(names))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT cache_key, value FROM {self._quoted(connection)} "  # noqa: S608
                f"WHERE cache_key IN ({places}) AND expires >= %s",
                [*names, self._adapted(connection, timezone.now())],
            )
            rows = cursor.fetchall()
        found = {names[name]: self._serializer.loads(text) for name, text in rows}
        return {key: item for key, item in found.items() if item is not _UNREADABLE}

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Count on; ValueError where there is no number. None of many is lost."""
        name = self.make_and_validate_key(key, version=version)
        using = router.db_for_write(self.cache_model_class)
        connection = connections[using]
        table = self._quoted(connection)
        lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
        with transaction.atomic(using=using), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT value FROM {table} "  # noqa: S608 - quoted
                f"WHERE cache_key = %s AND expires >= %s{lock}",
                [name, self._adapted(connection, timezone.now())],
            )
            row = cursor.fetchone()
            number = self._serializer.loads(row[0]) if row else None
            if type(number) is not int:
                raise ValueError(f"Key '{key}' holds no number.")
            cursor.execute(
                f"UPDATE {table} SET value = %s WHERE cache_key = %s",  # noqa: S608
                [self._serializer.dumps(number + delta), name],
            )
        return number + delta

    def _base_set(
        self, mode: str, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT
    ) -> bool:
        if mode == "touch":  # writes no value
            touched: bool = super()._base_set(mode, key, None, timeout)  # type: ignore[misc]
            return touched
        text = self._serializer.dumps(value)
        using = router.db_for_write(self.cache_model_class)
        connection = connections[using]
        table = self._quoted(connection)
        now = timezone.now()
        end = self.get_backend_timeout(timeout)
        expires = (
            datetime.max.replace(microsecond=0)  # noqa: DTZ901 - as Django does
            if end is None
            else datetime.fromtimestamp(end, UTC)
        )
        is_over = f" WHERE {table}.expires < %s" if mode == "add" else ""
        values = [key, text, self._adapted(connection, expires)]
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM {table}")  # noqa: S608 - quoted
            (count,) = cursor.fetchone()
            if count > self._max_entries:
                self._cull(using, cursor, now, count)  # type: ignore[attr-defined]
            try:
                with transaction.atomic(using=using):
                    cursor.execute(
                        f"INSERT INTO {table} (cache_key, value, expires) "  # noqa: S608
                        "VALUES (%s, %s, %s) ON CONFLICT (cache_key) DO UPDATE SET "
                        f"value = excluded.value, expires = excluded.expires{is_over}",
                        values + ([self._adapted(connection, now)] if is_over else []),
                    )
                    return bool(cursor.rowcount > 0)
            except DatabaseError:
                return False  # a cache may fail; whoever added does not have it

    def _quoted(self, connection: Any) -> str:
        name: str = connection.ops.quote_name(self.table)
        return name

    @staticmethod
    def _adapted(connection: Any, moment: datetime) -> Any:
        return connection.ops.adapt_datetimefield_value(moment)
