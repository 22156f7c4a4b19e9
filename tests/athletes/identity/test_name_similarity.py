"""Whether two records may be one athlete by name and birth date, and why."""

import datetime as dt

import pytest

from athletes.identity import name_similarity
from athletes.models import Likeness

DAY = dt.date(2008, 5, 6)


def facts(first, last, born=DAY, pk=0):
    return name_similarity.identity_of(pk, first, last, born)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("Ada", "Example"), ("Ada", "Example"), Likeness.SAME),
        (("José", "Núñez"), ("jose", "NUNEZ"), Likeness.SAME),
        (("Søren", "Łukasz"), ("Soren", "Lukasz"), Likeness.SAME),
        (("Sean", "O'Brien"), ("Sean", "O’Brien"), Likeness.SAME),
        (("Ana", "De La Cruz"), ("Ana", "Delacruz"), Likeness.SAME),
        (("Ken", "Example Jr."), ("Ken", "Example"), Likeness.SAME),
        (("Ada", "Example"), ("Example", "Ada"), Likeness.SWAPPED),
        (("Ana Maria", "Lopez"), ("Ana", "Maria Lopez"), Likeness.SWAPPED),
        (("Jon", "Example"), ("John", "Example"), Likeness.SIMILAR),
        (("Ben", "Example"), ("Benjamin", "Example"), Likeness.SIMILAR),
        (("Bill", "Example"), ("William", "Example"), Likeness.SIMILAR),
        (("Ada", "Exmaple"), ("Ada", "Example"), Likeness.SIMILAR),
        (("Ada", "Garcia Lopez"), ("Ada", "Garcia"), Likeness.SIMILAR),
        (("Exampel", "Ada"), ("Ada", "Example"), Likeness.SIMILAR),
        (("A", "Example"), ("Ada", "Example"), Likeness.SIMILAR),
        (("Ada", "Example"), ("Eva", "Example"), None),
        (("Ada", "Example"), ("Ada", "Different"), None),
        (("", "Example"), ("Ada", "Example"), None),
        (("", ""), ("", ""), None),
    ],
)
def test_names_with_one_birth_date(one, other, expected):
    assert name_similarity.likeness(facts(*one), facts(*other)) == expected
    assert name_similarity.likeness(facts(*other), facts(*one)) == expected


@pytest.mark.parametrize(
    ("one", "other", "dates", "expected"),
    [
        (("Ada", "Example"), ("Ada", "Example"), (DAY, None), Likeness.SAME_NO_DATE),
        (("Ada", "Example"), ("Ada", "Example"), (None, None), Likeness.SAME_NO_DATE),
        (("Ada", "Example"), ("Example", "Ada"), (DAY, None), Likeness.SWAPPED_NO_DATE),
        (
            ("Jon", "Example"),
            ("John", "Example"),
            (DAY, None),
            Likeness.SIMILAR_NO_DATE,
        ),
        (("Jon", "Exampel"), ("John", "Example"), (DAY, None), None),
        (
            ("Ada", "Example"),
            ("Ada", "Example"),
            (DAY, dt.date(2008, 6, 5)),
            Likeness.SAME_DATE_TYPO,
        ),
        (
            ("Ada", "Example"),
            ("Ada", "Example"),
            (DAY, dt.date(2009, 5, 6)),
            Likeness.SAME_DATE_TYPO,
        ),
        (
            ("Ada", "Example"),
            ("Ada", "Example"),
            (DAY, dt.date(2001, 12, 30)),
            Likeness.SAME_OTHER_DATE,
        ),
        (("Jon", "Example"), ("John", "Example"), (DAY, dt.date(2008, 6, 5)), None),
    ],
)
def test_names_without_one_birth_date(one, other, dates, expected):
    assert (
        name_similarity.likeness(facts(*one, dates[0]), facts(*other, dates[1]))
        == expected
    )


def test_a_name_of_a_kilobyte_is_compared_by_its_beginning():
    long = "🎾" * 100 + "é" * 100
    assert (
        name_similarity.likeness(facts(long, long), facts(long, long)) == Likeness.SAME
    )
    assert len(name_similarity.compared_words("word " * 40)) == 4
