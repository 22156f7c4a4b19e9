"""Who may see and change what."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404

from accounts.models import Team
from athletes import access
from tests.factories import (
    make_movement,
    make_player,
    make_session,
    make_staff,
    make_user,
)

pytestmark = pytest.mark.django_db


def limited_coach(*players):
    coach = make_user(limited_to_teams=True)
    team = Team.objects.create(name="Invented team")
    team.players.set(players)
    coach.teams.add(team)
    return coach


def test_coach_without_limit_sees_every_athlete():
    coach = make_user()
    players = {make_player().pk, make_player().pk}
    assert {player.pk for player in access.visible_players(coach)} == players


def test_anonymous_and_inactive_see_nobody():
    movement = make_movement()
    for user in (AnonymousUser(), make_user(is_active=False)):
        assert not access.visible_players(user).exists()
        assert not access.visible_sessions(user).exists()
        assert not access.visible_movements(user).exists()
        assert not access.may_edit(user)
        with pytest.raises(Http404):
            access.get_movement_or_404(user, movement.pk)


def test_limited_coach_sees_the_athletes_of_his_teams_once():
    mine, other = make_player(), make_player()
    coach = limited_coach(mine)
    second = Team.objects.create(name="Another team")
    second.players.add(mine)
    coach.teams.add(second)
    assert [player.pk for player in access.visible_players(coach)] == [mine.pk]
    with pytest.raises(Http404):
        access.get_player_or_404(coach, other.pk)


def test_limited_coach_is_refused_nested_rows_too():
    mine, other = make_player(), make_player()
    own_movement = make_movement(session=make_session(player=mine))
    foreign_movement = make_movement(session=make_session(player=other))
    coach = limited_coach(mine)
    assert access.get_movement_or_404(coach, own_movement.pk) == own_movement
    assert access.get_session_or_404(coach, own_movement.session_id).player == mine
    with pytest.raises(Http404):
        access.get_movement_or_404(coach, foreign_movement.pk)
    with pytest.raises(Http404):
        access.get_session_or_404(coach, foreign_movement.session_id)


def test_staff_administer_and_coaches_only_edit():
    coach, staff = make_user(), make_staff()
    assert access.may_edit(coach)
    assert not access.may_administer(coach)
    assert access.may_administer(staff)


def test_require_edit_refuses_who_may_not():
    with pytest.raises(PermissionDenied):
        access.require_edit(AnonymousUser())


def test_movement_comes_with_its_session_and_athlete(django_assert_num_queries):
    movement, coach = make_movement(), make_user()
    with django_assert_num_queries(1):
        found = access.get_movement_or_404(coach, movement.pk)
        assert found.session.player.full_name.startswith("Invented")
