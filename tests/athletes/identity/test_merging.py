"""Two records made one athlete, and everything back again."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Action, AuditEntry
from athletes import decisions
from athletes.analysis.session_summary import refresh_session_summary
from athletes.analysis.summaries import refresh_player_summaries
from athletes.analysis.totals import player_total
from athletes.identity import duplicates, merging, session_parts
from athletes.models import (
    AthleteLevel,
    AthleteMerge,
    BiomechanicsData,
    DuplicatePair,
    EventCorrection,
    FeedCounter,
    FeedLeft,
    FeedNote,
    FeedRow,
    InclusionDecision,
    Level,
    Movement,
    Note,
    PeerGroup,
    Player,
    PlayerCount,
    Session,
    SessionMetric,
    Tag,
    TeamLeaving,
)
from privacy.models import Archive
from sharing.links import make_link
from tests import factories

pytestmark = pytest.mark.django_db

DAY = dt.date(2008, 5, 6)
#: When a row was last written, and what is looked for anew.
_TIMES = {"updated_at", "compared_at"}


@pytest.fixture
def two():
    """Two records of one athlete, each with sessions and what people did to them."""
    kept = factories.make_player(
        first_name="Ada", last_name="Example", date_of_birth=DAY
    )
    merged = factories.make_player(
        first_name="Ada", last_name="Exampel", date_of_birth=DAY, weight_lbs=180.0
    )
    staff = factories.make_staff()
    for player in (kept, merged):
        Note.objects.create(player=player, text="on the athlete", created_by=staff)
        factories.make_goal(player=player, created_by=staff)
        level = Level.objects.get_or_create(name="14U")[0]
        # Of two levels from one day on an athlete keeps one.
        AthleteLevel.objects.create(player=player, level=level, since=DAY)
        for number in range(2):
            session = factories.make_session(
                player=player, session_date=DAY.replace(year=2025, month=1 + number)
            )
            for _ in range(3):
                swing = factories.make_swing(session=session)
            Note.objects.create(session=session, text="a note", created_by=staff)
            Note.objects.create(session=session, movement=swing, text="of a swing")
            InclusionDecision.objects.create(
                movement=swing, inclusion="excluded", reason="a", created_by=staff
            )
            EventCorrection.objects.create(
                movement=swing, event="foot_down", time_s=1.0
            )
            refresh_session_summary(session.pk)
    # One session of the vendor in which both took part, its movements named alike.
    shared = "00000000-0000-4000-8000-00000000beef"
    for player, condition in ((kept, ""), (merged, "tee")):
        session = factories.make_session(
            player=player, session_id=shared, condition=condition, data_state="complete"
        )
        for number in range(2):
            factories.make_swing(session=session, org_movement_id=f"IMG-{number}")
        refresh_session_summary(session.pk)
    tag, other = (Tag.objects.create(name=name) for name in ("both", "his"))
    tag.players.add(kept, merged)
    other.players.add(merged)
    other.sessions.add(merged.sessions.get(session_id=shared))
    factories.make_team(name="Ours", players=[kept, merged])
    factories.make_team(name="Theirs", players=[merged])
    Archive.objects.create(player=merged, state="ready")
    make_link(by=staff, player=merged)
    refresh_player_summaries([kept.pk, merged.pk])
    duplicates.compare_waiting()
    kept.refresh_from_db()
    merged.refresh_from_db()
    return kept, merged


def rows():
    """Every column of every row, but for when it was written."""
    found = {}
    for model in [
        *(
            m
            for m in merging.Player._meta.apps.get_models()
            if m._meta.app_label in {"athletes", "privacy", "sharing"}
        ),
        Player.tags.through,
        Session.tags.through,
        Player.teams.through,
    ]:
        # Of the parts of the number of athletes only the sum says something, and a
        # group that nobody is in any more says nothing.
        if model in {AthleteMerge, PlayerCount, PeerGroup}:
            continue
        # That there was a merge, and an end of it, is told to other programs.
        if model in {FeedNote, FeedRow, FeedCounter, FeedLeft, TeamLeaving}:
            continue
        names = [f.attname for f in model._meta.concrete_fields if f.name not in _TIMES]
        if model is SessionMetric:
            names.remove("id")  # computed again
        if model._meta.model_name in {"peernumber", "namekey", "athletescatter"}:
            names.remove("id")
        if model._meta.model_name == "peercount":
            names.remove("id")
        found[model._meta.label] = sorted(
            (
                tuple(
                    bytes(value) if isinstance(value, memoryview) else value
                    for value in row
                )
                for row in model._base_manager.values_list(*names)
            ),
            key=repr,
        )
    return found


def test_everything_moves_and_comes_back_row_for_row(two):
    kept, merged = two
    staff = factories.make_staff()
    before = rows()
    entry = merging.merge(kept=kept, merged=merged, by=staff)

    kept.refresh_from_db()
    assert list(Player.objects.all()) == [kept]
    assert player_total() == 1
    assert (kept.session_count, kept.swing_count) == (5, 16)
    shown = Session.objects.filter(player=kept)
    assert Note.objects.filter(session__in=shown).count() == 8
    assert kept.notes.count() == kept.goals.count() == 2
    assert kept.levels.count() == 1
    assert (
        InclusionDecision.objects.filter(movement__session__in=shown).count()
        == EventCorrection.objects.filter(movement__session__in=shown).count()
        == 4
    )
    assert set(kept.tags.values_list("name", flat=True)) == {"both", "his"}
    assert set(kept.teams.values_list("name", flat=True)) == {"Ours", "Theirs"}
    assert Archive.objects.get().player == kept
    assert kept.share_links.count() == 1
    whole = shown.get(session_id="00000000-0000-4000-8000-00000000beef")
    names = [m.org_movement_id for m in whole.movements.in_session_order()]
    suffix = f" [{merged.org_player_id}]"
    assert names == ["IMG-0", "IMG-1", f"IMG-0{suffix}", f"IMG-1{suffix}"]
    assert [m.position for m in whole.movements.all()] == [1, 2, 3, 4]
    # Nobody said of the swings that were here how they were hit.
    assert (whole.swing_count, whole.condition) == (4, "")
    assert whole.setup_words == "Mixed: tee, no setup recorded"
    assert list(whole.tags.values_list("name", flat=True)) == ["his"]

    merging.separate(entry=entry, by=staff)
    after = rows()
    for name in before:
        assert after[name] == before[name], name
    said = AuditEntry.objects.exclude(action=Action.DUPLICATE_DECIDED)
    assert [
        (e.action, e.actor, e.player_number, e.detail["other"])
        for e in said.filter(action__startswith="athlete.").order_by("id")
    ] == [
        (Action.ATHLETE_MERGED, staff.username, kept.pk, merged.pk),
        (Action.ATHLETE_MERGED, staff.username, merged.pk, kept.pk),
        (Action.ATHLETES_SEPARATED, staff.username, kept.pk, merged.pk),
        (Action.ATHLETES_SEPARATED, staff.username, merged.pk, kept.pk),
    ]


def test_what_was_done_since_stays_with_what_it_was_done_to(two):
    kept, merged = two
    theirs = merged.sessions.order_by("pk").first()
    entry = merging.merge(kept=kept, merged=merged, by=None)
    Note.objects.create(session=theirs, text="since, on his session")
    swing = Movement.objects.filter(folded_from__player=merged).first()
    Note.objects.create(session=swing.session, movement=swing, text="on his swing")
    Note.objects.create(session=swing.session, text="on the session of both")
    new_tag = Tag.objects.create(name="since")
    kept.tags.add(new_tag)
    kept.refresh_from_db()
    kept.height_ft = 6.5
    kept.save(update_fields=["height_ft", "updated_at"])
    merging.separate(entry=entry, by=None)
    owners = {
        note.text: note.session.player_id
        for note in Note.objects.filter(player=None).select_related("session")
        if note.text.startswith(("since", "on"))
    }
    assert owners == {
        "since, on his session": merged.pk,
        "on his swing": merged.pk,
        "on the session of both": kept.pk,
    }
    kept.refresh_from_db()
    assert kept.height_ft == 6.5
    assert set(kept.tags.values_list("name", flat=True)) == {"both", "since"}
    assert set(merged.tags.values_list("name", flat=True)) == {"both", "his"}


def test_chosen_facts_are_taken_over_and_given_back(two):
    kept, merged = two
    Player.objects.filter(pk=merged.pk).update(weight_lbs=150.0, height_ft=5.0)
    Player.objects.filter(pk=kept.pk).update(corrected_fields=["height_ft"])
    entry = merging.merge(
        kept=kept, merged=merged, from_merged=["last_name", "weight_lbs"], by=None
    )
    kept.refresh_from_db()
    assert (kept.last_name, kept.weight_lbs, kept.height_ft) == ("Exampel", 150.0, 6.0)
    assert kept.search_text == "ada exampel"
    assert kept.corrected_fields == ["height_ft", "last_name", "weight_lbs"]
    # Numbers that rest on the weight are computed again, all of them.
    movements = Movement.objects.filter(session__player=kept)
    assert set(movements.values_list("method_version", flat=True)) == {""}
    kept.weight_lbs = 151.0
    kept.save(update_fields=["weight_lbs", "updated_at"])
    merging.separate(entry=entry, by=None)
    kept.refresh_from_db()
    assert (kept.last_name, kept.weight_lbs) == ("Example", 151.0)
    assert kept.corrected_fields == ["height_ft", "weight_lbs"]
    with pytest.raises(ValidationError, match="Unknown fact"):
        merging.merge(kept=kept, merged=merged, from_merged=["id"], by=None)


def test_merges_of_merges_are_undone_in_order(two):
    one, other = two
    third = factories.make_player(first_name="Ada", last_name="Example")
    third_session = factories.make_session(
        player=third, session_id="00000000-0000-4000-8000-00000000beef"
    )
    factories.make_swing(session=third_session, org_movement_id="IMG-0")
    refresh_session_summary(third_session.pk)
    refresh_player_summaries([third.pk])
    duplicates.compare_waiting()
    before = rows()
    first = merging.merge(kept=one, merged=other, by=None)
    second = merging.merge(kept=third, merged=one, by=None)
    assert set(Player.everyone.filter(merged_into=third)) == {one, other}
    whole = Session.objects.get(
        player=third, session_id="00000000-0000-4000-8000-00000000beef"
    )
    assert whole.movements.count() == 5
    with pytest.raises(ValidationError, match="Undo that first"):
        merging.separate(entry=first, by=None)
    with pytest.raises(ValidationError, match="in the meantime"):
        merging.merge(kept=one, merged=third, by=None)
    merging.separate(entry=second, by=None)
    assert list(Player.objects.order_by("pk")) == [one, third]
    assert (
        Session.objects.get(
            player=one, session_id="00000000-0000-4000-8000-00000000beef"
        ).movements.count()
        == 4
    )
    merging.separate(entry=first, by=None)
    after = rows()
    for name in before:
        assert after[name] == before[name], name
    with pytest.raises(ValidationError, match="already undone"):
        merging.separate(entry=first, by=None)


def test_the_same_swing_under_both_ids_is_shown_once():
    kept, merged = factories.make_player(), factories.make_player()
    for player in (kept, merged):
        session = factories.make_session(player=player, session_id="shared")
        frames = factories.make_frames(movement=factories.make_swing(session=session))
    twin = frames.movement
    entry = merging.merge(kept=kept, merged=merged, by=None)
    shown = Session.objects.get(player=kept)
    assert shown.movements.count() == 1
    merging.separate(entry=entry, by=None)
    assert twin.session.player == merged
    assert merged.sessions.get().movements.get() == twin


def test_swings_that_the_vendor_corrects_under_one_id_are_two_until_they_are_alike():
    kept, merged = factories.make_player(), factories.make_player()
    swings = []
    for player in (kept, merged):
        session = factories.make_session(player=player, session_id="shared")
        frames = factories.make_frames(movement=factories.make_swing(session=session))
        swings.append(frames.movement)
    entry = merging.merge(kept=kept, merged=merged, by=None)
    shown = Session.objects.get(player=kept)
    assert not session_parts.settle_twins(shown.pk)

    ours, theirs = (swing.biomechanics.get() for swing in swings)
    first = ours.content_sha256
    BiomechanicsData.objects.filter(pk=theirs.pk).update(content_sha256="corrected")
    assert session_parts.settle_twins(shown.pk)
    assert set(shown.movements.all()) == set(swings)
    assert not session_parts.settle_twins(shown.pk)

    BiomechanicsData.objects.filter(pk=ours.pk).update(content_sha256="corrected")
    assert session_parts.settle_twins(shown.pk)
    assert shown.movements.get() == swings[0]

    BiomechanicsData.objects.update(content_sha256=first)
    merging.separate(entry=entry, by=None)
    assert merged.sessions.get().movements.get() == swings[1]


def test_a_pair_that_is_merged_does_not_wait(two):
    pair = DuplicatePair.objects.waiting().get()
    entry = merging.merge(kept=two[0], merged=two[1], by=None)
    assert not DuplicatePair.objects.waiting().exists()
    merging.separate(entry=entry, by=None)
    assert DuplicatePair.objects.waiting().get() == pair


def test_swings_of_two_setups_keep_them_and_follow_their_session_again():
    kept, merged = factories.make_player(), factories.make_player()
    for player, condition in ((kept, "tee"), (merged, "live")):
        session = factories.make_session(
            player=player, session_id="shared", condition=condition
        )
        swings = [factories.make_swing(session=session) for _ in range(3)]
    decisions.set_setups(movements=swings[:1], setup="machine")
    entry = merging.merge(kept=kept, merged=merged, by=None)
    shown = Session.objects.get(player=kept)
    setups = shown.movements.in_session_order().values_list("condition", flat=True)
    assert list(setups) == [None, None, None, "machine", "live", "live"]
    decisions.set_setups(movements=swings[2:], setup="front_toss")
    merging.separate(entry=entry, by=None)
    theirs = session.movements.in_session_order()
    assert list(theirs.values_list("condition", flat=True)) == [
        "machine",
        None,
        "front_toss",
    ]
    session.condition = "tee"
    decisions.save_conditions(session)
    assert [swing.setup for swing in theirs.all()] == ["machine", "tee", "front_toss"]
