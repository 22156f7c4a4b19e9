"""The command that computes numbers again from stored frames."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from athletes.analysis import run as analysis_run
from athletes.models import EventCorrection, Movement
from biomechanics.definitions import METHOD_VERSION
from tests.factories import (
    make_player,
    make_session,
    make_synced_session,
    simulated_movements,
    store_simulated,
)


def run(*arguments):
    out, err = io.StringIO(), io.StringIO()
    call_command("recompute_metrics", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def versions():
    return list(
        Movement.objects.order_by("session_id", "position").values_list(
            "method_version", flat=True
        )
    )


@pytest.fixture
def sessions(db):
    """Two athletes, a session of two swings each, computed by an older method."""
    made = []
    for _ in range(2):
        session = make_session()
        store_simulated(session, simulated_movements()[:2])
        made.append(session)
    Movement.objects.update(method_version="2020.1")
    return made


def test_recompute_brings_every_movement_to_the_present_method(sessions):
    out, err = run()
    assert versions() == [METHOD_VERSION] * 4
    assert f"Method {METHOD_VERSION}: 4 movements of 2 sessions computed" in out
    assert "2 of 2 sessions, 4 movements" in err
    for session in sessions:
        session.player.refresh_from_db()
        assert session.player.swing_count == 2
        assert session.player.latest_hand_speed_m_per_s > 5


def test_recompute_has_nothing_to_do_the_second_time(sessions):
    run()
    stamps = list(Movement.objects.values_list("analysed_at", flat=True))
    out, _ = run()
    assert "0 movements of 0 sessions" in out
    assert list(Movement.objects.values_list("analysed_at", flat=True)) == stamps


def test_recompute_with_force_computes_everything_again(sessions):
    run()
    out, _ = run("--force")
    assert "4 movements of 2 sessions" in out


def test_recompute_of_one_athlete_or_session_leaves_the_others(sessions):
    run("--player", str(sessions[0].player_id))
    assert versions() == [METHOD_VERSION] * 2 + ["2020.1"] * 2
    run("--session", str(sessions[1].pk))
    assert versions() == [METHOD_VERSION] * 4


def test_recompute_goes_on_where_it_was_stopped(sessions):
    """Ctrl-C while the second session is being computed."""
    second = sessions[1].movements.values_list("pk", flat=True)[0]

    def stop(execute, sql, params, many, context):
        ids = []
        for value in params or ():
            ids += value if isinstance(value, list) else [value]
        if "biomechanics_data" in sql and second in ids:
            raise KeyboardInterrupt
        return execute(sql, params, many, context)

    with (
        connection.execute_wrapper(stop),
        pytest.raises(CommandError, match="Run it again to continue") as stopped,
    ):
        run()
    assert stopped.value.returncode == 130
    assert versions() == [METHOD_VERSION] * 2 + ["2020.1"] * 2
    sessions[0].player.refresh_from_db()
    assert sessions[0].player.swing_count == 2

    out, _ = run()
    assert "2 movements of 1 sessions" in out
    assert versions() == [METHOD_VERSION] * 4


def test_recompute_says_how_many_failed_and_exits_with_one(sessions):
    movement = sessions[0].movements.first()
    EventCorrection.objects.create(movement=movement, event="load", time_s=999.0)
    with pytest.raises(CommandError, match="1 movements could not") as failed:
        run()
    assert failed.value.returncode == 1
    assert versions() == [METHOD_VERSION] * 4


@pytest.mark.django_db
@pytest.mark.parametrize("option", ["--player", "--session"])
def test_recompute_refuses_an_unknown_id(option):
    with pytest.raises(CommandError, match=r"no .* 4711"):
        run(option, "4711")


@pytest.mark.django_db
def test_recompute_without_frames_says_so_on_the_movements():
    session = make_synced_session(swings=2, player=make_player())
    run()
    assert versions() == [METHOD_VERSION] * 2
    reasons = session.movements.values_list("quality_reasons", flat=True)
    assert {entry[0]["code"] for entry in reasons} == {"no_kinematics"}
    session.refresh_from_db()
    assert session.swing_count == 0
    assert not session.session_metrics.exists()


def test_recompute_gives_the_numbers_that_the_sync_gave(sessions):
    for session in sessions:
        analysis_run.analyze_session(session.pk, force=True)
    before = list(Movement.objects.order_by("pk").values_list("metrics", "events"))
    run("--force")
    assert before == list(
        Movement.objects.order_by("pk").values_list("metrics", "events")
    )
