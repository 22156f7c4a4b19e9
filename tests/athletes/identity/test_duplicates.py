"""Which records may be one athlete, said with a reason and never twice."""

import datetime as dt
import hashlib

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Action, AuditEntry
from athletes.identity import duplicates
from athletes.models import DuplicatePair, Likeness, NameKey, Player
from tests.factories import make_player, make_staff

DAY = dt.date(2008, 5, 6)


def people(*rows):
    return [
        make_player(first_name=first, last_name=last, date_of_birth=born)
        for first, last, born in rows
    ]


def pairs():
    return {
        (pair.first_id, pair.second_id): pair.likeness
        for pair in DuplicatePair.objects.all()
    }


@pytest.mark.django_db
def test_pairs_are_found_once_and_kept_fresh():
    one, other, third = people(
        ("Ada", "Example", DAY), ("Ada", "Exampel", DAY), ("Zoe", "Nobody", DAY)
    )
    assert duplicates.compare_waiting() == 3
    assert pairs() == {(one.pk, other.pk): Likeness.SIMILAR}
    assert duplicates.compare_waiting() == 0
    late = make_player(first_name="Example", last_name="Ada", date_of_birth=DAY)
    assert duplicates.compare_waiting() == 1
    assert pairs() == {
        (one.pk, other.pk): Likeness.SIMILAR,
        (one.pk, late.pk): Likeness.SWAPPED,
        (other.pk, late.pk): Likeness.SIMILAR,
    }
    one.last_name = "Quite Another"
    one.save(update_fields=["last_name", "search_text", "updated_at"])
    duplicates.compare_waiting()
    assert pairs() == {(other.pk, late.pk): Likeness.SIMILAR}
    third.height_ft = 5.5
    third.save(update_fields=["height_ft", "updated_at"])
    assert duplicates.compare_waiting() == 0


@pytest.mark.django_db
def test_a_common_name_with_other_birth_dates_is_no_pair():
    born = [dt.date(2000 + n, n + 1, 28 - 2 * n) for n in range(7)]
    people(*(("Jose", "Common", day) for day in born))
    duplicates.compare_waiting()
    assert pairs() == {}
    rare = people(("Jose", "Rare", born[0]), ("Jose", "Rare", born[6]))
    duplicates.compare_waiting()
    assert pairs() == {(rare[0].pk, rare[1].pk): Likeness.SAME_OTHER_DATE}


@pytest.mark.django_db
def test_a_decision_stays_when_the_records_change_and_can_be_taken_back():
    one, other = people(("Ada", "Example", DAY), ("Ada", "Example", DAY))
    duplicates.compare_waiting()
    pair = DuplicatePair.objects.get()
    staff = make_staff()
    assert set(duplicates.in_open_pairs([one.pk])) == {one.pk}
    duplicates.dismiss(pair=pair, by=staff)
    assert set(duplicates.in_open_pairs([one.pk, other.pk])) == set()
    Player.objects.update(compared_at=None)
    duplicates.compare_waiting()
    pair.refresh_from_db()
    assert pair.dismissed_by == staff
    assert pair.dismissed_at is not None
    duplicates.bring_back(pair=pair, by=staff)
    assert set(duplicates.in_open_pairs([one.pk, other.pk])) == {one.pk, other.pk}
    said = AuditEntry.objects.filter(action=Action.DUPLICATE_DECIDED).order_by("id")
    assert [(e.player_number, e.detail["said"]) for e in said] == [
        (one.pk, "not the same"),
        (other.pk, "not the same"),
        (one.pk, "perhaps the same"),
        (other.pk, "perhaps the same"),
    ]


@pytest.mark.django_db
def test_keys_hold_no_names():
    people(("Ada", "Example", DAY))
    duplicates.compare_waiting()
    keys = set(NameKey.objects.values_list("key", flat=True))
    assert keys
    assert all(set(key) <= set("0123456789abcdef") for key in keys)


@pytest.mark.django_db
def test_queries_do_not_grow_with_the_athletes():
    def queries(count):
        names = [
            hashlib.sha256(f"{n} of {count}".encode()).hexdigest() for n in range(count)
        ]
        people(*((name[:12], name[12:24], DAY) for name in names))
        with CaptureQueriesContext(connection) as seen:
            duplicates.compare_waiting()
        return len(seen)

    few = queries(5)
    assert queries(60) == few
    assert pairs() == {}


@pytest.mark.django_db
def test_one_call_is_bounded_and_the_next_goes_on(monkeypatch):
    # Steps of two instead of five hundred.
    monkeypatch.setattr(duplicates, "_AT_ONCE", 2)
    players = people(*(("Ada", "Example", DAY) for _ in range(5)))

    def compared():
        return list(
            Player.objects.filter(compared_at__isnull=False)
            .order_by("pk")
            .values_list("pk", flat=True)
        )

    assert duplicates.compare_waiting(3) == 4
    assert compared() == [player.pk for player in players[:4]]
    assert len(pairs()) == 6
    assert duplicates.compare_waiting(3) == 1
    assert len(pairs()) == 10


@pytest.mark.django_db
def test_those_asked_for_are_compared_and_the_others_wait_on():
    one, other, third = people(*(("Ada", "Example", DAY) for _ in range(3)))
    duplicates.compare_waiting()
    Player.objects.update(compared_at=None)
    assert duplicates.compare_these([other.pk]) == 1
    waiting = Player.objects.filter(compared_at__isnull=True)
    assert {player.pk for player in waiting} == {one.pk, third.pk}
