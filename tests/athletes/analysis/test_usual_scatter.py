"""What the facility's athletes say of each other's scatter."""

import datetime as dt

import pytest

from athletes import decisions
from athletes.analysis import summaries, usual_scatter
from athletes.analysis.history import histories
from athletes.analysis.usual_scatter import Facility
from athletes.identity import merging
from athletes.models import AthleteScatter, Session
from biomechanics.variance import SessionValues, components, published_prior
from tests import factories

pytestmark = pytest.mark.django_db

METRIC = "peak_torso_omega"


def athlete(means, *, sd=10.0, n=6, **fields):
    """An athlete with a session a week, with stored averages."""
    player = factories.make_player()
    for week, mean in enumerate(means):
        session = factories.make_session(
            player=player,
            session_date=dt.date(2026, 3, 1) + dt.timedelta(weeks=week),
            **fields,
        )
        factories.make_session_metric(
            session=session, metric=METRIC, mean=mean, sd=sd, n=n
        )
    summaries.refresh_player_summaries([player.pk])
    return player


def stored(player):
    """The components of an athlete as they are stored."""
    return [
        (row.within_variance, row.within_freedom, row.means_variance, row.means_freedom)
        for row in AthleteScatter.objects.filter(player=player).order_by("pk")
    ]


def prior_of(player):
    found = histories(Session.objects.all(), [player.pk], [METRIC])
    return Facility(found).prior(player.pk, METRIC, found[player.pk][METRIC][-1].basis)


def test_components_follow_the_sessions_of_an_athlete():
    player = athlete([900, 910, 890, 905])
    values = [SessionValues(i, 6, m, 10.0) for i, m in enumerate((900, 910, 890, 905))]
    expected = components(values)
    (found,) = stored(player)
    assert found == pytest.approx(
        (100.0, 20.0, expected.means_variance, expected.means_freedom)
    )
    last = player.sessions.order_by("session_date").last()
    last.session_metrics.update(mean=990.0)
    summaries.refresh_player_summaries([player.pk])
    assert stored(player)[0][2] > found[2]
    last.session_metrics.all().delete()
    summaries.refresh_player_summaries([player.pk])
    assert stored(player)[0][:2] == pytest.approx((100.0, 15.0))
    player.sessions.all().delete()
    summaries.refresh_player_summaries([player.pk])
    assert stored(player) == []


def test_setups_are_no_step_from_one_to_the_next():
    player = athlete([900, 910, 700, 705])
    wild = stored(player)[0][2]
    for session in player.sessions.order_by("session_date")[2:]:
        session.condition = "machine"
        decisions.save_conditions(session)
    (calm,) = stored(player)
    assert calm[2] < wild / 10
    assert calm[:2] == pytest.approx((100.0, 20.0))


def test_an_athlete_learns_from_the_others_and_not_from_themselves():
    calm = [athlete([900, 903, 899, 902, 900]) for _ in range(3)]
    assert prior_of(calm[0]) == published_prior(METRIC)  # two others are too few
    wild = athlete([900, 1100, 850, 1000, 700], sd=30.0)
    for_calm, for_wild = prior_of(calm[0]), prior_of(wild)
    assert (for_wild.source, for_wild.athletes) == ("facility", 3)
    assert for_wild.within_sd == pytest.approx(10.0, rel=0.01)
    assert for_calm.athletes == 3
    assert for_calm.ratio > for_wild.ratio
    stranger = athlete([900])
    assert prior_of(stranger).athletes == 4
    # Another source is another matter.
    other = athlete([900, 910], mocap_type_name="another")
    assert prior_of(other) == published_prior(METRIC)


def test_what_the_others_say_follows_their_values():
    player = athlete([900, 905])
    for step in range(12):
        athlete([900, 910 + step, 890, 905], sd=9.0 + step / 10)
    before = prior_of(player)
    assert prior_of(player) == before
    other = AthleteScatter.objects.exclude(player=player).order_by("pk").last()
    AthleteScatter.objects.filter(pk=other.pk).update(within_variance=400.0)
    after = prior_of(player)
    assert after.source == before.source == "facility"
    assert after.within_sd != before.within_sd
    AthleteScatter.objects.filter(pk=other.pk).delete()
    assert prior_of(player).athletes == before.athletes - 1


def test_of_a_basis_a_hundred_athletes_are_kept():
    players = [factories.make_player() for _ in range(usual_scatter.MOST_ATHLETES + 3)]
    for player in players:
        session = factories.make_session(player=player)
        factories.make_session_metric(
            session=session, metric=METRIC, mean=900.0, sd=10.0, n=6
        )
    usual_scatter.refresh([player.pk for player in players])
    assert AthleteScatter.objects.count() == usual_scatter.MOST_ATHLETES
    AthleteScatter.objects.filter(player=players[0]).delete()
    usual_scatter.refresh([players[-1].pk])
    assert AthleteScatter.objects.filter(player=players[-1]).exists()


def test_merged_and_erased_athletes_say_nothing():
    kept, merged = athlete([900, 910]), athlete([900, 950])
    merging.merge(kept=kept, merged=merged, by=factories.make_staff())
    assert stored(merged) == []
    kept.sessions.all().delete()
    kept.delete()
    assert not AthleteScatter.objects.exists()


@pytest.mark.parametrize("count", [1, 3])
def test_refresh_takes_the_same_queries_for_any_number_of_athletes(
    count, django_assert_max_num_queries
):
    players = [athlete([900, 910]).pk for _ in range(count)]
    # history, sides, stored; a savepoint
    with django_assert_max_num_queries(5):
        usual_scatter.refresh(players)
