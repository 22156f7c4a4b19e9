"""Writes over several rows: storing files, summaries, decisions of people."""

import datetime as dt
import threading

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from athletes import decisions
from athletes.analysis import run, summaries
from athletes.frames import load
from athletes.frames import store as frames_store
from athletes.frames.packing import PackedMovement, pack
from athletes.models import BiomechanicsData, DataType, Movement
from tests.factories import (
    make_movement,
    make_player,
    make_session,
    make_session_metric,
    make_swing,
    make_user,
    simulated_movements,
    smooth_columns,
    store_simulated,
)
from tests.shared_rows import rows_shared

IK, ME = DataType.INVERSE_KINEMATICS, DataType.MOMENTUM_ENERGY


def incoming(*names, shift=0.0, repairs=(), originals=None):
    columns = {
        key: values + (shift if key != "time" else 0.0)
        for key, values in smooth_columns().items()
    }
    frames = pack(columns, originals=originals)
    return [PackedMovement(name, frames, repairs) for name in names]


def state():
    """Everything that storing frames may change, times of rows included."""
    return (
        list(Movement.objects.order_by("pk").values()),
        list(BiomechanicsData.objects.order_by("pk").values()),
    )


def names_in_order(session):
    return list(
        session.movements.in_session_order().values_list("org_movement_id", flat=True)
    )


# --- Storing frames -------------------------------------------------------------


@pytest.mark.django_db
def test_store_frames_stores_every_movement_of_a_file_in_its_order():
    session = make_session()
    names = ["IMG, 2", 'IMG "1"', "IMG#0"]

    counts = frames_store.store_frames(
        session_pk=session.pk,
        data_type=IK,
        movements=incoming(*names, repairs=["The id was missing."]),
    )

    assert (counts.created, counts.updated, counts.unchanged) == (3, 0, 0)
    assert counts.movements_created == 3
    assert counts.seen == 3
    assert names_in_order(session) == names
    assert [m.position for m in session.movements.in_session_order()] == [1, 2, 3]
    assert set(counts.changed_ids) == {m.pk for m in session.movements.all()}
    row = BiomechanicsData.objects.first()
    assert row.repairs == ["The id was missing."]
    assert row.byte_size == len(row.frames)
    assert (row.frame_count, row.column_count) == (48, 4)
    loaded = load.load_columns(counts.changed_ids, IK, ["torso_rot"])
    expected = smooth_columns()["torso_rot"].astype("f4")
    assert len(loaded) == 3
    for columns in loaded.values():
        assert np.array_equal(columns["torso_rot"], expected)


@pytest.mark.django_db
def test_store_frames_twice_writes_nothing_the_second_time():
    session = make_session()
    file = {"session_pk": session.pk, "data_type": IK}
    frames_store.store_frames(**file, movements=incoming("a", "b"))
    before = state()

    with CaptureQueriesContext(connection) as queries:
        counts = frames_store.store_frames(**file, movements=incoming("a", "b"))

    assert (counts.created, counts.updated, counts.unchanged) == (0, 0, 2)
    assert counts.changed_ids == ()
    assert state() == before
    writes = [
        q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))
    ]
    assert writes == []


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_store_frames_costs_the_same_queries_for_one_and_three(count):
    session = make_session()
    names = [f"m{place}" for place in range(count)]
    with CaptureQueriesContext(connection) as queries:
        frames_store.store_frames(
            session_pk=session.pk, data_type=IK, movements=incoming(*names)
        )
    statements = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
    assert len(statements) == 6


@pytest.mark.django_db
def test_store_frames_replaces_what_changed_and_asks_for_new_numbers():
    session = make_session()
    file = {"session_pk": session.pk, "data_type": IK}
    frames_store.store_frames(**file, movements=incoming("a", "b"))
    Movement.objects.update(method_version="2026.1")

    counts = frames_store.store_frames(
        **file, movements=[*incoming("a"), *incoming("b", shift=1.0)]
    )

    a, b = session.movements.in_session_order()
    assert (counts.created, counts.updated, counts.unchanged) == (0, 1, 1)
    assert counts.changed_ids == (b.pk,)
    assert (a.method_version, b.method_version) == ("2026.1", "")
    value = load.load_columns([b.pk], IK, ["left_knee"])[b.pk]["left_knee"]
    assert value[0] == pytest.approx(smooth_columns()["left_knee"][0] + 1, abs=1e-6)


