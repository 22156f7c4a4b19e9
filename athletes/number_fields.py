"""A JSON column for what is computed: numbers, events and their reasons."""

from __future__ import annotations

from typing import Any

import orjson
from django.db import models


class ComputedField(models.JSONField):
    """A `JSONField` read by a faster parser: the numbers of one swing are 30 kB.

    Not for what a vendor or a person sent: an integer of more than 64 bits would come
    back as a float. To migrations it is the `JSONField` that it is in the database.
    """

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """The stored value; whatever is not plain JSON is left to Django."""
        if isinstance(value, str):
            try:
                return orjson.loads(value)
            except orjson.JSONDecodeError:
                pass  # NaN, which Python's parser knows, or no JSON at all
        return super().from_db_value(value, expression, connection)

    def deconstruct(self) -> Any:
        """As a `JSONField`, so that no migration is needed."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs
