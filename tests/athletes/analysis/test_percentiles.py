"""Where athletes lie among all: what is kept equals what is counted by hand."""

import datetime as dt
import importlib
import random
import threading

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from athletes import decisions
from athletes.analysis import peer_numbers, percentiles, session_summary, summaries
from athletes.identity import merging
from athletes.models import (
    Condition,
    Inclusion,
    Movement,
    PeerCount,
    PeerNumber,
    Player,
    Session,
    SessionMetric,
)
from biomechanics.definitions import NUMERIC_HEADLINES
from privacy.erasing import erase
from tests.factories import (
    make_player,
    make_session,
    make_session_metric,
    make_staff,
    make_swing,
)

pytestmark = pytest.mark.django_db

HANDS = "reference=hand_peak hands=hands"
WRISTS = "reference=hand_peak hands=wrists"
PELVIS = ("peak_pelvis_omega", "", HANDS, "single-camera", "test")
DAY = dt.date(2026, 3, 1)


def put(value, *, player=None, metric="peak_pelvis_omega", day=DAY, **fields):
    """A session of one mean, told to the peers as a sync does."""
    session = make_session(player=player or make_player(), session_date=day, **fields)
    make_session_metric(session=session, metric=metric, mean=value, basis=HANDS)
    summaries.refresh_player_summaries([session.player_id])
    return session


def place(session, key=PELVIS):
    return percentiles.peers_of(session.player_id, [key]).get(key)


def test_percentile_is_the_share_below_and_half_of_the_level_ones():
    for value in (600.0, 610.0, 640.0, 640.0):
        put(value)
    session = put(640.0)
    found = place(session).everyone
    assert (found.n, found.below, found.equal) == (5, 2, 3)
    assert percentiles.Rank(n=40, below=10, equal=2).percentile == 27.5


def test_percentile_begins_at_twenty_athletes():
    sessions = [put(600.0 + number) for number in range(19)]
    assert place(sessions[0]).everyone == percentiles.Rank(n=19, below=0, equal=1)
    assert place(sessions[0]).everyone.percentile is None
    put(700.0)
    assert place(sessions[0]).everyone.percentile == 2.5
    assert place(sessions[18]).everyone.percentile == 92.5


def test_an_athlete_counts_once_with_the_newest_session():
    player = make_player()
    put(700.0, player=player, day=dt.date(2026, 2, 1))
    newest = put(500.0, player=player, day=dt.date(2026, 3, 1))
    put(800.0, player=player, day=None)
    put(600.0)
    assert place(newest).everyone == percentiles.Rank(n=2, below=0, equal=1)


def test_an_average_over_fewer_than_three_swings_does_not_count():
    put(600.0)
    player = make_player()
    older = put(640.0, player=player, day=dt.date(2026, 2, 1))
    row = make_session_metric(
        session=make_session(player=player, session_date=DAY),
        mean=900.0,
        basis=HANDS,
        n=2,
    )
    summaries.refresh_player_summaries([player.pk])
    assert place(older).everyone == percentiles.Rank(n=2, below=1, equal=1)
    row.n = 3
    row.save()
    summaries.refresh_player_summaries([player.pk])
    assert set(
        PeerNumber.objects.filter(player=player).values_list("value", flat=True)
    ) == {900.0}


def test_the_age_is_that_on_the_day_of_the_session():
    player = make_player(date_of_birth=dt.date(2014, 6, 1))
    put(600.0, player=player, day=dt.date(2025, 5, 1), condition=Condition.TEE)
    put(620.0, player=player, day=dt.date(2026, 4, 1))
    bands = dict(
        PeerNumber.objects.filter(player=player).values_list(
            "group__condition", "age_band"
        )
    )
    assert {key: peer_numbers.band_words(band) for key, band in bands.items()} == {
        "tee": "10 and under",
        "": "11 to 12",
        "any": "11 to 12",
    }


def test_a_number_of_years_before_the_newest_session_does_not_count():
    player = make_player()
    put(600.0, player=player, day=dt.date(2024, 2, 28), condition=Condition.TEE)
    put(610.0, player=player, day=dt.date(2025, 3, 1), condition=Condition.MACHINE)
    put(620.0, player=player, day=dt.date(2026, 3, 1))
    kept = PeerNumber.objects.filter(player=player)
    assert dict(kept.values_list("group__condition", "value")) == {
        "machine": 610.0,
        "": 620.0,
        "any": 620.0,
    }


