"""The command that writes what the JSON API sends into a file."""

import json

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from accounts.models import Action, AuditEntry
from athletes.models import Movement
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def export(tmp_path, capsys):
    """Run the command; its file, and what it printed."""

    def run(what, name="file", **options):
        path = tmp_path / name
        call_command("export", what, str(path), **options)
        return path, capsys.readouterr().out.strip()

    return run


def test_metrics_are_those_of_the_api(export, get):
    factories.make_swing({"attack_angle": 8.0})
    path, _ = export("metrics", "all.csv", metrics="attack_angle")
    sent = get("/exports/metrics", metrics="attack_angle")
    assert path.read_bytes() == b"".join(sent.streaming_content)
    assert path.stat().st_mode & 0o077 == 0
    path, _ = export("metrics", "all.parquet", metrics="attack_angle")
    assert pq.read_table(path)["attack_angle"].to_pylist() == [8.0]
    assert AuditEntry.objects.filter(action=Action.DATA_EXPORTED).count() == 3


def test_another_night_brings_what_changed(export, get):
    swings = [factories.make_swing() for _ in range(2)]
    _, cursor = export("metrics", "all.csv")
    # The API goes on where the command ended, and the other way round.
    sent = get("/exports/metrics", cursor=cursor)
    assert len(b"".join(sent.streaming_content).splitlines()) == 1
    Movement.objects.filter(pk=swings[1].pk).update(position=9)
    path, _ = export("metrics", "new.csv", cursor=cursor)
    assert pacsv.read_csv(path)["swing_id"].to_pylist() == [swings[1].pk]


@pytest.mark.parametrize("what", ["players", "sessions", "movements"])
def test_lists_are_lines_of_the_api(export, get, what):
    for _ in range(3):
        factories.make_swing()
    get("/movements")
    since = "2020-01-01T00:00:00 00:00"
    path, cursor = export(what)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert lines == get(f"/{what}", updated_since=since).json()[what]
    assert get(f"/{what}", cursor=cursor).json()[what] == []


def test_frames_of_a_session(export):
    frames = factories.make_frames()
    session = frames.movement.session_id
    path, printed = export("frames", "frames.parquet", session=session)
    assert pq.read_table(path)["swing_id"].to_pylist() == [frames.movement_id] * 48
    assert printed == ""
    path, _ = export("frames", "frames.csv", session=session, columns="pelvis_rot")
    assert pacsv.read_csv(path).column_names[-1] == "pelvis_rot"


def test_a_team_gets_its_own(export):
    swing, _ = factories.make_swing(), factories.make_swing()
    factories.make_team(name="Under 16", players=[swing.session.player])
    path, _ = export("movements", team="Under 16")
    assert json.loads(path.read_text())["id"] == swing.pk


@pytest.mark.parametrize(
    ("what", "options", "words"),
    [
        ("metrics", {"cursor": "nothing"}, "cursor: "),
        ("metrics", {"metrics": "nothing"}, "no metric nothing"),
        ("sessions", {"updated_since": "yesterday"}, "write a time as"),
        ("frames", {}, "--session"),
        ("players", {"team": "nobody"}, "no team"),
    ],
)
def test_what_is_wrong_is_said_and_no_file_is_left(
    export, tmp_path, what, options, words
):
    (tmp_path / "file").write_text("from the night before")
    with pytest.raises(CommandError, match=words):
        export(what, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "from the night before"
