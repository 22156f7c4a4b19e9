"""Computed JSON comes back from the database as it was stored."""

from __future__ import annotations

import pytest
from django.db import connection

from athletes.models import Movement
from tests import factories

VALUES = [
    {"a": {"value": 0.1 + 0.2, "unit": "m/s", "reason": None, "n": 3}},
    {"large": 2**53, "small": 5e-324, "minus": -0.0, "one": 1.0, "text": "é\u2028"},
    {},
    {"": [], "nested": [[1, [2, {"x": True}]]]},
]


def kinds(value: object) -> object:
    """The kinds of what it is made of: 1.0 and 1, True and 1 are equal."""
    if isinstance(value, dict):
        return {name: kinds(part) for name, part in value.items()}
    if isinstance(value, list):
        return [kinds(part) for part in value]
    return type(value)


@pytest.mark.both
@pytest.mark.django_db
@pytest.mark.parametrize("value", VALUES)
def test_what_is_read_is_what_was_stored(value: dict[str, object]) -> None:
    movement = factories.make_movement(metrics=value)
    for found in (
        Movement.objects.get(pk=movement.pk).metrics,
        Movement.objects.values_list("metrics", flat=True).get(pk=movement.pk),
    ):
        assert found == value
        assert kinds(found) == kinds(value)


@pytest.mark.both
@pytest.mark.django_db
def test_one_value_out_of_it_is_read_too() -> None:
    movement = factories.make_movement(metrics={"a": {"value": 1.5, "unit": "m"}})
    rows = Movement.objects.filter(pk=movement.pk)
    assert rows.values_list("metrics__a__value", flat=True).get() == 1.5
    assert rows.values_list("metrics__a__unit", flat=True).get() == "m"
    assert rows.values_list("metrics__b", flat=True).get() is None


def test_what_python_alone_can_read_is_read_by_it() -> None:
    field = Movement._meta.get_field("metrics")
    found = field.from_db_value('{"a": NaN}', None, connection)
    assert found["a"] != found["a"]
    assert field.from_db_value(None, None, connection) is None
