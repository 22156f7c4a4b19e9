"""A small client of the dashboard's JSON API; copy it, and change it as you like.

It needs requests and pandas with pyarrow:

    dashboard = Dashboard("https://dashboard.example", token="swd_…")
    swings = dashboard.metrics(metrics=["bat_speed_max", "attack_angle"])
    frames = dashboard.frames(12, columns=["pelvis_rot", "torso_rot"])

Paths, fields and rules stand in docs/api.md and at /docs of a running dashboard.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypedDict

import pandas as pd
import requests

Row = dict[str, Any]
Kind = Literal["players", "sessions", "movements"]
DataType = Literal["inverse-kinematics", "momentum-energy", "curves"]


class Player(TypedDict):
    """An athlete; fields that are not named here are in the answer too."""

    id: int
    org_player_id: str
    first_name: str | None
    last_name: str | None


class Definition(TypedDict):
    """What a metric means."""

    id: str
    name: str
    unit: str
    plain: str


class Dashboard:
    """The API of one dashboard, as one token may see it."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **params: Any) -> requests.Response:
        """Ask for a path; wait when there were too many calls; raise on an error."""
        for _ in range(5):
            answer = self._session.get(self._url + path, params=params, timeout=120)
            if answer.status_code not in (429, 503):
                break
            time.sleep(float(answer.headers.get("Retry-After", 1)))
        if not answer.ok:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
        return answer

    def players(self, search: str = "") -> list[Player]:
        """Return all athletes, by name."""
        found: list[Player] = []
        page = {"search": search, "limit": 1000, "skip": 0}
        while True:
            rows = self.get("/players", **page).json()["players"]
            found += rows
            if len(rows) < 1000:
                return found
            page = {"search": search, "limit": 1000, "after": rows[-1]["id"]}

    def changes(self, kind: Kind, cursor: str = "") -> Iterator[tuple[Row, str]]:
        """Yield each row that changed behind `cursor`, with the cursor of its page.

        Store rows by `id`, and the last cursor for another night. A row with `gone_at`
        went away.
        """
        more = True
        while more:
            answer = self.get(f"/{kind}", cursor=cursor, limit=1000).json()
            cursor, more = answer["next"], answer["more"]
            for row in answer[kind]:
                yield row, cursor

    def definitions(self) -> dict[str, Definition]:
        """Return what each metric means, by its id."""
        return {one["id"]: one for one in self.get("/definitions").json()["metrics"]}

    def player_changes(self, player_id: int) -> Row:
        """Return what changed in an athlete's latest session."""
        found: Row = self.get(f"/players/{player_id}/changes").json()
        return found

    def metrics(self, metrics: Sequence[str] = (), **filters: Any) -> pd.DataFrame:
        """Return one row a swing: `ID`, `ID__uncertainty`, `ID__confidence` of each.

        `filters`: `player_id`, `session`, `start_date`, `end_date`.
        """
        answer = self.get(
            "/exports/metrics", format="parquet", metrics=",".join(metrics), **filters
        )
        table = pd.read_parquet(io.BytesIO(answer.content))
        table["session_date"] = pd.to_datetime(table["session_date"])
        return table

    def frames(
        self,
        session: int,
        columns: Sequence[str] = (),
        data_type: DataType = "inverse-kinematics",
    ) -> pd.DataFrame:
        """Return the frames of all swings of a session; `session` is its `id`."""
        answer = self.get(
            f"/sessions/{session}/data",
            data_type=data_type,
            columns=",".join(columns),
            format="parquet",
        )
        return pd.read_parquet(io.BytesIO(answer.content))
