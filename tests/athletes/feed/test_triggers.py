"""The database itself writes down whatever changes of what JSON shows."""

import datetime as dt

import pytest
from django.db import connection, models
from django.utils import timezone

from athletes.api import rows
from athletes.feed import triggers
from athletes.models import (
    FeedKind,
    FeedNote,
    FeedRow,
    Movement,
    Player,
    Session,
    TeamLeaving,
)
from tests import factories
from tests.factories import settle_all

pytestmark = pytest.mark.django_db

MODELS = {
    FeedKind.PLAYER: Player,
    FeedKind.SESSION: Session,
    FeedKind.MOVEMENT: Movement,
}
COLUMNS = [
    pytest.param(kind, field, id=f"{kind} {field.column}")
    for kind, model in MODELS.items()
    for field in model._meta.concrete_fields
    if not field.primary_key
]


def another(field, row):
    """A value that the field does not have in this row."""
    now = getattr(row, field.attname)
    if isinstance(field, models.ForeignKey):
        if field.related_model is Player:
            return factories.make_player().pk
        if field.related_model is Session:
            return factories.make_session().pk
        return factories.make_movement().pk
    if isinstance(field, models.BooleanField):
        return not now
    if isinstance(field, models.DateTimeField):
        return timezone.now() + dt.timedelta(days=1)
    if isinstance(field, models.DateField):
        return dt.date(2001, 1, 1)
    if isinstance(field, models.JSONField):
        return {"another": 1}
    if isinstance(field, models.IntegerField | models.FloatField):
        return (now or 4) + 1
    if field.choices:
        return next(value for value, _ in field.choices if value != now)
    return f"{now}x"[:1] if field.max_length < 2 else "x" + (now or "")


def row_of(kind):
    swing = factories.make_swing()
    return {
        FeedKind.PLAYER: swing.session.player,
        FeedKind.SESSION: swing.session,
        FeedKind.MOVEMENT: swing,
    }[kind]


@pytest.mark.parametrize(("kind", "field"), COLUMNS)
def test_a_change_of_any_column_is_noted_unless_no_json_shows_it(kind, field):
    row = row_of(kind)
    value = another(field, row)
    settle_all()
    MODELS[kind]._base_manager.filter(pk=row.pk).update(**{field.attname: value})
    noted = FeedNote.objects.filter(kind=kind, row_id=row.pk).exists()
    hidden = triggers.UNSEEN[MODELS[kind]._meta.db_table]
    assert noted == (field.column not in hidden)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (FeedKind.PLAYER, rows.PLAYER_FIELDS),
        (FeedKind.SESSION, rows.SESSION_FIELDS),
        (FeedKind.MOVEMENT, rows.MOVEMENT_FIELDS),
    ],
)
def test_no_column_that_json_shows_is_hidden(kind, fields):
    model = MODELS[kind]
    hidden = triggers.UNSEEN[model._meta.db_table]
    own = {name for name in fields if "__" not in name}
    columns = {model._meta.get_field(name).column for name in own}
    assert columns & hidden == set()
    assert hidden <= {field.column for field in model._meta.concrete_fields}


@pytest.mark.parametrize(
    "name", [name for name in rows.MOVEMENT_FIELDS if name.startswith("session__")]
)
def test_swings_move_with_what_they_show_of_their_session(name):
    swing = factories.make_swing()
    field = Session._meta.get_field(name.removeprefix("session__"))
    value = another(field, swing.session)
    settle_all()
    before = FeedRow.objects.get(kind=FeedKind.MOVEMENT, row_id=swing.pk)
    Session.objects.filter(pk=swing.session_id).update(**{field.attname: value})
    settle_all()
    after = FeedRow.objects.get(kind=FeedKind.MOVEMENT, row_id=swing.pk)
    assert after.place > before.place
    assert after.changed_at > before.changed_at


def test_a_change_that_no_json_shows_moves_no_swing():
    swing = factories.make_swing()
    settle_all()
    places = set(FeedRow.objects.values_list("place", flat=True))
    Session.objects.filter(pk=swing.session_id).update(bat="Ash 33", swing_count=9)
    swing.save()
    settle_all()
    assert set(FeedRow.objects.values_list("place", flat=True)) == places


def test_a_session_moves_with_its_athlete():
    session = factories.make_session()
    settle_all()
    before = FeedRow.objects.get(kind=FeedKind.SESSION, row_id=session.pk)
    Player.objects.filter(pk=session.player_id).update(first_name="Renamed")
    settle_all()
    after = FeedRow.objects.get(kind=FeedKind.SESSION, row_id=session.pk)
    assert after.place > before.place


def test_what_is_deleted_leaves_its_number_alone():
    swing = factories.make_swing()
    settle_all()
    player = swing.session.player
    numbers = (swing.pk, swing.session_id, player.pk)
    player.delete()
    settle_all()
    assert set(FeedRow.objects.values_list("kind", "row_id", "gone")) == {
        ("movement", numbers[0], "erased"),
        ("session", numbers[1], "erased"),
        ("player", numbers[2], "erased"),
    }
    assert all(row.gone_at == row.changed_at for row in FeedRow.objects.all())


def test_who_leaves_a_team_is_kept_in_mind():
    player = factories.make_player()
    team = factories.make_team(players=[player])
    team.players.remove(player)
    (leaving,) = TeamLeaving.objects.all()
    assert (leaving.team_id, leaving.player_id) == (team.pk, player.pk)


def test_notes_are_dated_by_the_present_time():
    before = timezone.now()
    factories.make_player()
    (note,) = FeedNote.objects.all()
    assert before <= note.at <= timezone.now() + dt.timedelta(milliseconds=1)


def test_triggers_that_are_lost_come_back_and_all_is_told_again():
    kept, erased = factories.make_swing(), factories.make_swing()
    settle_all()
    before = FeedRow.objects.get(kind=FeedKind.MOVEMENT, row_id=kept.pk).place
    triggers.remove(connection)
    Movement.objects.filter(pk=kept.pk).update(position=7)
    gone = erased.pk
    erased.delete()
    assert not FeedNote.objects.exists()
    assert triggers.install(connection) == sorted(triggers.UNSEEN)
    settle_all()
    after = FeedRow.objects.get(kind=FeedKind.MOVEMENT, row_id=kept.pk)
    assert after.place > before
    assert FeedRow.objects.get(kind=FeedKind.MOVEMENT, row_id=gone).gone == "erased"
    assert triggers.install(connection) == []


def test_rows_from_before_are_put_into_the_order_at_once():
    swing = factories.make_swing()
    FeedNote.objects.all().delete()
    triggers.remove(connection)
    triggers.install(connection)
    assert not FeedNote.objects.exists()
    found = FeedRow.objects.order_by("place").values_list("kind", "row_id", "parent_id")
    assert sorted(found) == [
        ("movement", swing.pk, swing.session_id),
        ("player", swing.session.player_id, None),
        ("session", swing.session_id, swing.session.player_id),
    ]
    places = list(FeedRow.objects.values_list("place", flat=True))
    assert len(set(places)) == 3
    assert settle_all() == max(places)
