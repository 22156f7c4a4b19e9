"""Stored frames become numbers of movements and sessions."""

import dataclasses
import json

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from athletes.analysis import means_by_side, run, session_summary
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
    make_swing,
    metric,
    simulated_columns,
    simulated_movements,
    store_simulated,
)

IK, ME = DataType.INVERSE_KINEMATICS, DataType.MOMENTUM_ENERGY


@pytest.fixture
def session(db):
    """A session as the sync leaves it: four swings, a walk, a swing without a bat."""
    session = make_session()
    store_simulated(session, simulated_movements())
    return session


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
        .order_by("metric", "event_rule")
        .values("metric", "event_rule", "n", "mean", "sd", "cv", "median")
    )
    session.refresh_from_db()
    return movements, metrics, session.swing_count, session.summary


# --- Movements ------------------------------------------------------------------


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


def test_numbers_use_the_height_and_weight_of_the_athlete(db):
    player = make_player(height_ft=5.0, weight_lbs=220.462262)
    session = make_session(player=player)
    store_simulated(session, simulated_movements()[:1])
    run.analyze_session(session.pk)
    (movement,) = movements_of(session)
    per_kg = movement.metrics["KE_per_kg_total"]["value"]
    whole = movement.metrics["peak_KE_total"]["value"]
    assert per_kg == pytest.approx(whole / 100.0, rel=1e-6)
    spread = movement.metrics["stride_spread_pct"]["value"]
    player.height_ft = 6.0
    player.save()
    run.analyze_session(session.pk, force=True)
    movement.refresh_from_db()
    taller = movement.metrics["stride_spread_pct"]["value"]
    assert taller == pytest.approx(spread * 5.0 / 6.0)


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
    # PostgreSQL needs two queries for each of the two loads. Three swings have a
    # representative, whose curves are loaded.
    expected = {"sqlite": 16, "postgresql": 18}[connection.vendor] + (count == 3)
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


# --- Sessions -------------------------------------------------------------------


def test_a_session_is_summarized_over_its_counted_swings(session):
    run.analyze_session(session.pk)
    session.refresh_from_db()
    movements = movements_of(session)
    counted = [movement for movement in movements if movement.is_counted]
    values = [m.metrics["peak_torso_omega"]["value"] for m in counted]

    assert session.swing_count == 5
    summary = session.summary
    assert (summary["movements"], summary["swings"]) == (6, 5)
    assert summary["counted"] == len(counted) == 5
    assert sum(entry["count"] for entry in summary["orders"]) == 5
    assert sum(summary["quality"].values()) == 5
    assert summary["representative"]["movement_id"] in {m.pk for m in counted}
    rows = SessionMetric.objects.filter(session=session, metric="peak_torso_omega")
    assert sum(row.n for row in rows) == 5
    # The swing without a bat has another reference, and stands in a row of its own.
    assert {row.event_rule: row.n for row in rows} == {"bat_peak": 4, "hand_peak": 1}
    row = rows.get(event_rule="bat_peak")
    with_bat = [v for v, m in zip(values, counted, strict=True) if m != movements[5]]
    assert row.mean == pytest.approx(np.mean(with_bat))
    assert row.sd == pytest.approx(np.std(with_bat, ddof=1))
    assert (row.minimum, row.maximum) == (min(with_bat), max(with_bat))
    assert row.cv == pytest.approx(100 * row.sd / row.mean)
    assert row.method_version == METHOD_VERSION
    headline = summary["headlines"]["peak_torso_omega"]
    assert headline["mean"] == pytest.approx(np.mean(values))
    assert headline["n"] == 5


def test_poor_and_excluded_swings_are_left_out_unless_included(db):
    session = make_session()
    numbers = {"good": 700.0, "poor": 100.0, "excluded": 400.0, "included": 500.0}
    make_swing({"peak_pelvis_omega": numbers["good"]}, session=session)
    make_swing(
        {"peak_pelvis_omega": numbers["poor"]}, session=session, quality_grade="poor"
    )
    make_swing(
        {"peak_pelvis_omega": numbers["excluded"]},
        session=session,
        inclusion="excluded",
    )
    make_swing(
        {"peak_pelvis_omega": numbers["included"]},
        session=session,
        quality_grade="poor",
        inclusion="included",
    )
    session_summary.refresh_session_summary(session.pk)
    row = SessionMetric.objects.get(session=session, metric="peak_pelvis_omega")
    assert (row.n, row.mean, row.sd) == (2, 600.0, None)
    session.refresh_from_db()
    assert session.summary["counted"] == 2
    assert session.swing_count == 4


def test_flagged_and_missing_values_do_not_enter_the_mean(db):
    session = make_session()
    make_swing(session=session, metrics={"peak_pelvis_omega": 600.0})
    make_swing(session=session, metrics={"peak_pelvis_omega": None})
    make_swing(
        session=session,
        metrics=None,
    )
    flagged = make_swing(session=session)
    flagged.metrics = {"peak_pelvis_omega": metric(5000.0) | {"flagged": True}}
    flagged.save()
    session_summary.refresh_session_summary(session.pk)
    row = SessionMetric.objects.get(session=session, metric="peak_pelvis_omega")
    assert (row.n, row.mean) == (2, 620.0)


def test_rows_of_metrics_that_nobody_has_any_more_go(db):
    session = make_session()
    swing = make_swing({"peak_pelvis_omega": 600.0}, session=session)
    session_summary.refresh_session_summary(session.pk)
    assert SessionMetric.objects.filter(session=session).count() == 1
    swing.inclusion = "excluded"
    swing.save()
    session_summary.refresh_session_summary(session.pk)
    assert not SessionMetric.objects.filter(session=session).exists()


def test_summarizing_again_writes_nothing(session):
    run.analyze_session(session.pk)
    with CaptureQueriesContext(connection) as queries:
        session_summary.refresh_session_summary(session.pk)
    writes = [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE"))]
    assert writes == []


def test_a_moved_reference_keeps_the_rule_that_values_are_compared_by(db):
    swing = make_swing(
        events={"reference": {"time_s": 1.0, "rule": "manual"}},
        automatic_events={"reference": {"time_s": 1.1, "rule": "hand_peak"}},
    )
    assert means_by_side.metric_rule(swing, "peak_pelvis_omega") == "hand_peak"


def test_foot_down_values_hang_on_the_rule_of_foot_down(db):
    swing = make_swing(
        events={
            "reference": {"time_s": 1.0, "rule": "hand_peak"},
            "foot_down": {"time_s": 0.8, "rule": "vendor_norm_time"},
        }
    )
    assert means_by_side.metric_rule(swing, "x_factor_fd") == "vendor_norm_time"
    assert means_by_side.metric_rule(swing, "x_factor_ref") == "hand_peak"


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
