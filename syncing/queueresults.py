"""Signs the results of tasks in the queue's table, and reads none that is unsigned.

django-q signs the tasks that wait, and keeps those that ended as pickles without a
signature: whoever can write into that table could run code in the admin's process.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django_q.signing import BadSignature, SignedPackage
from picklefield import PickledObjectField

#: In the place of what is not signed, such as what earlier versions wrote.
UNREADABLE = "[not signed by this product, and so not read]"


class SignedObjectField(PickledObjectField):  # type: ignore[misc]  # untyped there
    """A column of django-q that reads only what this product signed."""

    def to_python(self, value: Any) -> Any:
        """Return the signed value; a note in its place when it is not signed."""
        if value is None:
            return None
        try:
            return SignedPackage.loads(value)
        except BadSignature:
            return UNREADABLE

    def get_db_prep_value(
        self, value: Any, connection: Any = None, prepared: bool = False
    ) -> str | None:
        """Return the value as signed text for the database."""
        return None if value is None else SignedPackage.dumps(value)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Describe the column as django-q's migrations know it."""
        name, _, args, kwargs = super().deconstruct()
        return name, "picklefield.fields.PickledObjectField", args, kwargs


def sign_results() -> None:
    """Have django-q's model of ended tasks use the signed field."""
    for field in apps.get_model("django_q", "Task")._meta.local_fields:
        if type(field) is PickledObjectField:
            field.__class__ = SignedObjectField
