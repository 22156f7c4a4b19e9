"""Searching names: what is folded, and which typing errors are forgiven."""

from __future__ import annotations

import datetime as dt
import unicodedata
from random import Random

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from athletes import names
from athletes.models import AthleteLevel, Level, Player
from tests import factories

WORDS = st.text("abcdeimrst", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Peña", ("pena",)),
        (unicodedata.normalize("NFD", "Peña"), ("pena",)),
        ("O'Brien", ("obrien",)),
        ("O’Brien", ("obrien",)),
        ("CERES, Larch", ("ceres", "larch")),
        ("L. Ceres", ("l", "ceres")),
        ("Łoś-Sørby", ("los", "sorby")),
        ("Weiß", ("weiss",)),
        ("ﬁeld", ("field",)),
        ("???", ()),
    ],
)
def test_what_does_not_decide_about_a_name_is_folded(text, words):
    assert names.plain_words(text) == words


def test_a_name_of_signs_is_searched_by_its_signs():
    assert names.search_text("???", "") == "???"
    assert names.search_words("???") == ("???",)


def test_a_name_of_several_words_is_searched_as_one_word_too():
    assert names.search_text("Mary-Jo", "De La Cruz") == (
        "mary jo de la cruz maryjo delacruz"
    )
    assert names.search_text("Larch", "Ceres") == "larch ceres"


def test_search_text_fits_its_column_however_long_folding_makes_it():
    # One letter that unfolds to four words.
    assert len(names.search_text("ﷺ" * 200, "ﷺ" * 200)) <= names.MOST_SEARCHED


@pytest.mark.parametrize(
    ("word", "errors"), [("ada", 0), ("cere", 1), ("ceres", 1), ("larchy", 2)]
)
def test_longer_words_may_have_more_errors(word, errors):
    assert names.errors_allowed(word) == errors


def _mistyped(word: str, errors: int, random: Random) -> str:
    for _ in range(errors):
        at = random.randrange(len(word))
        kind = random.choice(["drop", "add", "change", "swap"])
        if kind == "drop" and len(word) > 1:
            word = word[:at] + word[at + 1 :]
        elif kind == "add":
            word = word[:at] + random.choice("xyz") + word[at:]
        elif kind == "change":
            word = word[:at] + random.choice("xyz") + word[at + 1 :]
        elif at + 1 < len(word):
            word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word


@given(WORDS, st.integers(0, 10_000))
def test_whoever_is_near_has_one_of_the_texts_that_are_looked_for(name, seed):
    typed = _mistyped(name, 2, Random(seed))
    most = names.errors_allowed(typed)
    if names.errors_between(typed, name, most) <= most:
        assert any(part in name for part in names.parts_left_by_errors(typed))


@pytest.fixture
def people(db):
    """Some athletes, by name."""
    return {
        f"{first} {last}": factories.make_player(first_name=first, last_name=last)
        for first, last in (
            ("Larch", "Ceres"),
            ("Rowan", "O'Brien"),
            ("Alder", "Peña"),
            ("Juniper", "Ø'Stern-Vega"),
            ("Larch", "Juno"),
            ("Willow", "De La Cruz"),
            ("Cedar", "van der Berg"),
            ("Rowan", "Müller"),
        )
    }


@pytest.mark.both
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pena", ["Alder Peña"]),
        ("PENÃ", ["Alder Peña"]),
        ("obrien", ["Rowan O'Brien"]),
        ("o'brien", ["Rowan O'Brien"]),
        ("Ceres, Larch", ["Larch Ceres"]),
        ("L. Ceres", ["Larch Ceres"]),
        ("ostern vega", ["Juniper Ø'Stern-Vega"]),
        ("larch", ["Larch Ceres", "Larch Juno"]),
        ("cere", ["Larch Ceres"]),
        ("delacruz", ["Willow De La Cruz"]),
        ("Dela Cruz", ["Willow De La Cruz"]),
        ("VanDerBerg, C.", ["Cedar van der Berg"]),
        ("o brien", ["Rowan O'Brien"]),
        (unicodedata.normalize("NFD", "MÜLLER"), ["Rowan Müller"]),
        ("%", []),
        ("ceers", []),
    ],
)
def test_a_name_is_found_as_people_write_it(people, text, found):
    matching = Player.objects.named_like(text).in_name_order()
    assert [player.full_name for player in matching] == found


@pytest.mark.both
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ceers", ["Larch Ceres"]),
        ("Larhc Cers", ["Larch Ceres"]),
        ("obrein", ["Rowan O'Brien"]),
        ("jnuiperr", ["Juniper Ø'Stern-Vega"]),
        ("junpi", ["Juniper Ø'Stern-Vega"]),  # While it is typed.
        ("delacurz", ["Willow De La Cruz"]),
        ("Mueller", ["Rowan Müller"]),
        ("xan", []),  # Three letters say too little.
        ("cxyxs", []),
    ],
)
def test_a_name_is_found_with_a_typing_error_or_two(people, text, found):
    matching = Player.objects.nearly_named(text)
    assert [player.full_name for player in matching] == found
    assert [p.full_name for p in Player.objects.found_by_name(text)] == found


@pytest.mark.both
@pytest.mark.django_db
def test_near_names_are_not_offered_beside_the_name_itself(people):
    factories.make_player(first_name="Larch", last_name="Cerez")
    found = Player.objects.found_by_name("ceres")
    assert [player.full_name for player in found] == ["Larch Ceres"]


@pytest.mark.both
@pytest.mark.django_db
def test_the_nearest_fifty_are_offered(people):
    for number in range(60):
        factories.make_player(first_name=f"N{number:02d}", last_name="Maplewood")
    factories.make_player(first_name="Far", last_name="Maplxwoxd")
    found = Player.objects.nearly_named("mapelwood")
    assert found.count() == 50
    assert not found.filter(first_name="Far").exists()


@pytest.mark.both
@pytest.mark.django_db
def test_programs_and_the_administration_find_names_as_the_pages_do(people, client):
    player = people["Willow De La Cruz"]
    factories.make_session(player=player)
    level = Level.objects.create(name="Twelves")
    AthleteLevel.objects.create(player=player, level=level, since=dt.date(2026, 3, 1))
    client.force_login(factories.make_superuser())
    for text in ("delacruz", "De La Cruz, Willow"):
        answer = client.get("/players", {"search": text}).json()
        assert [row["id"] for row in answer["players"]] == [player.pk]
    for model in ("player", "session", "athletelevel"):
        address = reverse(f"admin:athletes_{model}_changelist")
        for text in ("DELA-CRUZ", "delacurz"):
            rows = client.get(address, {"q": text}).context["cl"].result_list
            assert [getattr(row, "player", row).pk for row in rows] == [player.pk]