@pytest.mark.parametrize(
    "other",
    [
        {"condition": Condition.TEE},
        {"mocap_type_name": "hawkeye"},
    ],
)
def test_conditions_and_sources_are_never_mixed(other):
    session = put(640.0)
    put(600.0, **other)
    assert place(session).everyone.n == 1


@pytest.mark.parametrize("other", [{"basis": WRISTS}, {"method_version": "next"}])
def test_bases_and_methods_are_never_mixed(other):
    session = put(640.0)
    row = make_session_metric(**({"basis": HANDS} | other))
    summaries.refresh_player_summaries([row.session.player_id])
    assert place(session).everyone.n == 1


def test_a_band_of_ages_is_counted_apart():
    born = {11: dt.date(2014, 6, 1), 13: dt.date(2012, 6, 1), 14: dt.date(2012, 3, 1)}
    young = put(600.0, player=make_player(date_of_birth=born[11]))
    put(610.0, player=make_player(date_of_birth=born[13]))
    older = put(620.0, player=make_player(date_of_birth=born[14]))
    unknown = put(630.0, player=make_player(date_of_birth=None))
    assert place(young).same_age == percentiles.Rank(n=1, below=0, equal=1)
    assert place(older).same_age == percentiles.Rank(n=2, below=1, equal=1)
    assert place(older).everyone == percentiles.Rank(n=4, below=2, equal=1)
    assert place(unknown).same_age is None


@pytest.mark.parametrize(
    ("years", "words"),
    [
        (10, "10 and under"),
        (11, "11 to 12"),
        (12, "11 to 12"),
        (13, "13 to 14"),
        (22, "19 to 22"),
        (23, "23 and over"),
        (61, "23 and over"),
    ],
)
def test_age_bands(years, words):
    band = peer_numbers.age_band(dt.date(2026 - years, 3, 1), dt.date(2026, 3, 1))
    assert peer_numbers.band_words(band) == words


def test_age_that_is_not_known_has_no_band():
    assert peer_numbers.age_band(None, DAY) is None
    assert peer_numbers.age_band(DAY, None) is None
    assert peer_numbers.age_band(dt.date(2027, 1, 1), DAY) is None


def test_every_headline_number_has_a_width_and_keeps_its_order():
    values = [-1e9, -3.2, -0.01, 0.0, 0.01, 3.2, 640.0, 1e300]
    for name in NUMERIC_HEADLINES:
        places = [peer_numbers.bucket_of(name, value) for value in values]
        assert places == sorted(places)


def test_another_condition_moves_the_number_to_another_group():
    session = put(640.0)
    put(600.0)
    session.condition = Condition.TEE
    decisions.save_conditions(session)
    assert place(session) is None
    tee = ("peak_pelvis_omega", "tee", *PELVIS[2:])
    assert place(session, tee).everyone == percentiles.Rank(n=1, below=0, equal=1)
    check()


def test_who_the_vendor_no_longer_lists_is_not_compared_with():
    session = put(640.0)
    gone = put(600.0)
    Player.objects.filter(pk=gone.player_id).update(missing_since="2026-03-02T00:00Z")
    peer_numbers.refresh([gone.player_id])
    assert place(session).everyone.n == 1
    assert place(gone) is None


def test_an_erased_athlete_leaves_neither_number_nor_count():
    kept, gone = put(640.0), put(1000.0)
    erase(player=gone.player, by=make_staff())
    assert place(kept).everyone == percentiles.Rank(n=1, below=0, equal=1)
    assert set(PeerCount.objects.values_list("bucket", "n")) == {(160, 1)}
    check()


def test_quartiles_are_values_of_nearest_rank():
    values = [601.0, 602.0, 603.0, 604.0] * 5
    random.Random(4).shuffle(values)
    sessions = [put(value) for value in values]
    group = place(sessions[0]).group_id
    assert percentiles.quartiles(group, peer_numbers.EVERYONE) == (601.0, 602.0, 603.0)
    put(605.0)
    assert percentiles.quartiles(group, peer_numbers.EVERYONE) == (602.0, 603.0, 604.0)


def test_quartiles_want_twenty_athletes_too():
    sessions = [put(600.0 + number) for number in range(19)]
    assert (
        percentiles.quartiles(place(sessions[0]).group_id, peer_numbers.EVERYONE)
        is None
    )


