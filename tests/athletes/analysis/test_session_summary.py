"""What is stored of a session as a whole follows from its included swings."""

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.test.utils import CaptureQueriesContext

from athletes.analysis import means_by_side, run, session_summary
from athletes.models import (
    SessionMetric,
)
from biomechanics.definitions import METHOD_VERSION
from tests.factories import (
    make_session,
    make_session_metric,
    make_swing,
    metric,
)


def movements_of(session):
    return list(session.movements.in_session_order())


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
    assert sum(summary["quality"].values()) == 5
    rows = SessionMetric.objects.filter(session=session, metric="peak_torso_omega")
    assert sum(row.n for row in rows) == 5
    # The swing without a bat has another reference, and stands in a row of its own.
    (row, other) = rows.order_by("-n")
    assert (row.n, other.n) == (4, 1)
    assert other.basis.startswith("reference=hand_peak hands=")
    assert row.basis.startswith("reference=bat_")
    with_bat = [v for v, m in zip(values, counted, strict=True) if m != movements[5]]
    assert row.mean == pytest.approx(np.mean(with_bat))
    assert row.sd == pytest.approx(np.std(with_bat, ddof=1))
    assert (row.minimum, row.maximum) == (min(with_bat), max(with_bat))
    assert row.cv == pytest.approx(100 * row.sd / row.mean)
    assert row.method_version == METHOD_VERSION
    headline = summary["headlines"]["peak_torso_omega"]
    # It is no mean over two references either.
    assert headline["mean"] == pytest.approx(np.mean(with_bat))
    assert (headline["n"], headline["left_out"]) == (4, 1)
    assert headline["basis"] == row.basis


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


VENDOR = "reference=bat_peak foot_down=vendor_norm_time"
ANKLE = "reference=bat_peak foot_down=ankle_settles"


def on_basis(metric_id, value, basis, **fields):
    """A swing with one number that rests on `basis`."""
    swing = make_swing(**fields)
    swing.metrics = {metric_id: metric(value, "deg") | {"basis": basis}}
    swing.save()
    return swing


def test_two_rules_of_foot_down_give_two_means(db):
    session = make_session()
    for value, basis in ((20.0, VENDOR), (22.0, VENDOR), (30.0, ANKLE), (34.0, ANKLE)):
        on_basis("lead_knee_ext", value, basis, session=session)
    on_basis("lead_knee_ext", 24.0, VENDOR, session=session)
    session_summary.refresh_session_summary(session.pk)
    rows = SessionMetric.objects.filter(session=session).order_by("basis")
    assert [(row.basis, row.n, row.mean) for row in rows] == [
        (ANKLE, 2, 32.0),
        (VENDOR, 3, 22.0),
    ]
    session.refresh_from_db()
    headline = session.summary["headlines"]["lead_knee_ext"]
    assert (headline["mean"], headline["n"]) == (22.0, 3)
    assert (headline["basis"], headline["left_out"]) == (VENDOR, 2)


def test_the_database_keeps_one_mean_for_each_basis(db):
    session = make_session()
    make_session_metric(session=session, basis=VENDOR)
    make_session_metric(session=session, basis=ANKLE)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_session_metric(session=session, basis=ANKLE)


def test_the_release_before_reads_and_writes_the_same_key(db):
    """While hosts are restarted both run on one database."""
    row = make_session_metric(basis=VENDOR)
    before = MigrationLoader(connection).project_state(
        ("athletes", "0017_athletes_by_vendor_id")
    )
    old = before.apps.get_model("athletes", "SessionMetric")
    assert old.objects.get().event_rule == VENDOR
    old.objects.update(event_rule="bat_peak")
    row.refresh_from_db()
    assert row.basis == "bat_peak"


def test_a_value_is_keyed_by_what_it_rests_on(db):
    swing = on_basis(
        "x_factor_fd",
        12.0,
        "foot_down=ankle_settles",
        events={"foot_down": {"time_s": 0.8, "rule": "manual"}},
    )
    assert means_by_side.metric_basis(swing, "x_factor_fd") == "foot_down=ankle_settles"


def test_a_number_of_a_former_method_is_keyed_as_it_was(db):
    """It does not say what it rests on, and is not mixed with those that do."""
    swing = make_swing(
        {"peak_pelvis_omega": 640.0, "x_factor_fd": 12.0},
        events={
            "reference": {"time_s": 1.0, "rule": "manual"},
            "foot_down": {"time_s": 0.8, "rule": "vendor_norm_time"},
        },
        automatic_events={"reference": {"time_s": 1.1, "rule": "hand_peak"}},
    )
    assert means_by_side.metric_basis(swing, "peak_pelvis_omega") == "hand_peak"
    assert means_by_side.metric_basis(swing, "x_factor_fd") == "vendor_norm_time"