@pytest.mark.django_db
def test_store_frames_keeps_positions_when_the_order_of_a_file_changes():
    session = make_session()
    file = {"session_pk": session.pk, "data_type": IK}
    frames_store.store_frames(**file, movements=incoming("a", "b"))
    frames_store.store_frames(**file, movements=incoming("c", "b", "a", "d"))
    assert names_in_order(session) == ["a", "b", "c", "d"]
    assert [m.position for m in session.movements.in_session_order()] == [1, 2, 3, 4]


@pytest.mark.django_db
def test_a_movement_that_left_the_file_is_marked_missing_until_it_returns():
    session = make_session()
    file = {"session_pk": session.pk, "data_type": IK}
    frames_store.store_frames(**file, movements=incoming("a", "b"))

    frames_store.store_frames(**file, movements=incoming("a"))
    b = session.movements.get(org_movement_id="b")
    since = b.missing_since
    assert since is not None
    assert b.biomechanics.count() == 1
    # The same shorter file again: still missing, and since the same time.
    frames_store.store_frames(**file, movements=incoming("a"))
    b.refresh_from_db()
    assert b.missing_since == since

    counts = frames_store.store_frames(**file, movements=incoming("a", "b"))
    b.refresh_from_db()
    assert b.missing_since is None
    assert counts.unchanged == 2


@pytest.mark.django_db
def test_a_movement_that_only_one_data_type_lacks_is_not_missing():
    session = make_session()
    frames_store.store_frames(
        session_pk=session.pk, data_type=IK, movements=incoming("a", "b")
    )
    frames_store.store_frames(
        session_pk=session.pk, data_type=ME, movements=incoming("a", "b")
    )
    frames_store.store_frames(
        session_pk=session.pk, data_type=ME, movements=incoming("a")
    )
    b = session.movements.get(org_movement_id="b")
    assert b.missing_since is None

    frames_store.store_frames(
        session_pk=session.pk, data_type=IK, movements=incoming("a")
    )
    b.refresh_from_db()
    assert b.missing_since is not None


@pytest.mark.django_db
def test_a_file_of_a_single_movement_says_nothing_of_the_others():
    session = make_session()
    file = {"session_pk": session.pk, "data_type": IK}
    frames_store.store_frames(**file, movements=incoming("a", "b"))
    counts = frames_store.store_frames(
        **file, movements=incoming("c"), is_whole_session=False
    )
    assert counts.created == 1
    assert not session.movements.filter(missing_since__isnull=False).exists()


@pytest.mark.django_db
def test_what_is_stored_of_a_session_that_went_meanwhile_is_gone_with_it():
    session = make_session(missing_since=timezone.now())
    stored = [
        frames_store.store_frames(
            session_pk=session.pk, data_type=IK, movements=incoming("a")
        ),
        frames_store.store_movement_metadata(
            session_pk=session.pk, rows={"a": {}, "b": {}}
        ),
        frames_store.store_vendor_metrics(session_pk=session.pk, rows={"c": {}}),
    ]
    movements = list(session.movements.in_session_order())
    assert [m.org_movement_id for m in movements] == ["a", "b", "c"]
    assert all(m.missing_since for m in movements)
    assert [counts.moved_ids for counts in stored] == [(m.pk,) for m in movements]


@pytest.mark.django_db
def test_store_frames_leaves_the_same_names_of_another_session_alone():
    one, other = make_session(), make_session()
    frames_store.store_frames(session_pk=one.pk, data_type=IK, movements=incoming("a"))
    counts = frames_store.store_frames(
        session_pk=other.pk, data_type=IK, movements=incoming("a", shift=1.0)
    )
    assert counts.created == 1
    assert one.movements.get().missing_since is None


@pytest.mark.django_db
def test_a_file_that_breaks_in_the_middle_stores_nothing():
    session = make_session()

    def breaking():
        yield from incoming("a")
        raise OSError("The file ends in the middle.")

    with pytest.raises(OSError, match="middle"):
        frames_store.store_frames(
            session_pk=session.pk, data_type=IK, movements=breaking()
        )
    assert state() == ([], [])