def test_rebuild_mends_whatever_was_stored():
    sessions = [put(600.0 + 3 * number) for number in range(6)]
    PeerCount.objects.update(n=7)
    PeerNumber.objects.filter(player_id=sessions[2].player_id).delete()
    PeerNumber.objects.filter(player_id=sessions[3].player_id).update(value=1.0)
    peer_numbers.rebuild()
    check()
    assert place(sessions[3]).everyone == percentiles.Rank(n=6, below=3, equal=1)


@pytest.mark.mainly("sqlite")
def test_reading_asks_the_same_number_of_questions_at_any_size(
    django_assert_num_queries,
):
    session = put(640.0)
    for number in range(30):
        put(600.0 + number)
    with django_assert_num_queries(3):
        place(session)
    group = place(session).group_id
    with django_assert_num_queries(4):
        percentiles.quartiles(group, peer_numbers.EVERYONE)


# --- Against counting by hand ------------------------------------------------------


def newest_numbers():
    """By basis, the newest mean and the age band of each athlete, the slow way."""
    found = {}
    for player in Player.objects.filter(missing_since=None):
        rows = SessionMetric.objects.filter(
            session__player=player, metric__in=NUMERIC_HEADLINES, n__gte=3
        ).select_related("session")
        days = [
            session.session_date
            for session in Session.objects.filter(player=player)
            if session.session_date
        ]
        for row in sorted(
            rows,
            key=lambda row: (row.session.session_date or dt.date.min, row.session_id),
        ):
            day = row.session.session_date
            if day and (max(days) - day).days > 365:
                continue
            band = peer_numbers.age_band(player.date_of_birth, day)
            for setup in (row.session.condition, "any"):
                key = (
                    row.metric,
                    setup,
                    row.basis,
                    row.session.mocap_type_name,
                    row.method_version,
                )
                found.setdefault(key, {})[player.pk] = (row.mean, band)
    return found


def share(numbers, value):
    return percentiles.Rank(
        n=len(numbers),
        below=sum(number < value for number in numbers),
        equal=sum(number == value for number in numbers),
    )


def check():
    """Every stored place equals the one counted by hand, and nothing else is kept."""
    expected = newest_numbers()
    assert PeerNumber.objects.count() == sum(len(group) for group in expected.values())
    for key, group in expected.items():
        everyone = [value for value, _ in group.values()]
        for player_id, (value, band) in group.items():
            found = percentiles.peers_of(player_id, [key])[key]
            assert found.everyone == share(everyone, value)
            same = [other for other, of in group.values() if of == band]
            assert found.same_age == (share(same, value) if band else None)
    kept = set(PeerCount.objects.values_list("group", "audience", "bucket", "n"))
    PeerCount.objects.all().delete()
    peer_numbers.rebuild()
    again = set(PeerCount.objects.values_list("group", "audience", "bucket", "n"))
    assert kept == again


