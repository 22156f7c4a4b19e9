"""All that a sync leaves behind, in a form that two databases can be compared by."""

import hashlib

from django.apps import apps
from django.db import models

#: When something happened, and how often it was tried: differs between equal syncs.
VOLATILE = {
    "id",
    "created_at",
    "updated_at",
    "fetched_at",
    "stored_at",
    "analysed_at",
    "compared_at",
    "found_at",
    "first_seen_at",
    # Of layouts of columns: held against the one that came before, in any order.
    "changes",
    "next_try_at",
    "given_up_at",
    "next_check_at",
    "requested_at",
    "claimed_by",
    "claimed_until",
    "last_run",
    "attempts",
    "polls",
    "checks",
    "no_data_answers",
    "seconds",
    "last_error",
    "error_code",
    "wanted",
    "done",
    "value",
}
KEYS = {
    "player": ("org_player_id",),
    "session": ("session_id", "player"),
    "movement": ("session", "org_movement_id"),
    "peergroup": ("metric", "condition", "basis", "source", "method_version"),
}
IGNORED = {
    # Numbers name their group; one that nobody is in any more says nothing.
    "peergroup",
    "synclog",
    "requestslot",
    "runhelper",
    "workerheartbeat",
    "auditentry",
    # In which order rows changed.
    "feednote",
    "feedrow",
    "feedleft",
    "feedcounter",
}


def _keyed(model, keys):
    """pk -> natural key of the rows that others point to."""
    found = {}
    for row in model.objects.values("pk", *KEYS[model._meta.model_name]):
        pk = row.pop("pk")
        found[pk] = tuple(
            keys[name][value] if name in keys else value for name, value in row.items()
        )
    return found


def without_the_last_digits(value):
    """The value with numbers of seven digits, and nothing below a billionth.

    Wide registers sum in an order that depends on where an array lies in memory, so
    equal frames give numbers that differ in their last digits from process to process.
    """
    if isinstance(value, float):
        return float(f"{round(value, 9):.7g}") + 0.0
    if isinstance(value, dict):
        return {key: without_the_last_digits(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_the_last_digits(one) for one in value]
    if isinstance(value, tuple):  # the key of another row
        return tuple(without_the_last_digits(one) for one in value)
    return value


def snapshot():
    """Rows of every table of athletes and syncing, by what they say."""
    keys = {}
    for name in KEYS:
        keys[name] = _keyed(apps.get_model("athletes", name), keys)
    tables = {}
    for app in ("athletes", "syncing"):
        for model in apps.get_app_config(app).get_models():
            if model._meta.model_name not in IGNORED:
                tables[model._meta.db_table] = _rows(model, keys)
    return tables


def _rows(model, keys, *, dropped=VOLATILE, within=None):
    """Rows without some columns; with `within` those that belong to these alone."""
    within = within or {}
    fields = [
        field for field in model._meta.concrete_fields if field.name not in dropped
    ]
    rows = []
    for pk, *row in model.objects.values_list("pk", *(field.name for field in fields)):
        if pk not in within.get(model._meta.model_name, {pk}) or any(
            field.is_relation
            and value is not None
            and value not in within.get(field.related_model._meta.model_name, {value})
            for field, value in zip(fields, row, strict=True)
        ):
            continue
        values = {}
        for field, value in zip(fields, row, strict=True):
            if field.is_relation and value is not None:
                target = field.related_model._meta.model_name
                value = keys[target][value] if target in keys else value
            elif isinstance(field, models.BinaryField) and value is not None:
                value = hashlib.sha256(bytes(value)).hexdigest()
            elif field.name == "missing_since":
                value = value is not None
            values[field.name] = without_the_last_digits(value)
        rows.append(values)
    return sorted(rows, key=repr)


def everything():
    """Every column of the domain's rows, times included: nothing may change at all."""
    tables = {}
    for model in apps.get_app_config("athletes").get_models():
        names = [field.attname for field in model._meta.concrete_fields]
        tables[model._meta.db_table] = sorted(
            [
                tuple(
                    bytes(value) if isinstance(value, memoryview) else value
                    for value in row
                )
                for row in model.objects.values_list(*names)
            ],
            key=repr,
        )
    return tables


def differences(one, other):
    """Where two snapshots differ, short enough to read; empty when they are equal."""
    found = []
    for table in sorted(one.keys() | other.keys()):
        left, right = one.get(table, []), other.get(table, [])
        found += [
            f"{table}: only first {row}"[:1500] for row in left if row not in right
        ]
        found += [
            f"{table}: only second {row}"[:1500] for row in right if row not in left
        ]
        if len(left) != len(right):
            found.append(f"{table}: {len(left)} rows and {len(right)} rows")
    return found
