"""The examples of docs/api.md are what the code emits: names, types and words."""

import ast
import json
import re
from pathlib import Path
from typing import get_args

import pytest

from athletes.analysis import run
from athletes.frames.packing import PackedMovement, pack
from athletes.frames.store import store_frames
from athletes.models import DataType, Movement, QualityGrade
from biomechanics.analysis_types import AngleUnit, Confidence
from biomechanics.definitions import METRICS
from biomechanics.events import EVENT_RULES
from syncing.choices import RunStatus, SyncType
from tests import factories
from tests.shared_rows import rows_shared

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs/api.md").read_text("utf-8")
EXAMPLES = re.findall(
    r"```http\n(GET|POST) (\S+)\n```\s+```json\n(.*?)\n```", TEXT, re.DOTALL
)
#: Their words are those of the invented rows, or sentences; only the type is compared.
FREE = {
    *("first_name", "last_name", "session_date", "created_at", "updated_at"),
    *("text", "reason", "next"),
    *("id", "session_id", "org_player_id", "reboot_player_id", "org_movement_id"),
}
#: An example shows a few of the metrics; all others look the same.
ABRIDGED = "metrics"


@rows_shared
def world():
    """Return the id of the first of three analyzed swings of one session.

    Athlete and session are number 1, as in the examples; movements are numbered by
    the database, which does not begin anew for each test.

    The clips end right after the fastest moment, so that their quality has a reason.
    """
    player = factories.make_player(id=1)
    factories.make_player(id=2)
    session = factories.make_session(id=1, player=player, data_synced=True)
    swings = factories.simulated_movements()[:3]
    for data_type in DataType:
        packed = []
        for swing in swings:
            columns = factories.simulated_columns(swing, data_type)
            cut = {name: values[:472] for name, values in columns.items()}
            packed.append(PackedMovement(swing.org_movement_id, pack(cut)))
        store_frames(session_pk=1, data_type=data_type, movements=packed)
    run.analyze_session(session.pk)
    return Movement.objects.earliest("position").pk


def differences(told, real, path=""):
    """Where an example says another name, type or word than the answer.

    The first item stands for all of a list, except in a list of words.
    """
    name = path.rpartition(".")[2]
    if isinstance(told, dict) and isinstance(real, dict):
        missing = set() if name == ABRIDGED else set(real) - set(told)
        for key in sorted(missing | (set(told) - set(real))):
            yield f"{path}.{key} is in only one of the two"
        for key in sorted(set(told) & set(real)):
            yield from differences(told[key], real[key], f"{path}.{key}")
    elif isinstance(told, list) and isinstance(real, list):
        if not told or not real:
            if told or real:
                yield f"{path} is empty in only one of the two"
        elif all(isinstance(item, str) for item in told):
            if told != real:
                yield f"{path} is {real}, not {told}"
        else:
            yield from differences(told[0], real[0], path)
    elif isinstance(told, str) and isinstance(real, str):
        if told != real and name not in FREE:
            yield f"{path} is {real!r}, not {told!r}"
    elif kind(told) != kind(real):
        yield f"{path} is {real!r}, not {told!r}"


def kind(value):
    """The type of a JSON value; whole and other numbers are one."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def test_there_are_examples():
    assert len(EXAMPLES) == 14
    blocks = re.findall(r"```json\n(.*?)\n```", TEXT, re.DOTALL)
    assert [example for _, _, example in EXAMPLES] == blocks


def test_differences_are_found():
    told = {"a": 1, "rule": "foot_height", "metrics": {}, "list": [{"b": None}]}
    real = {"a": "x", "rule": "rule", "metrics": {"m": 1}, "list": [{"b": 2}], "c": 0}
    assert list(differences(told, real)) == [
        ".c is in only one of the two",
        ".a is 'x', not 1",
        ".list.b is 2, not None",
        ".rule is 'rule', not 'foot_height'",
    ]


@pytest.mark.parametrize(
    ("method", "path", "example"), EXAMPLES, ids=[f"{m} {p}" for m, p, _ in EXAMPLES]
)
def test_example_is_what_the_code_answers(client, world, method, path, example):
    headers = factories.make_token("sync")
    if path.startswith("/sync/status"):
        client.post("/sync/trigger", headers=headers)
    path = path.replace("/movements/1/", f"/movements/{world}/")
    response = getattr(client, method.lower())(path, headers=headers)
    if response.streaming:
        body = json.loads(b"".join(response.streaming_content))
    else:
        body = response.json()
    assert list(differences(json.loads(example), body)) == []


def rules_in_code():
    """The rule of every event that the mathematics can return, by its source."""
    found = set(EVENT_RULES.values())
    for path in (ROOT / "biomechanics").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_event = isinstance(node, ast.Call) and len(node.args) > 2
            if is_event and getattr(node.func, "id", "") == "FoundEvent":
                rule = node.args[1]
                found |= {rule.value} if isinstance(rule, ast.Constant) else set()
    return sorted(found)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("`angle_unit_found`", get_args(AngleUnit)),
        ("`grade`", QualityGrade.values),
        ("`confidence`", get_args(Confidence)),
        ("`rule`, `event_rule`", rules_in_code()),
        ("`unit` of a metric", sorted({item.unit for item in METRICS.values()})),
        ("`status` of a run", ["never_synced", *RunStatus.values]),
        ("`sync_type`", SyncType.values),
        ("`data_type`", DataType.values),
    ],
)
def test_document_names_every_value_that_the_code_can_emit(label, words):
    told = re.search(rf"^\| {re.escape(label)} \|(.*)\|$", TEXT, re.MULTILINE)[1]
    assert sorted(re.findall(r"`([^`]+)`", told)) == sorted(words)


def test_every_path_is_in_the_document():
    from reboot_site.api import api

    for path in api.get_openapi_schema()["paths"]:
        assert path.replace("{id}", "1") in TEXT, path