@pytest.mark.django_db
def test_what_the_caller_writes_afterwards_takes_the_frames_back_when_it_fails():
    session = make_session()
    file = {"session_pk": session.pk, "data_type": IK}
    frames_store.store_frames(**file, movements=incoming("a"))
    before = state()

    @transaction.atomic
    def store_and_fail():
        frames_store.store_frames(**file, movements=incoming("a", "b", shift=1.0))
        frames_store.store_movement_metadata(
            session_pk=session.pk, rows={"a": {"camera": "one"}}
        )
        assert state() != before
        raise LookupError

    with pytest.raises(LookupError):
        store_and_fail()
    assert state() == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("movements", "message"),
    [([], "no movement"), (["a", "a"], "two places"), ([""], "no id")],
)
def test_store_frames_refuses_a_file_it_cannot_place(movements, message):
    session = make_session()
    with pytest.raises(ValueError, match=message):
        frames_store.store_frames(
            session_pk=session.pk, data_type=IK, movements=incoming(*movements)
        )
    assert state() == ([], [])


@pytest.mark.django_db
def test_store_frames_updates_repairs_that_a_newer_reader_words_differently():
    session = make_session()
    file = {"session_pk": session.pk, "data_type": IK}
    frames_store.store_frames(**file, movements=incoming("a", repairs=["old"]))
    counts = frames_store.store_frames(**file, movements=incoming("a", repairs=["new"]))
    assert (counts.updated, counts.changed_ids) == (1, ())
    assert BiomechanicsData.objects.get().repairs == ["new"]


# --- Metadata -------------------------------------------------------------------


@pytest.mark.django_db
def test_a_movement_known_from_the_list_alone_goes_with_the_list():
    session = make_session()
    store = frames_store.store_movement_metadata
    store(session_pk=session.pk, rows={"a": {}, "b": {}})
    counts = store(session_pk=session.pk, rows={"a": {}})
    a, b = session.movements.in_session_order()
    assert (a.missing_since, counts.moved_ids) == (None, (b.pk,))
    assert b.missing_since is not None
    assert store(session_pk=session.pk, rows={"a": {}}).moved_ids == ()
    # A part of the list alone says nothing of the others.
    store(session_pk=session.pk, rows={"b": {}}, is_whole_session=False)
    assert list(session.movements.present()) == [a]
    assert store(session_pk=session.pk, rows={"a": {}, "b": {}}).moved_ids == (b.pk,)
    assert session.movements.present().count() == 2


@pytest.mark.django_db
def test_energies_of_an_older_file_keep_no_movement_that_the_list_lacks():
    session = make_session()

    def store(data_type, *names):
        frames_store.store_frames(
            session_pk=session.pk, data_type=data_type, movements=incoming(*names)
        )

    def listed(*names):
        rows = {name: {} for name in names}
        frames_store.store_movement_metadata(session_pk=session.pk, rows=rows)

    listed("a", "b")
    store(IK, "a", "b")
    store(ME, "a", "b")
    # Processed again; the energies are not here yet.
    store(IK, "c", "d")
    listed("c", "d")
    assert [m.org_movement_id for m in session.movements.present()] == ["c", "d"]
    # The list lacks what the angles have: it is sent.
    listed("c")
    assert [m.org_movement_id for m in session.movements.present()] == ["c", "d"]


@pytest.mark.django_db
def test_store_movement_metadata_creates_updates_and_leaves_alone():
    session = make_session()
    make_movement(session=session, org_movement_id="a", metadata={"X_offset": 1.0})
    make_movement(session=session, org_movement_id="b", metadata={"X_offset": 2.0})

    counts = frames_store.store_movement_metadata(
        session_pk=session.pk,
        rows={
            "a": {"X_offset": 1.0},
            "b": {"X_offset": 2.5, "Y_offset": float("nan")},
            "c": {"X_offset": np.float64(3.0)},
        },
    )

    assert (counts.created, counts.updated, counts.unchanged) == (1, 1, 1)
    assert list(
        session.movements.in_session_order().values_list("metadata", flat=True)
    ) == [{"X_offset": 1.0}, {"X_offset": 2.5, "Y_offset": None}, {"X_offset": 3.0}]


