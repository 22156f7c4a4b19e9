"""What stands for the things that are compared, and who may see them."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from athletes import decisions
from athletes.analysis import session_summary
from dashboard.selectors.compare_items import load_items
from dashboard.selectors.compare_keys import ItemKey, parse_item, parse_items
from dashboard.selectors.compare_names import name_items
from tests import factories

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 3, 1)


@pytest.fixture
def user():
    return factories.make_user()


def session_on(player, days, condition="tee", swings=3, source="single-camera"):
    """A session so many days after March 1, with swings that count."""
    session = factories.make_session(
        player=player,
        session_date=DAY + dt.timedelta(days=days),
        condition=condition,
        mocap_type_name=source,
        swing_count=swings,
    )
    for _ in range(swings):
        factories.make_swing({"peak_torso_omega": 900.0}, session=session)
    session_summary.refresh_session_summary(session.pk)
    return session


def load(user, *words):
    keys, problems = parse_items(words)
    assert problems == ()
    return load_items(user, keys)


def sessions_of(item):
    return {swing.session_id for swing in item.swings}


# --- Addresses ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    [
        "swing-12",
        "session-12",
        "session-12-left",
        "session-12-left-tee",
        "athlete-7",
        "athlete-7-unknown",
        "athlete-7-tee",
        "athlete-7-left-front_toss",
        "range-7-20260101-20261231",
        "range-7-20260101-20260101-right",
        "range-7-00010101-99991231-left-nosetup",
    ],
)
def test_an_address_names_what_it_is_read_as(word):
    key = parse_item(word)
    assert key is not None
    assert str(key) == word


def test_a_time_is_read_with_all_its_parts():
    assert parse_item("range-7-20260301-20260531-left-nosetup") == ItemKey(
        kind="range",
        pk=7,
        side="left",
        setup="nosetup",
        start=dt.date(2026, 3, 1),
        end=dt.date(2026, 5, 31),
    )


@pytest.mark.parametrize(
    "word",
    [
        "range-7",
        "range-7-20260101",
        "range-7-20260101-",
        "range-7-20260230-20260301",
        "range-7-20260301-20260101",
        "range-7-2026011-20260301",
        "range-7-２0260101-20260301",
        "range-7-20260101-20260301-tee-left",
        "range-7-20260101-20260301-left-left",
        "athlete-7-20260101-20260301",
        "athlete-7-batting",
        "swing-7-tee",
        "swing-1234567890123456789",
        "swing-",
        "swing",
        "-1",
    ],
)
def test_what_names_nothing_is_said_so(word):
    assert parse_item(word) is None
    assert parse_items([word]) == ((), (f"“{word}” is not something to compare.",))


def test_one_thing_written_in_two_ways_is_one(user):
    session = session_on(factories.make_player(), 0)
    keys, _ = parse_items([f"session-{session.pk},session-000{session.pk}"])
    assert keys == (ItemKey("session", session.pk),)


# --- Athletes and times ---------------------------------------------------------------


def test_an_athlete_is_their_last_three_sessions_of_one_setup(user):
    player = factories.make_player(first_name="Ada", last_name="Quill")
    old, *tee = (session_on(player, day) for day in (0, 1, 3, 5))
    live = session_on(player, 4, "live")
    # Another camera measures otherwise, and is not averaged with the others.
    session_on(player, 2, source="other")
    (item,), missing = load(user, f"athlete-{player.pk}")
    assert missing == ()
    assert sessions_of(item) == {session.pk for session in tee}
    assert (item.condition, item.source) == ("tee", "single-camera")
    assert item.label == "Ada Quill"
    assert item.detail == "9 swings included · last 3 sessions · Tee"
    assert [(words, str(key)) for words, key in item.other_setups] == [
        ("Live BP", f"athlete-{player.pk}-live")
    ]
    (other,), _ = load(user, f"athlete-{player.pk}-live")
    assert sessions_of(other) == {live.pk}
    assert other.detail == "3 swings included · latest session · Live BP"
    assert old.pk not in sessions_of(item)


def test_a_session_of_two_setups_says_so_and_its_swings_have_their_own(user):
    session = session_on(factories.make_player(), 0)
    live = session.movements.latest("pk")
    decisions.set_setups(movements=[live], setup="live")
    (mixed, swing), _ = load(user, f"session-{session.pk}", f"swing-{live.pk}")
    assert mixed.detail == (
        "1 swing included · Live BP · 2 swings with a different setup not included"
    )
    assert (swing.condition, swing.setup) == ("live", "Live BP")


def test_a_time_is_every_session_in_it_of_the_setup_of_most_swings(user):
    player = factories.make_player(first_name="Ada", last_name="Quill")
    session_on(player, -1)
    inside = [session_on(player, day, "machine", swings=2) for day in (0, 10, 20, 30)]
    tee = session_on(player, 15, swings=4)
    session_on(player, 31)
    key = f"range-{player.pk}-20260301-20260331"
    (item,), _ = load(user, key)
    assert sessions_of(item) == {session.pk for session in inside}
    assert item.label == "Ada Quill, Mar 1 – Mar 31, 2026"
    assert item.detail == (
        "8 swings included · 4 sessions · Machine · "
        "1 session with a different setup or source not included"
    )
    (other,), _ = load(user, f"{key}-tee")
    assert sessions_of(other) == {tee.pk}
    (none,), _ = load(user, f"{key}-live")
    assert none.swings == ()


def test_excluded_swings_and_gone_sessions_stand_for_nobody(user):
    player = factories.make_player()
    kept, gone = session_on(player, 0), session_on(player, 1)
    excluded = kept.movements.first()
    excluded.inclusion = "excluded"
    excluded.save()
    gone.missing_since = timezone.now()
    gone.save()
    (item,), _ = load(user, f"range-{player.pk}-20260301-20260331")
    assert sessions_of(item) == {kept.pk}
    assert len(item.swings) == 2


def test_times_of_one_athlete_stand_by_date(user):
    player, other = factories.make_player(), factories.make_player()
    early, late = session_on(player, 0), session_on(player, 40)
    session_on(other, 0)
    march, april = (
        f"range-{player.pk}-20260301-20260331",
        f"range-{player.pk}-20260401-20260430",
    )

    def order(*words):
        return [str(item.key) for item in load(user, *words)[0]]

    assert order(april, march) == [march, april]
    assert order(f"session-{late.pk}", march) == [march, f"session-{late.pk}"]
    # What overlaps has no order in time, and neither have two athletes.
    year = f"range-{player.pk}-20260101-20261231"
    assert order(year, f"session-{early.pk}") == [year, f"session-{early.pk}"]
    another = f"range-{other.pk}-20260301-20260331"
    assert order(april, another) == [april, another]


def test_swings_that_are_in_both_are_said(client, user):
    player = factories.make_player()
    session = session_on(player, 0)
    session_on(player, 1)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    items = f"range-{player.pk}-20260301-20260331,session-{session.pk}"
    page = client.get(f"/athletes/compare/?items={items}").content.decode()
    assert "A and B have 3 swings in common" in page
    assert "An athlete stands for the included swings of their last three" in page


# --- Who may see what -----------------------------------------------------------------


def every_key(player, session):
    swing = session.movements.first()
    return (
        f"athlete-{player.pk}",
        f"range-{player.pk}-20260301-20260331",
        f"session-{session.pk}",
        f"swing-{swing.pk}",
    )


def test_guessed_ids_show_nothing_of_others_athletes(client):
    mine, theirs = factories.make_player(), factories.make_player(last_name="Secret")
    own, hidden = session_on(mine, 0), session_on(theirs, 0)
    coach = factories.make_user(limited_to_teams=True)
    factories.make_team(players=[mine], members=[coach])
    words = every_key(theirs, hidden)
    items, missing = load(coach, f"session-{own.pk}", *words)
    assert [item.player for item in items] == [mine]
    swing = hidden.movements.first()
    assert missing == (
        f"There is no athlete {theirs.pk}, or you can't see it.",
        f"There is no athlete {theirs.pk}, or you can't see it.",
        f"There is no session {hidden.pk}, or you can't see it.",
        f"There is no swing {swing.pk}, or you can't see it.",
    )
    assert name_items(coach, parse_items(words)[0]) == ()
    client.force_login(coach, "django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/athletes/compare/?items=session-{own.pk},{','.join(words)}")
    assert "Secret" not in page.content.decode()
    # The same for what never was.
    _, missing = load(coach, "athlete-99999999", "range-99999999-20260301-20260331")
    assert missing == ("There is no athlete 99999999, or you can't see it.",) * 2


def test_who_is_not_logged_in_or_left_sees_nobody():
    player = factories.make_player()
    keys, _ = parse_items(every_key(player, session_on(player, 0)))
    left = factories.make_user(is_active=False)
    assert load_items(left, keys)[0] == ()
    assert name_items(left, keys) == ()


def test_erased_athletes_are_missing_like_those_that_never_were(user):
    player = factories.make_player()
    words = every_key(player, session_on(player, 0))
    player.delete()
    items, missing = load(user, *words)
    assert items == ()
    assert len(missing) == 4
    assert name_items(user, parse_items(words)[0]) == ()


def test_a_merged_athlete_is_the_one_that_was_kept(user):
    kept, merged = factories.make_player(), factories.make_player()
    session = session_on(kept, 0)
    merged.merged_into = kept
    merged.save()
    items, missing = load(
        user, f"athlete-{merged.pk}", f"range-{merged.pk}-20260301-20260331-right"
    )
    assert missing == ()
    assert [str(item.key) for item in items] == [
        f"athlete-{kept.pk}",
        f"range-{kept.pk}-20260301-20260331-right",
    ]
    assert sessions_of(items[0]) == {session.pk}
    # Named twice it is one.
    items, _ = load(user, f"athlete-{merged.pk}", f"athlete-{kept.pk}")
    assert len(items) == 1
    (name,) = name_items(user, [ItemKey("athlete", merged.pk)])
    assert (str(name.key), name.label) == (f"athlete-{kept.pk}", kept.full_name)
    # Nobody learns of a merge by guessing who may not see the athlete.
    outsider = factories.make_user(limited_to_teams=True)
    assert load(outsider, f"athlete-{merged.pk}")[0] == ()


def test_a_folded_session_is_the_one_that_shows_it(user):
    player = factories.make_player()
    shown, folded = session_on(player, 0), session_on(player, 0)
    folded.folded_into = shown
    folded.save()
    items, missing = load(user, f"session-{folded.pk}-right")
    assert missing == ()
    assert [str(item.key) for item in items] == [f"session-{shown.pk}-right"]
    (name,) = name_items(user, [ItemKey("session", folded.pk)])
    assert str(name.key) == f"session-{shown.pk}"


def test_names_say_what_a_key_names(user):
    player = factories.make_player(first_name="Ada", last_name="Quill")
    session = session_on(player, 0)
    swing = session.movements.first()
    keys, _ = parse_items(
        [
            f"swing-{swing.pk},session-{session.pk}-left,athlete-{player.pk}-tee",
            f"range-{player.pk}-20251101-20260301-nosetup",
        ]
    )
    assert [(name.label, name.detail) for name in name_items(user, keys)] == [
        (f"Ada Quill, swing {swing.position}", "Mar 1, 2026"),
        ("Ada Quill, Mar 1, 2026", "batting left · Tee"),
        ("Ada Quill", "Tee · latest sessions"),
        ("Ada Quill, Nov 1, 2025 – Mar 1, 2026", "No setup recorded"),
    ]


def test_queries_are_as_many_for_few_as_for_many(user, django_assert_num_queries):
    players = [factories.make_player() for _ in range(3)]
    sessions = [session_on(player, 0) for player in players]
    few = every_key(players[0], sessions[0])
    many = [
        f"athlete-{players[1].pk}",
        f"range-{players[2].pk}-20260301-20260331",
        f"session-{sessions[1].pk}",
        f"session-{sessions[2].pk}",
        f"swing-{sessions[0].movements.first().pk}",
        f"swing-{sessions[2].movements.first().pk}",
    ]
    for words in (few, many):
        # swings, athletes, their sessions, sessions, movements
        with django_assert_num_queries(5):
            load(user, *words)
        # athletes, sessions, swings
        with django_assert_num_queries(3):
            name_items(user, parse_items(words)[0])
