"""The connection to PostgreSQL: is it still there, and the times it reads."""

import datetime as dt

import psycopg
import pytest
from django.db import DataError, connection

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL's own"),
]


@pytest.fixture
def other():
    """The server, asked by somebody else."""
    with psycopg.connect(
        **connection.get_connection_params() | {"context": None}, autocommit=True
    ) as link:
        yield link


@pytest.fixture
def request_begins():
    """What Django does at the beginning of a request to a kept connection."""
    connection.ensure_connection()
    connection.health_check_enabled = True
    connection.health_check_done = False
    yield
    connection.health_check_enabled = False


def backend():
    return connection.connection.info.backend_pid


def test_a_quiet_connection_is_used_without_asking(request_begins, other):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'before'")
        connection.health_check_done = False
    with connection.cursor():
        pass  # Django asks here, where it asks
    last = "SELECT query FROM pg_stat_activity WHERE pid = %s"
    assert other.execute(last, [backend()]).fetchone() == ("SELECT 'before'",)


def test_a_connection_that_the_server_ended_is_made_anew(request_begins, other):
    ended = backend()
    other.execute("SELECT pg_terminate_backend(%s, 5000)", [ended])
    with connection.cursor() as cursor:
        cursor.execute("SELECT 7")
        assert cursor.fetchone() == (7,)
    assert backend() != ended


def test_a_connection_that_was_closed_here_is_made_anew(request_begins):
    connection.connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 7")
        assert cursor.fetchone() == (7,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01 10:20:30.123456+00", (2026, 3, 1, 10, 20, 30, 123456)),
        ("2026-03-01 10:20:30.1+00", (2026, 3, 1, 10, 20, 30, 100000)),
        ("2026-03-01 12:20:30+02", (2026, 3, 1, 10, 20, 30)),
        ("0001-01-01 00:00:00+00", (1, 1, 1)),
    ],
)
def test_times_are_read_in_utc(text, expected):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz, NULL::timestamptz", [text])
        found, missing = cursor.fetchone()
    assert found == dt.datetime(*expected, tzinfo=dt.UTC)
    assert found.tzinfo is dt.UTC
    assert missing is None


@pytest.mark.parametrize("text", ["infinity", "0044-03-15 BC", "12026-03-01"])
def test_times_that_python_has_not_are_refused_in_words(text):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        with pytest.raises(DataError, match="timestamp"):
            cursor.fetchone()