@pytest.mark.django_db
def test_metadata_may_come_before_the_frames():
    session = make_session()
    frames_store.store_movement_metadata(session_pk=session.pk, rows={"a": {}, "b": {}})
    counts = frames_store.store_frames(
        session_pk=session.pk, data_type=IK, movements=incoming("b", "c")
    )
    assert (counts.created, counts.movements_created) == (2, 1)
    assert names_in_order(session) == ["a", "b", "c"]


# --- Side by side ---------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_both_data_types_of_a_session_may_be_stored_at_once():
    """Two workers hold the two files of one session; each round is a new race."""
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("SQLite in memory cannot be shared as a file can.")
    names = [f"m{place}" for place in range(8)]
    player = make_player()
    for number in range(5):
        session = make_session(player=player, session_id=f"race-{number}")
        barrier = threading.Barrier(4)
        failures = []

        def store(data_type, barrier=barrier, failures=failures, pk=session.pk):
            try:
                movements = incoming(*names)
                barrier.wait()
                frames_store.store_frames(
                    session_pk=pk, data_type=data_type, movements=movements
                )
            except Exception as error:
                failures.append(error)
            finally:
                connection.close()

        threads = [
            threading.Thread(target=store, args=(kind,)) for kind in (IK, ME, IK, ME)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert failures == []
        assert names_in_order(session) == names
        assert list(
            session.movements.in_session_order().values_list("position", flat=True)
        ) == list(range(1, 9))
        assert BiomechanicsData.objects.filter(movement__session=session).count() == 16


# --- Summaries of athletes --------------------------------------------------------


def summary_of(player):
    player.refresh_from_db()
    return (
        player.last_session_on,
        player.session_count,
        player.swing_count,
        player.data_state,
        player.latest_hand_speed_m_per_s,
        player.latest_bat_speed_m_per_s,
    )


@pytest.mark.django_db
def test_summaries_of_athletes_follow_their_sessions():
    player, without = make_player(), make_player()
    old = make_session(
        player=player,
        session_date=dt.date(2026, 1, 2),
        swing_count=4,
        data_state="complete",
    )
    new = make_session(
        player=player,
        session_date=dt.date(2026, 3, 4),
        swing_count=3,
        data_state="no_data",
    )
    make_session_metric(session=old, metric="bat_speed_max", mean=30.0)
    make_session_metric(session=old, metric="peak_hand_speed", mean=9.0)
    make_session_metric(
        session=new,
        metric="peak_hand_speed",
        mean=8.0,
        n=2,
        basis="reference=hand_peak",
    )
    make_session_metric(
        session=new,
        metric="peak_hand_speed",
        mean=10.0,
        n=5,
        basis="reference=bat_peak",
    )

    assert summaries.refresh_player_summaries([player.pk, without.pk]) == 1

    assert summary_of(player) == (dt.date(2026, 3, 4), 2, 7, "complete", 10.0, 30.0)
    assert summary_of(without) == (None, 0, 0, "none", None, None)
    assert summaries.refresh_player_summaries([player.pk, without.pk]) == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("states", "joint"),
    [
        (["complete", "complete"], "complete"),
        (["complete", "no_data"], "complete"),
        (["no_data", "no_data"], "no_data"),
        (["complete", "waiting"], "waiting"),
        (["complete", "partial"], "partial"),
        (["complete", "failed"], "partial"),
        (["failed", "no_data"], "failed"),
        (["failed", "waiting"], "waiting"),
    ],
)
def test_the_state_of_an_athlete_joins_those_of_the_sessions(states, joint):
    player = make_player()
    for state_name in states:
        make_session(player=player, data_state=state_name)
    summaries.refresh_player_summaries([player.pk])
    assert summary_of(player)[3] == joint


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 3])
def test_refreshing_summaries_costs_the_same_for_many(count, django_assert_num_queries):
    players = [make_player() for _ in range(count)]
    for player in players:
        make_session(player=player)
    with django_assert_num_queries(17):
        summaries.refresh_player_summaries(p.pk for p in players)


