"""What a page holds: its words, its charts; and the rows it is about."""

from __future__ import annotations

import base64
import datetime as dt
import html
import json
import re

import numpy as np

from tests.factories import (
    make_session_metric,
    make_synced_session,
)


def swings_of(session):
    """The swings of a session in their order."""
    return list(session.movements.filter(is_swing=True).in_session_order())


def text_of(response):
    """The words of a page as they are read, without scripts and tags."""
    body = re.sub(r"<script.*?</script>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def figure_of(response, name):
    """The chart that a page put in for its script."""
    body = response.content.decode()
    found = re.search(
        rf'<script id="{name}-data" type="application/json">(.*?)</script>', body
    )
    assert found, f"no figure {name}"
    return json.loads(found[1].replace("\\u003C", "<"))


def numbers(trace, name):
    """The numbers of a trace that are packed under a name."""
    return np.frombuffer(base64.b64decode(trace[name]["bdata"]), dtype="<f4")


def unpacked_figure(packed):
    """The whole numbers of a figure's points as they are sent, one after another."""
    data = base64.b64decode(packed["bdata"])
    found, place = [], 0
    while place < len(data):
        # One byte each; where it is -128, the number is in the two bytes after it.
        start, end = (
            (place + 1, place + 3) if data[place] == 128 else (place, place + 1)
        )
        found.append(int.from_bytes(data[start:end], "little", signed=True))
        place = end
    return np.array(found, dtype="<i2")


def history_of(player, means, metric="peak_torso_omega", **fields):
    """One session a week with one mean each."""
    sessions = []
    for week, mean in enumerate(means):
        session = make_synced_session(
            player=player, session_date=dt.date(2026, 3, 1) + dt.timedelta(weeks=week)
        )
        make_session_metric(
            session=session, metric=metric, mean=mean, sd=10.0, n=6, **fields
        )
        sessions.append(session)
    return sessions
