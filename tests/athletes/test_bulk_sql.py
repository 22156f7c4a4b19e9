"""Rows written without the ORM come back from it as they were meant."""

import json

import pytest
from django.db import connection
from django.utils import timezone

from athletes.bulk_sql import add_to_rows, insert_rows, update_rows, write_rows
from athletes.models import Movement, PeerCount, PeerGroup, SessionMetric
from tests.factories import make_movement, make_session

pytestmark = pytest.mark.django_db

COLUMNS = {
    "session_id": "bigint",
    "metric": "text",
    "event_rule": "text",
    "n": "integer",
    "mean": "double precision",
    "sd": "double precision",
    "minimum": "double precision",
    "maximum": "double precision",
    "median": "double precision",
    "method_version": "text",
}
KEY = ("session_id", "metric", "event_rule")
TEXTS = ["plain", 'it\'s "quoted"', "{a,b}", "back\\slash", "NULL", "100 %s", "é—\n"]


def stored():
    fields = ["metric", "basis", "n", "mean", "sd", "method_version"]
    return list(SessionMetric.objects.order_by("metric").values_list(*fields))


def test_rows_are_written_and_written_over_by_their_key():
    session = make_session()

    def row(metric, mean, sd):
        return (session.pk, metric, "contact", 3, mean, sd, 1.0, 2.0, 1.5, "v1")

    write_rows(
        "session_metrics", COLUMNS, [row("a", 0.1, None), row("b", 3.0, 0.25)], key=KEY
    )
    write_rows("session_metrics", COLUMNS, [row("b", -7.5, None)], key=KEY)
    write_rows("session_metrics", COLUMNS, [], key=KEY)

    assert stored() == [
        ("a", "contact", 3, 0.1, None, "v1"),
        ("b", "contact", 3, -7.5, None, "v1"),
    ]


def test_values_are_added_to_the_row_of_the_same_key():
    group = PeerGroup.objects.create(metric="a", method_version="v1")
    columns = {
        "group_id": "bigint",
        "audience": "smallint",
        "bucket": "integer",
        "n": "integer",
    }
    key = ("group_id", "audience", "bucket")
    insert_rows("peer_counts", columns, [(group.pk, 0, 7, 4)])
    add_to_rows(
        "peer_counts", columns, [(group.pk, 0, 7, -1), (group.pk, 2, 7, 5)], key=key
    )
    add_to_rows("peer_counts", columns, [], key=key)

    counts = PeerCount.objects.order_by("audience")
    assert list(counts.values_list("audience", "bucket", "n")) == [(0, 7, 3), (2, 7, 5)]


def test_each_row_gets_its_own_values_and_no_other_row_any():
    session = make_session()
    movements = [make_movement(session=session, position=n) for n in range(len(TEXTS))]
    other = make_movement(session=session, position=99, metrics={"kept": 1})
    now = timezone.now()
    update_rows(
        "movements",
        {
            "metrics": "jsonb",
            "id": "bigint",
            "is_swing": "boolean",
            "side": "text",
            "analysed_at": "timestamptz",
        },
        [
            [
                json.dumps({text: [n, None, text]}),
                movement.pk,
                n % 2 == 0,
                None if n else "left",
                connection.ops.adapt_datetimefield_value(now),
            ]
            for n, (movement, text) in enumerate(zip(movements, TEXTS, strict=True))
        ],
    )

    found = list(Movement.objects.filter(analysed_at=now).order_by("position"))
    assert [movement.metrics for movement in found] == [
        {text: [n, None, text]} for n, text in enumerate(TEXTS)
    ]
    assert [movement.is_swing for movement in found] == [
        n % 2 == 0 for n in range(len(TEXTS))
    ]
    assert [movement.side for movement in found] == ["left"] + [None] * 6
    other.refresh_from_db()
    assert (other.metrics, other.analysed_at) == ({"kept": 1}, None)
