"""The kept number of athletes is the counted one, whatever writes."""

import random
import threading

import pytest
from django.db import IntegrityError, connection, transaction

from athletes.analysis.totals import player_total
from athletes.models import Player, PlayerCount
from tests.factories import make_player, make_staff, make_team, make_token

pytestmark = pytest.mark.django_db

_only_postgres = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite counts"
)


def new(number):
    return Player(org_player_id=f"many-{number}", last_name=f"Many {number}")


def test_one_many_and_none():
    assert player_total() == 0
    make_player()
    Player.objects.bulk_create([new(number) for number in range(5)])
    assert player_total() == 6
    Player.objects.bulk_create([new(3), new(99)], ignore_conflicts=True)
    assert player_total() == 7
    Player.objects.filter(org_player_id__startswith="many-").delete()
    assert player_total() == 1


def test_who_is_merged_into_another_is_not_counted_and_counts_again():
    one, other = make_player(), make_player()
    Player._base_manager.filter(pk=other.pk).update(merged_into=one)
    assert player_total() == Player.objects.count() == 1
    Player._base_manager.filter(pk=other.pk).update(merged_into=None)
    assert player_total() == Player.objects.count() == 2
    Player._base_manager.filter(pk=other.pk).update(merged_into=one)
    one.delete()
    assert player_total() == Player._base_manager.count() == 0


def test_what_is_taken_back_is_not_counted():
    make_player(org_player_id="twice")

    def bring_two():
        with transaction.atomic():
            make_player()
            make_player(org_player_id="twice")

    with pytest.raises(IntegrityError):
        bring_two()
    assert player_total() == 1


def test_any_other_change_counts_nothing():
    player = make_player()
    player.last_name = "Renamed"
    player.save()
    Player.objects.update(height_ft=6.1)
    assert player_total() == 1


def test_the_list_says_the_number_that_the_caller_may_see(client):
    players = [make_player(last_name=f"Oak {number}") for number in range(4)]
    make_player(last_name="Elm")
    client.force_login(make_staff())
    assert client.get("/players?limit=2").json()["total"] == 5
    assert client.get("/players?search=oak").json()["total"] == 4
    assert client.get("/players?search=%20").json()["total"] == 5
    team = make_team(players=players[:2])
    client.logout()
    limited = make_token(team=team)
    assert client.get("/players", headers=limited).json()["total"] == 2
    assert client.get("/players", headers=make_token()).json()["total"] == 5


@pytest.mark.django_db(transaction=True)
def test_parts_become_one_and_lose_nothing_while_others_write():
    failures = []

    def write(seed):
        dice = random.Random(seed)
        try:
            for place in range(40):
                try:
                    with transaction.atomic():
                        new(f"{seed}-{place}").save()
                        if dice.random() < 0.3:
                            raise InterruptedError
                except InterruptedError:
                    continue
                if dice.random() < 0.3:
                    Player.objects.filter(org_player_id=f"many-{seed}-{place}").delete()
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
    assert player_total() == Player.objects.count() > 0


@_only_postgres
@pytest.mark.django_db(transaction=True)
def test_the_number_is_a_sum_of_few_parts():
    for number in range(200):
        make_player(org_player_id=f"few-{number}")
    assert player_total() == 200
    assert PlayerCount.objects.count() <= 64
