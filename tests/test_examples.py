"""The client and the notebook of docs/examples work on simulated data."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from athletes.analysis import run
from athletes.models import Inclusion
from simulator.data import World
from simulator.population import Shape
from tests import factories

EXAMPLES = Path(__file__).resolve().parent.parent / "docs/examples"
NOTEBOOK = EXAMPLES / "swings.ipynb"
CLIENT = """\
import json, os
from swing_dashboard import Dashboard

dashboard = Dashboard(os.environ["SWING_URL"], os.environ["SWING_TOKEN"])
first = list(dashboard.changes("movements"))
again = list(dashboard.changes("movements", first[-1][1]))
session = first[0][0]["session"]
frames = dashboard.frames(session, ["pelvis_rot"])
try:
    dashboard.get("/players/999999")
except RuntimeError as error:
    problem = str(error)
print(json.dumps({
    "players": [player["id"] for player in dashboard.players()],
    "movements": [row["id"] for row, _ in first],
    "again": len(again),
    "columns": list(frames.columns),
    "changes": len(dashboard.player_changes(first[0][0]["player_id"])["changes"]),
    "problem": problem,
}))
"""


def fill():
    """Two simulated athletes with three sessions each; returns their swings."""
    world = World(Shape(players=3, sessions=12, swings=3, seed=1))
    swings = []
    found = 0
    for athlete in world.athletes:
        sessions = [
            session
            for session in world.sessions
            if world.has_data(session, athlete.org_player_id, "baseball-hitting")
        ][:3]
        if len(sessions) < 3 or found == 2:
            continue
        found += 1
        player = factories.make_player(org_player_id=athlete.org_player_id)
        for week, simulated in enumerate(sessions):
            session = factories.make_session(
                player=player, session_date=dt.date(2026, 3, 1 + 7 * week)
            )
            movements = world.movements(simulated, athlete.org_player_id)
            factories.store_simulated(session, movements[:3])
            run.analyze_session(session.pk)
            swings += session.movements.order_by("pk")
    # Whatever the simulator makes of a swing, here each of them counts.
    for swing in swings:
        swing.inclusion = Inclusion.INCLUDED
        swing.save(update_fields=["inclusion"])
    return swings


def ran(code, url, program=(sys.executable, "-c")):
    """What code prints, beside the client, with a token for the server."""
    token = factories.make_token()["Authorization"].removeprefix("Bearer ")
    done = subprocess.run(
        [*program, code],
        cwd=EXAMPLES,
        env={
            **os.environ,
            "SWING_URL": url,
            "SWING_TOKEN": token,
            "MPLBACKEND": "Agg",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_client_and_notebook_run_from_top_to_bottom(live_server, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    swings = fill()
    assert len(swings) == 18
    found = json.loads(ran(CLIENT, live_server.url))
    assert sorted(found["movements"]) == sorted(swing.pk for swing in swings)
    assert found["again"] == 0
    assert len(found["players"]) == 2
    assert found["changes"] > 0
    assert found["columns"][-1] == "pelvis_rot"
    assert found["problem"].startswith("/players/999999: 404")
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    told = ran("\n\n".join(code), live_server.url)
    assert told.startswith("18 swings; ")
    assert "(3 and 3 sessions)" in told
    assert "SD between sessions" in told


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_lines_in_r_of_the_docs_run(live_server, settings, tmp_path):
    rscript = shutil.which("Rscript")
    needed = "library(httr2); library(lme4)"
    if (
        rscript is None
        or subprocess.run([rscript, "-e", needed], check=False).returncode
    ):
        pytest.skip("R with httr2 and lme4 is missing (apt: r-cran-httr2 r-cran-lme4)")
    settings.VAR_DIR = tmp_path
    fill()
    docs = (EXAMPLES.parent / "api.md").read_text("utf-8")
    code = docs.split("```r\n")[1].split("```")[0]
    assert code.startswith(needed)
    told = ran(
        code.replace("https://dashboard.example", live_server.url),
        live_server.url,
        [rscript, "-e"],
    )
    assert "Number of obs: 18, groups:" in told
    assert "session:player_id, 6; player_id, 2" in told


def test_notebook_is_kept_without_outputs():
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in code)
    assert all(cell["execution_count"] is None for cell in code)
