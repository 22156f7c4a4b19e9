"""The examples of docs/api.md are true: same names, same types."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests import factories

TEXT = (Path(__file__).resolve().parent.parent / "docs/api.md").read_text("utf-8")
EXAMPLES = re.findall(
    r"```http\n(GET|POST) (\S+)\n```\s+```json\n(.*?)\n```", TEXT, re.DOTALL
)


@pytest.fixture
def world(db):
    """Two athletes; one session with one swing and its frames, all with id 1."""
    instant = {"time_s": 1.48, "rule": "hand_peak", "confidence": "rule"}
    player = factories.make_player(id=1)
    factories.make_player()
    session = factories.make_session(id=1, player=player, data_synced=True)
    swing = factories.make_swing(
        {"peak_pelvis_omega": 640.0},
        id=1,
        session=session,
        quality_grade="usable",
        quality_reasons=[{"code": "gaps", "text": "There are gaps."}],
        events=dict.fromkeys(("foot_down", "peak_hand_speed", "reference"), instant),
    )
    factories.make_session_metric(session=session)
    factories.make_frames(
        {"time": np.array([0.0, 0.5]), "pelvis_rot": np.array([1.5, 2.5])},
        movement=swing,
    )


def shape(value):
    """Names and types; the first item stands for all of a list."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, float | int) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def test_there_are_examples():
    assert len(EXAMPLES) == 11


@pytest.mark.parametrize(
    ("method", "path", "example"), EXAMPLES, ids=[f"{m} {p}" for m, p, _ in EXAMPLES]
)
def test_example_has_the_shape_of_the_answer(client, world, method, path, example):
    headers = factories.make_token("sync")
    if path.startswith("/sync/status"):
        client.post("/sync/trigger", headers=headers)
    response = getattr(client, method.lower())(path, headers=headers)
    if response.streaming:
        body = json.loads(b"".join(response.streaming_content))
    else:
        body = response.json()
    assert shape(body) == shape(json.loads(example))


def test_every_path_is_in_the_document():
    from reboot_site.api import api

    for path in api.get_openapi_schema()["paths"]:
        assert path.replace("{id}", "1") in TEXT, path
