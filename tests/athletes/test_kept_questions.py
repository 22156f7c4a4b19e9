"""A kept question gives what Django's own would, whoever asks about whatever."""

import datetime as dt

import pytest
from django.db.models import Exists, F, OuterRef, Q

from athletes import access
from athletes.kept_questions import kept_question, kept_question_of_keys
from athletes.models import Movement, Session
from tests import factories

pytestmark = pytest.mark.django_db


def built(build):
    """The kept question, and a list that grows each time it is put into words."""
    times = []

    def counted(*asked):
        times.append(asked)
        return build(*asked)

    return kept_question(counted), times


def later(sessions, player_id, day, pk):
    return (
        sessions.filter(player_id=player_id)
        .filter(Q(session_date__gt=day) | Q(session_date=day, pk__gt=pk))
        .select_related("player")
        .order_by("session_date", "pk")
    )


def test_same_rows_as_django_finds_for_each_athlete_and_day():
    players = [factories.make_player() for _ in range(3)]
    days = [dt.date(2026, 3, day) for day in (1, 2, 2, 5)]
    rows = [
        factories.make_session(player=player, session_date=day)
        for player in players
        for day in days
    ]
    question, times = built(later)
    every = Session.objects.all()
    for row in rows:
        asked = (every, row.player_id, row.session_date, row.pk)
        expected = list(later(*asked))
        found = question(*asked)
        assert found == expected
        assert [one.session_date for one in found] == [
            one.session_date for one in expected
        ]
    assert len(times) == 1


def test_related_rows_come_with_it(django_assert_num_queries):
    session = factories.make_session(session_date=dt.date(2026, 3, 2))
    question, _ = built(later)
    for _ in range(2):
        with django_assert_num_queries(1):
            found = question(
                Session.objects.all(), session.player_id, dt.date(2026, 3, 1), 0
            )
            assert found[0].player.full_name == session.player.full_name


def test_each_reader_finds_what_they_may_see_alone():
    seen, hidden = factories.make_session(), factories.make_session()
    coaches = []
    for own in (seen, hidden):
        coach = factories.make_user(limited_to_teams=True)
        factories.make_team(players=[own.player], members=[coach])
        coaches.append(coach)
    everybody = factories.make_user()
    question, _ = built(lambda sessions, pk: sessions.filter(pk=pk))
    for _ in range(2):
        for coach, own in zip(coaches, (seen, hidden), strict=True):
            visible = access.visible_sessions(coach)
            found = [question(visible, one.pk) for one in (seen, hidden)]
            assert found == [[own] if one == own else [] for one in (seen, hidden)]
        visible = access.visible_sessions(everybody)
        assert question(visible, hidden.pk) == [hidden]


def test_reader_who_left_the_team_finds_nothing_more():
    session, coach = (
        factories.make_session(),
        factories.make_user(limited_to_teams=True),
    )
    team = factories.make_team(players=[session.player], members=[coach])
    question, _ = built(lambda sessions, pk: sessions.filter(pk=pk))
    assert question(access.visible_sessions(coach), session.pk) == [session]
    team.members.clear()
    assert question(access.visible_sessions(coach), session.pk) == []


def test_nothing_is_found_among_nothing():
    session = factories.make_session()
    question, _ = built(lambda sessions, pk: sessions.filter(pk=pk))
    assert question(Session.objects.none(), session.pk) == []
    assert question(Session.objects.all(), session.pk) == [session]


def test_texts_and_numbers_of_keys_shape_it():
    first, second = (factories.make_swing(org_movement_id=name) for name in ("a", "b"))
    question, times = built(
        lambda names, *keys: Movement.objects.filter(pk__in=keys).filter(
            org_movement_id__in=names
        )
    )
    for _ in range(2):
        assert set(question(("a", "b"), first.pk, second.pk)) == {first, second}
        assert question(("b",), second.pk, first.pk) == [second]
        assert question(("b",), first.pk) == []
        assert question(("b",)) == []
    assert len({len(asked) for asked in times}) == 3


def test_key_that_no_column_holds_finds_nothing():
    session = factories.make_session()
    question, _ = built(lambda pk: Session.objects.filter(pk=pk))
    assert question(session.pk) == [session]
    assert question(10**30) == []


def test_number_that_is_no_parameter_is_refused():
    question, _ = built(lambda most: Session.objects.all()[:most])
    with pytest.raises(LookupError, match="no parameter"):
        question(3)


def with_swings(pks):
    swings = Movement.objects.filter(session=OuterRef("pk"), org_movement_id="50%s")
    return (
        Session.objects.filter(Q(pk__in=pks) | Q(folded_into__in=pks))
        .annotate(swings=Exists(swings))
        .order_by(F("session_date").desc(nulls_last=True), "pk")
        .values_list("pk", "session_date", "summary", "updated_at", "swings")
    )


@pytest.mark.both
def test_rows_of_many_keys_are_those_of_django_however_many(django_assert_num_queries):
    sessions = [factories.make_session() for _ in range(4)]
    pks = [session.pk for session in sessions]
    factories.make_movement(session=sessions[1], org_movement_id="50%s")
    Session.objects.filter(pk=pks[0]).update(summary={"swings": 3})
    Session.objects.filter(pk=pks[3]).update(folded_into=pks[2])
    question = kept_question_of_keys(with_swings)
    for some in ([pks[0]], pks[:2], pks[2:3], pks, {pks[1]}, [2_000_000_000]):
        expected = list(with_swings(list(some)))
        with django_assert_num_queries(1):
            assert question(some) == expected
    assert {row[4] for row in question(pks)} == {True, False}
    with django_assert_num_queries(0):
        assert question([]) == []


def test_a_question_of_keys_is_put_into_words_once():
    times = []

    def build(pks):
        times.append(pks)
        return with_swings(pks)

    question = kept_question_of_keys(build)
    for pks in ([1], [1, 2], [3]):
        question(pks)
    assert len(times) == 1


def test_querysets_of_those_who_see_all_are_not_read_twice(
    django_assert_num_queries,
):
    user = factories.make_user()
    first = factories.make_session()
    with django_assert_num_queries(1):
        assert list(access.visible_sessions(user)) == [first]
    second = factories.make_session()
    assert set(access.visible_sessions(user)) == {first, second}
    assert set(access.kept_sessions(user)) == {first, second}