class Facility:
    """Athletes, sessions and swings, changed at random by the services."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.staff = make_staff()

    def player(self):
        players = list(Player.objects.order_by("pk"))
        if len(players) < 4 or self.dice.random() < 0.2:
            years = self.dice.randrange(9, 26)
            born = dt.date(2026 - years, self.dice.randrange(1, 13), 5)
            return make_player(date_of_birth=self.dice.choice([born, None]))
        return self.dice.choice(players)

    def hit(self):
        player = self.player()
        session = make_session(
            player=player,
            session_date=self.dice.choice(
                [None, *(DAY - dt.timedelta(days=30 * n) for n in range(20))]
            ),
            condition=self.dice.choice(["", "tee"]),
            mocap_type_name=self.dice.choice(["single-camera", "hawkeye"]),
        )
        for _ in range(self.dice.randrange(2, 6)):
            make_swing(
                {
                    # Few different values, so that some are level.
                    "peak_pelvis_omega": 600.0 + self.dice.randrange(12) * 1.5,
                    "attack_angle": float(self.dice.randrange(-3, 4)),
                },
                session=session,
                events={
                    "reference": {"rule": self.dice.choice(["contact", "hand_peak"])}
                },
            )
        session_summary.refresh_session_summary(session.pk)
        summaries.refresh_player_summaries([player.pk])

    def decide(self):
        movement = self.dice.choice([*Movement.objects.order_by("pk"), None])
        if movement is not None:
            decisions.set_inclusion(
                movement=movement,
                inclusion=self.dice.choice(Inclusion.values),
                reason="seen on video",
                user=self.staff,
            )

    def say_condition(self):
        session = self.dice.choice([*Session.objects.order_by("pk"), None])
        if session is not None:
            session.condition = self.dice.choice(["", "tee", "machine"])
            decisions.save_conditions(session)

    def lose_or_find(self):
        player = self.player()
        player.missing_since = (
            None if player.missing_since else dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
        )
        player.save(update_fields=["missing_since"])
        peer_numbers.refresh([player.pk])

    def correct_birthday(self):
        player = self.player()
        player.date_of_birth = dt.date(2026 - self.dice.randrange(9, 26), 4, 5)
        player.save(update_fields=["date_of_birth"])
        peer_numbers.refresh([player.pk])

    def erase(self):
        if Player.objects.count() > 4:
            erase(player=self.player(), by=self.staff)

    def live(self, steps):
        deeds = [self.hit] * 6 + [self.decide] * 4 + [self.say_condition] * 2
        deeds += [self.lose_or_find, self.correct_birthday, self.erase]
        for _ in range(steps):
            self.dice.choice(deeds)()


@pytest.mark.parametrize(
    ("seed", "deeds"),
    [
        (1, 60),
        *(pytest.param(n, 75, marks=pytest.mark.nightly) for n in range(2, 9)),
    ],
)
def test_after_any_series_of_writes_all_is_as_counted_by_hand(seed, deeds):
    facility = Facility(seed)
    for _ in range(3):
        facility.live(deeds // 3)
        check()
    assert PeerNumber.objects.exists()


def test_what_is_there_when_the_tables_come_is_filled_in():
    facility = Facility(5)
    facility.live(30)
    PeerNumber.objects.all().delete()
    PeerCount.objects.all().delete()
    name = "athletes.migrations.0013_fill_athletes_beside_each_other"
    before = MigrationLoader(connection).project_state(
        ("athletes", "0017_athletes_by_vendor_id")
    )
    importlib.import_module(name).fill(before.apps, None)
    assert PeerNumber.objects.exists()
    # What has come since (all setups together) is there from the next write on.
    peer_numbers.rebuild()
    check()


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_neither_lose_a_count_nor_wait_for_each_other():
    players = [
        make_player(date_of_birth=dt.date(2010 + number % 4, 1, 1))
        for number in range(6)
    ]
    failures = []

    def write(seed):
        dice = random.Random(seed)
        try:
            for _ in range(12):
                # Two athletes at once, so that two writers want the same ones.
                chosen = dice.sample(players, 2)
                for player in chosen:
                    session = make_session(player=player, session_date=DAY)
                    make_session_metric(
                        session=session,
                        mean=600.0 + dice.randrange(40),
                        basis=HANDS,
                    )
                summaries.refresh_player_summaries(player.pk for player in chosen)
        except Exception as error:  # told by the test, not by the thread
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    check()


def test_two_records_that_become_one_count_once_and_apart_again_after_undo():
    kept, merged = put(640.0), put(600.0, day=dt.date(2026, 2, 1))
    put(620.0)
    entry = merging.merge(kept=kept.player, merged=merged.player, by=make_staff())
    assert place(kept).everyone == percentiles.Rank(n=2, below=1, equal=1)
    check()
    merging.separate(entry=entry, by=make_staff())
    assert place(kept).everyone == percentiles.Rank(n=3, below=2, equal=1)
    check()


def test_among_some_athletes_only_theirs_are_counted():
    """By the same rules as the counts of everybody, told apart by who is seen."""
    chance = random.Random(5)
    sessions = [
        put(
            chance.choice((600.0, 604.0, 604.5, 650.0)),
            player=make_player(
                date_of_birth=chance.choice((None, dt.date(2012, 1, 5)))
            ),
        )
        for _ in range(30)
    ]
    ids = [session.player_id for session in sessions]
    everyone = Player.objects.filter(pk__in=ids)
    some = Player.objects.filter(pk__in=ids[::2])
    values = {
        row.player_id: row for row in PeerNumber.objects.exclude(group__condition="any")
    }
    for player_id in ids[::2]:
        assert percentiles.peers_of(
            player_id, [PELVIS], seen=everyone
        ) == percentiles.peers_of(player_id, [PELVIS])
        own = values[player_id]
        found = percentiles.peers_of(player_id, [PELVIS], seen=some)[PELVIS]
        for share, among in (
            (found.everyone, ids[::2]),
            (
                found.same_age,
                [pk for pk in ids[::2] if values[pk].age_band == own.age_band],
            ),
        ):
            if share is None:
                assert own.age_band is None
                continue
            others = [values[pk].value for pk in among]
            assert (share.n, share.below, share.equal) == (
                len(others),
                sum(value < own.value for value in others),
                others.count(own.value),
            )
