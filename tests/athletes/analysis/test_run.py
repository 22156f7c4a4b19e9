"""Stored frames become numbers of movements and sessions."""

import dataclasses
import json

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from athletes.analysis import run
from athletes.frames import store
from athletes.frames.packing import PackedMovement, pack
from athletes.frames.unpacking import unpack
from athletes.models import (
    DataType,
    EventCorrection,
    Movement,
    MovementCurves,
    SessionMetric,
)
from biomechanics.definitions import METHOD_VERSION, METRICS
from biomechanics.swing import analyze_swing
from simulator.swings import truth
from tests.factories import (
    make_frames,
    make_movement,
    make_player,
    make_session,
    simulated_columns,
    simulated_movements,
    store_simulated,
)

IK, ME = DataType.INVERSE_KINEMATICS, DataType.MOMENTUM_ENERGY


def movements_of(session):
    return list(session.movements.in_session_order())


def values_of(session):
    """All results, without the times at which they were written."""
    without = {"analysed_at", "updated_at"}
    movements = [
        {key: value for key, value in row.items() if key not in without}
        for row in Movement.objects.filter(session=session).order_by("pk").values()
    ]
    metrics = list(
        SessionMetric.objects.filter(session=session)
        .order_by("metric", "basis")
        .values("metric", "basis", "n", "mean", "sd", "cv", "median")
    )
    session.refresh_from_db()
    return movements, metrics, session.swing_count, session.summary


def test_analysis_finds_the_peaks_that_the_simulator_put_in(session):
    counts = run.analyze_session(session.pk)

    assert (counts.analyzed, counts.failed, counts.unchanged) == (6, 0, 0)
    for movement, made in zip(
        movements_of(session), simulated_movements(), strict=True
    ):
        assert movement.method_version == METHOD_VERSION
        assert movement.analysed_at is not None
        assert movement.is_swing is (made.kind == "swing")
        if made.kind != "swing":
            continue
        known = truth(made)
        assert movement.side == "right"
        assert movement.sampling_rate_hz == pytest.approx(240.0, rel=1e-6)
        assert movement.frame_count == 576
        assert movement.angle_unit_found == "rad"
        for metric_id, peak in [
            ("peak_pelvis_omega", "pelvis"),
            ("peak_torso_omega", "torso"),
            ("peak_lead_arm_omega", "lead_arm"),
        ]:
            found = movement.metrics[metric_id]
            assert found["unit"] == "deg/s"
            assert found["value"] == pytest.approx(
                known["peaks"][peak]["deg_per_s"], rel=0.03
            )
        foot_down = movement.events["foot_down"]
        assert foot_down["time_s"] == pytest.approx(
            known["events"]["foot_down_s"], abs=0.02
        )
        assert movement.events == movement.automatic_events
        bat = movement.metrics["bat_speed_max"]
        if made.has_bat:
            assert bat["value"] is not None
        else:
            assert bat["value"] is None
            assert bat["reason"]


def test_chosen_columns_give_the_same_numbers_as_all_columns():
    """The lists of columns to load leave out nothing that the library reads."""
    made = simulated_movements()[0]
    files = {kind: simulated_columns(made, kind) for kind in (IK, ME)}
    arguments = {"bats": "right", "height_m": 1.8, "mass_kg": 80.0}
    whole = analyze_swing(kinematics=files[IK], energetics=files[ME], **arguments)
    chosen = analyze_swing(
        kinematics={
            name: values
            for name, values in files[IK].items()
            if name in run.KINEMATIC_COLUMNS
        },
        energetics={
            name: values
            for name, values in files[ME].items()
            if name in run.ENERGETIC_COLUMNS
        },
        **arguments,
    )
    assert chosen.to_dict() == whole.to_dict()
    present = {name for name, value in whole.metrics.items() if value.value is not None}
    assert {"peak_L_torso", "peak_KE_total", "com_speed_max"} <= present