# --- Inclusion --------------------------------------------------------------------


@pytest.mark.django_db
def test_excluding_a_swing_changes_the_mean_and_is_recorded():
    user = make_user()
    session = make_session()
    first = make_swing({"peak_hand_speed": 8.0}, session=session)
    make_swing({"peak_hand_speed": 10.0}, session=session)

    done = decisions.set_inclusion(
        movement=first, inclusion="excluded", reason=" Bat slipped ", user=user
    )

    assert (done.inclusion, done.inclusion_reason) == ("excluded", "Bat slipped")
    row = session.session_metrics.get(metric="peak_hand_speed")
    assert (row.n, row.mean) == (1, 10.0)
    session.player.refresh_from_db()
    assert session.player.latest_hand_speed_m_per_s == 10.0
    (decision,) = first.inclusion_decisions.all()
    assert (decision.inclusion, decision.reason, decision.created_by) == (
        "excluded",
        "Bat slipped",
        user,
    )

    decisions.set_inclusion(movement=first, inclusion="auto", reason="", user=user)
    row.refresh_from_db()
    assert (row.n, row.mean) == (2, 9.0)
    assert first.inclusion_decisions.count() == 2


@pytest.mark.django_db
def test_the_same_decision_again_is_not_recorded_twice():
    swing, user = make_swing(), make_user()
    for _ in range(2):
        decisions.set_inclusion(
            movement=swing, inclusion="included", reason="Fine", user=user
        )
    assert swing.inclusion_decisions.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("inclusion", "reason", "field"),
    [
        ("maybe", "why", "inclusion"),
        ("excluded", "  ", "reason"),
        ("excluded", "x" * 301, "reason"),
    ],
)
def test_a_decision_needs_a_choice_and_a_reason(inclusion, reason, field):
    swing = make_swing()
    with pytest.raises(ValidationError) as refused:
        decisions.set_inclusion(
            movement=swing, inclusion=inclusion, reason=reason, user=make_user()
        )
    assert list(refused.value.message_dict) == [field]
    assert swing.inclusion_decisions.count() == 0


# --- Moved events -----------------------------------------------------------------


@rows_shared
def swing():
    """The first of three analyzed swings of the simulator."""
    session = make_session()
    store_simulated(session, simulated_movements()[:3])
    run.analyze_session(session.pk)
    return session.movements.in_session_order()[0]


def test_a_moved_event_recomputes_what_depends_on_it(swing):
    user = make_user()
    before = Movement.objects.get(pk=swing.pk)
    automatic_s = before.events["foot_down"]["time_s"]
    mean_before = swing.session.session_metrics.get(metric="lead_knee_flex_fd").mean

    correction = decisions.move_event(
        movement=swing,
        event="foot_down",
        time_s=automatic_s - 0.05,
        reason="Heel was still up",
        user=user,
    )

    swing.refresh_from_db()
    assert correction.automatic_time_s == automatic_s
    assert (correction.created_by, correction.undone_at) == (user, None)
    assert swing.events["foot_down"]["time_s"] == pytest.approx(automatic_s - 0.05)
    assert swing.events["foot_down"]["confidence"] == "manual"
    assert swing.automatic_events["foot_down"]["time_s"] == automatic_s
    changed = {
        name
        for name, entry in swing.metrics.items()
        if entry["value"] != before.metrics[name]["value"]
    }
    assert {"lead_knee_flex_fd", "x_factor_fd", "pelvis_turn_fd_ref"} <= changed
    assert "peak_pelvis_omega" not in changed
    row = swing.session.session_metrics.get(metric="lead_knee_flex_fd")
    assert row.n == 3
    assert row.mean != mean_before


def test_undoing_a_moved_event_brings_the_automatic_numbers_back(swing):
    mover, undoer = make_user(), make_user()
    before = Movement.objects.get(pk=swing.pk)
    moved = decisions.move_event(
        movement=swing, event="foot_down", time_s=1.5, reason="", user=mover
    )

    (undone,) = decisions.undo_events(
        movement=swing, corrections=[moved.pk], user=undoer
    )

    swing.refresh_from_db()
    assert undone.undone_by == undoer
    assert undone.undone_at is not None
    assert swing.event_corrections.count() == 1
    assert swing.metrics == before.metrics
    assert swing.events == before.events
    with pytest.raises(ValidationError, match="undone or changed"):
        decisions.undo_events(movement=swing, corrections=[moved.pk], user=undoer)


