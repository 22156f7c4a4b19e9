"""What no sync brings to the demonstration: teams, setups and notes.

The simulator tells them below its control prefix (`GET data`), of the athletes with a
story (`simulator/stories.py`).
"""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from django.db import transaction

from accounts.models import Team, User
from athletes import decisions
from athletes.models import Note, Player, Session


def add(simulator_url: str) -> None:
    """Add them to what was synced from the simulator at this address."""
    # S310: the address is of the simulator that `make run` itself has started.
    with urllib.request.urlopen(  # noqa: S310
        f"{simulator_url}/__simulator__/data", timeout=60
    ) as answer:
        data = json.load(answer)
    with transaction.atomic():
        _add_athletes(data["players"])
        for told in data["sessions"]:
            if told["setups"]:
                _set_setups(told)


def _add_athletes(told: list[dict[str, Any]]) -> None:
    players = Player.objects.in_bulk(
        [one["org_player_id"] for one in told], field_name="org_player_id"
    )
    coach = User.objects.filter(username="coach").first()
    for one in told:
        player = players.get(one["org_player_id"])
        if player is None:
            continue
        if one["team"]:
            Team.objects.get_or_create(name=one["team"])[0].players.add(player)
        if one["note"]:
            Note.objects.create(player=player, text=one["note"], created_by=coach)


def _set_setups(told: dict[str, Any]) -> None:
    setups: list[str] = told["setups"]
    for session in Session.objects.filter(session_id=told["id"]):
        decisions.set_setups(sessions=[session], setup=setups[0])
        if len(setups) == 1:
            continue
        swings = list(session.movements.filter(is_swing=True).in_session_order())
        # As many of each as there are: a swing may be missing.
        for setup in dict.fromkeys(setups[1:]):
            decisions.set_setups(
                movements=[
                    swing
                    for swing, own in zip(swings, setups, strict=False)
                    if own == setup
                ],
                setup=setup,
            )