def test_numbers_use_the_height_of_that_day_and_the_mass_of_the_file(db):
    player = make_player(height_ft=5.0, weight_lbs=220.462262)
    session = make_session(player=player)
    store_simulated(session, simulated_movements()[:1])
    run.analyze_session(session.pk)
    (movement,) = movements_of(session)
    per_kg = movement.metrics["KE_per_kg_total"]["value"]
    # The energies were made with the mass that their file holds.
    whole = movement.metrics["peak_KE_total"]["value"]
    assert whole / per_kg != pytest.approx(100.0, rel=0.01)
    spread = movement.metrics["stride_spread_pct"]["value"]
    player.height_ft, player.weight_lbs = 6.0, 110.0
    player.save()
    # Grown since: the session keeps what it was measured with.
    run.analyze_session(session.pk, force=True)
    movement.refresh_from_db()
    assert movement.metrics["stride_spread_pct"]["value"] == spread
    session.refresh_from_db()
    assert (session.height_ft, session.weight_lbs) == (5.0, 220.462262)
    type(session).objects.update(height_ft=None)
    run.analyze_session(session.pk, force=True)
    movement.refresh_from_db()
    taller = movement.metrics["stride_spread_pct"]["value"]
    assert taller == pytest.approx(spread * 5.0 / 6.0)
    assert movement.metrics["KE_per_kg_total"]["value"] == per_kg


def test_results_are_json_without_nan(session):
    run.analyze_session(session.pk)
    for movement in movements_of(session):
        for field in ("verdict", "events", "automatic_events", "metrics"):
            json.dumps(getattr(movement, field), allow_nan=False)
    session.refresh_from_db()
    json.dumps(session.summary, allow_nan=False)


def test_curves_are_kept_beside_the_numbers(session):
    run.analyze_session(session.pk)
    rows = MovementCurves.objects.filter(movement__session=session)
    assert set(rows.values_list("method_version", flat=True)) == {METHOD_VERSION}
    first = rows.get(movement=movements_of(session)[0])
    curves = unpack(bytes(first.data), ["time", "pelvis_omega"])
    peak = movements_of(session)[0].metrics["peak_pelvis_omega"]["value"]
    assert np.nanmax(curves["pelvis_omega"]) == pytest.approx(peak, rel=0.01)


def test_analysing_again_changes_nothing(session):
    run.analyze_session(session.pk)
    before = values_of(session)
    assert run.analyze_session(session.pk) == run.AnalysisCounts(unchanged=6)
    assert values_of(session) == before
    forced = run.analyze_session(session.pk, force=True)
    assert forced.analyzed == 6
    assert values_of(session) == before


def test_only_movements_of_another_method_are_computed(session):
    run.analyze_session(session.pk)
    old = movements_of(session)[1]
    Movement.objects.filter(pk=old.pk).update(method_version="2020.1", metrics={})
    counts = run.analyze_session(session.pk)
    assert (counts.analyzed, counts.unchanged) == (1, 5)
    old.refresh_from_db()
    assert old.method_version == METHOD_VERSION
    assert old.metrics["peak_pelvis_omega"]["value"] > 300


@pytest.mark.both
@pytest.mark.parametrize("count", [1, 3])
def test_analysis_costs_the_same_queries_for_one_movement_and_for_three(db, count):
    session = make_session()
    store_simulated(session, simulated_movements()[:count])
    with CaptureQueriesContext(connection) as queries:
        run.analyze_session(session.pk)
    statements = [
        q["sql"]
        for q in queries
        if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))
    ]
    # PostgreSQL needs two queries for each of the two loads.
    expected = {"sqlite": 19, "postgresql": 21}[connection.vendor]
    assert len(statements) == expected


def test_a_movement_without_kinematics_says_so(db):
    session = make_session()
    frames = make_frames(
        simulated_columns(simulated_movements()[0], ME),
        movement=make_movement(session=session),
        data_type=ME,
    )
    run.analyze_session(session.pk)
    movement = Movement.objects.get(pk=frames.movement_id)
    assert movement.quality_reasons == [
        {
            "code": "no_kinematics",
            "text": "No inverse kinematics of this movement have arrived.",
        }
    ]
    assert (movement.is_swing, movement.quality_grade) == (None, None)
    assert movement.metrics == {}
    # When they come, the numbers come too.
    store.store_frames(
        session_pk=session.pk,
        data_type=IK,
        movements=[
            PackedMovement(
                movement.org_movement_id,
                pack(simulated_columns(simulated_movements()[0], IK)),
            )
        ],
    )
    run.analyze_session(session.pk)
    movement.refresh_from_db()
    assert movement.is_swing is True