def test_moving_an_event_again_keeps_the_first_move_as_history(swing):
    user = make_user()
    automatic_s = swing.events["foot_down"]["time_s"]
    for time_s in (1.60, 1.65):
        decisions.move_event(
            movement=swing, event="foot_down", time_s=time_s, reason="", user=user
        )
    rows = swing.event_corrections.order_by("pk")
    assert [row.time_s for row in rows] == [1.60, 1.65]
    assert [row.undone_at is None for row in rows] == [False, True]
    assert [row.automatic_time_s for row in rows] == [automatic_s, automatic_s]


def test_two_moved_events_hold_together(swing):
    user = make_user()
    for event, time_s in (("foot_down", 1.65), ("first_move", 1.60)):
        decisions.move_event(
            movement=swing, event=event, time_s=time_s, reason="", user=user
        )
    swing.refresh_from_db()
    assert swing.events["foot_down"]["time_s"] == pytest.approx(1.65, abs=1e-6)
    assert swing.events["first_move"]["time_s"] == pytest.approx(1.60, abs=1e-6)


def test_a_correction_survives_newer_frames_and_another_analysis(swing):
    decisions.move_event(
        movement=swing, event="foot_down", time_s=1.6, reason="", user=make_user()
    )
    run.analyze_session(swing.session_id, force=True)
    swing.refresh_from_db()
    assert swing.events["foot_down"]["time_s"] == pytest.approx(1.6, abs=1e-6)


@pytest.mark.parametrize(
    ("event", "time_s", "message"),
    [
        ("heel_strike", 1.0, "no event"),
        ("foot_down", -0.1, "between 0.000 and 2.396 s"),
        ("foot_down", 99.0, "between 0.000 and 2.396 s"),
        ("foot_down", float("nan"), "between"),
    ],
)
def test_an_event_cannot_be_moved_out_of_the_clip(swing, event, time_s, message):
    before = Movement.objects.get(pk=swing.pk)
    with pytest.raises(ValidationError, match=message):
        decisions.move_event(
            movement=swing, event=event, time_s=time_s, reason="", user=make_user()
        )
    swing.refresh_from_db()
    assert swing.metrics == before.metrics
    assert not swing.event_corrections.exists()


@pytest.mark.django_db
def test_an_event_of_a_movement_without_frames_cannot_be_moved():
    with pytest.raises(ValidationError, match="no frames"):
        decisions.move_event(
            movement=make_movement(),
            event="foot_down",
            time_s=1.0,
            reason="",
            user=make_user(),
        )


@pytest.mark.django_db
def test_vendor_metrics_outdate_the_swings_whose_events_changed():
    session = make_session()
    rows = {
        name: {"impact_event": 400.0, "bat_speed": 30.0, "note": "x"} for name in "abc"
    }
    counts = frames_store.store_vendor_metrics(session_pk=session.pk, rows=rows)
    assert (counts.created, counts.movements_created) == (3, 3)
    ids = dict(session.movements.values_list("org_movement_id", "pk"))
    assert set(counts.changed_ids) == set(ids.values())
    session.movements.update(method_version="2026.2")

    rows["a"] = rows["a"] | {"impact_event": None}
    rows["b"] = rows["b"] | {"bat_speed": 31.0}
    counts = frames_store.store_vendor_metrics(session_pk=session.pk, rows=rows)
    assert (counts.created, counts.updated, counts.unchanged) == (0, 2, 1)
    assert counts.changed_ids == (ids["a"],)
    found = session.movements.in_session_order().values_list(
        "vendor_metrics__bat_speed", "method_version"
    )
    assert list(found) == [(30.0, ""), (31.0, "2026.2"), (30.0, "2026.2")]
    counts = frames_store.store_vendor_metrics(session_pk=session.pk, rows=rows)
    assert (counts.updated, counts.changed_ids) == (0, ())