def test_frames_that_cannot_be_read_give_reasons_not_errors(db):
    session = make_session()
    frames = make_frames(
        {"time": np.zeros(40), "lhjc_x": np.full(40, np.nan)},
        movement=make_movement(session=session),
    )
    counts = run.analyze_session(session.pk)
    movement = Movement.objects.get(pk=frames.movement_id)
    assert counts.analyzed == 1
    assert movement.is_swing is None
    assert movement.quality_grade == "poor"
    assert movement.quality_reasons[0]["text"]
    assert movement.metrics["peak_pelvis_omega"]["value"] is None
    assert movement.metrics["peak_pelvis_omega"]["reason"]


def test_one_failing_movement_does_not_keep_the_others_from_their_numbers(db, caplog):
    session = make_session()
    store_simulated(session, simulated_movements()[:2])
    good, bad = movements_of(session)
    # A correction outside of the clip cannot be made with move_event; here it
    # stands for any error inside the analysis.
    EventCorrection.objects.create(movement=bad, event="foot_down", time_s=999.0)

    counts = run.analyze_session(session.pk)

    assert (counts.analyzed, counts.failed) == (1, 1)
    good.refresh_from_db()
    bad.refresh_from_db()
    assert good.quality_grade == "good"
    assert bad.quality_grade == "poor"
    assert bad.quality_reasons == [
        {
            "code": "analysis_failed",
            "text": "The analysis stopped with an error (ValueError).",
        }
    ]
    assert bad.metrics == {}
    assert f"movement {bad.pk}" in caplog.text


@pytest.mark.parametrize("name", ["baseball-pitching", "basketball"])
def test_only_hitting_movements_get_metrics(db, name):
    session = make_session(movement_type_name=name)
    store_simulated(session, simulated_movements()[:1])
    run.analyze_session(session.pk)
    (movement,) = movements_of(session)
    assert movement.is_swing is False
    assert movement.metrics == {}
    assert movement.sampling_rate_hz == pytest.approx(240.0, rel=1e-6)
    assert movement.quality_reasons[0]["code"] == "not_hitting"
    assert not MovementCurves.objects.exists()


@pytest.mark.both
def test_frames_that_change_during_the_analysis_do_not_get_old_numbers(session):
    """The sync stores newer frames after we loaded the old ones."""
    movement = movements_of(session)[0]
    newer = dict(simulated_columns(simulated_movements()[1], IK))
    state = {"loaded": False, "done": False}

    def store_after_loading(execute, sql, params, many, context):
        if state["loaded"] and not state["done"]:
            state["done"] = True
            store.store_frames(
                session_pk=session.pk,
                data_type=IK,
                is_whole_session=False,
                movements=[PackedMovement(movement.org_movement_id, pack(newer))],
            )
        result = execute(sql, params, many, context)
        # What reads columns: by parts on PostgreSQL, after asking for rows on SQLite.
        state["loaded"] |= "unnest" in sql
        state["loaded"] |= "content_sha256" not in sql and ME in (params or ())
        return result

    with connection.execute_wrapper(store_after_loading):
        counts = run.analyze_movements([movement.pk])

    movement.refresh_from_db()
    found = movement.metrics
    assert state["done"]
    assert counts.analyzed == 1
    run.analyze_session(session.pk, force=True)
    movement.refresh_from_db()
    assert found == movement.metrics


def test_every_column_list_is_without_repeats():
    for columns in (run.KINEMATIC_COLUMNS, run.ENERGETIC_COLUMNS):
        assert len(set(columns)) == len(columns)


def test_every_metric_of_an_analysis_is_defined():
    made = simulated_movements()[0]
    found = analyze_swing(
        kinematics=simulated_columns(made, IK),
        energetics=None,
        bats=None,
        height_m=None,
        mass_kg=None,
    )
    assert set(found.metrics) <= set(METRICS)
    assert dataclasses.is_dataclass(found)
