"""Ids of the vendor, and of movements in files, however they are spelled."""

import datetime as dt

import pytest

from athletes.models import BiomechanicsData, Movement
from syncing.ids import id_text, one_spelling
from syncing.models import ExportJob
from syncing.preview import preview
from tests.factories import make_staff
from tests.syncing.test_imports import download
from tests.syncing.test_undoing import as_file, give, table

__all__ = ["download", "give"]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("660001", "660001"),
        (660001, "660001"),
        (660001.0, "660001"),
        (" 660001.00 ", "660001"),
        ("0", "0"),
        ("007.0", "007.0"),
        ("1.5", "1.5"),
        ("IMG-1.0", "IMG-1.0"),
        ("  ", None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_an_id_is_one_text(given, text):
    assert id_text(given) == text


@pytest.mark.parametrize(
    ("names", "stored", "used"),
    [
        # Recognized under the other spelling.
        (["101", "102"], ["101.0", "102.0"], ["101.0", "102.0"]),
        (["101.0", "102.0"], ["101", "102"], ["101", "102"]),
        (["101.0", "103.0"], ["101", "102"], ["101", "103"]),
        # What is stored so is called so, and two that are stored stay two.
        (["1.0", "2.0"], ["1.0"], ["1.0", "2"]),
        (["1.0"], ["1", "1.0"], ["1.0"]),
        (["1.00"], ["1", "1.0"], ["1.00"]),
        # Floats of a whole file are numbers; one beside others is a name.
        (["101.0", "102.0"], [], ["101", "102"]),
        (["1.0", "1.1"], [], ["1.0", "1.1"]),
        (["1", "1.0"], [], ["1", "1.0"]),
        (["1", "1.0"], ["1.0"], ["1", "1.0"]),
        (["1.0", "1.00"], [], ["1.0", "1.00"]),
        (["IMG-1", "IMG-1.0"], ["IMG-1.0"], ["IMG-1", "IMG-1.0"]),
        ([""], ["1"], [""]),
    ],
)
def test_a_movement_is_stored_under_one_spelling(names, stored, used):
    assert list(one_spelling(names, stored).values()) == used


def numbered(content, suffix):
    """The file with numbers for the ids of its movements."""
    header, *rows = table(content)
    place = header.index("org_movement_id")
    names = list(dict.fromkeys(row[place] for row in rows))
    for row in rows:
        row[place] = f"{101 + names.index(row[place])}{suffix}"
    return as_file([header, *rows])


@pytest.mark.both
@pytest.mark.django_db
@pytest.mark.parametrize("suffixes", [("", ".0"), (".0", "")])
def test_files_that_spell_ids_differently_are_of_the_same_swings(
    download, give, suffixes
):
    one, other = suffixes
    give(numbered(download("metadata"), one))
    count = Movement.objects.count()
    upload = give(
        numbered(download(), other), numbered(download("momentum-energy"), one)
    )
    names = list(Movement.objects.values_list("org_movement_id", flat=True))
    assert sorted(names) == [str(101 + n) for n in range(count)]
    assert BiomechanicsData.objects.count() == 2 * count
    assert upload.created["movements"] == []
    assert ExportJob.objects.filter(state="stored").count() == 3
    # The preview says so too.
    part = Movement.objects.first().session
    file = {"kind": "inverse-kinematics", "name": "f", "movements": [
        {"name": f"{name}{other}", "sha256": row.content_sha256}
        for row in BiomechanicsData.objects.filter(data_type="inverse-kinematics")
        for name in [row.movement.org_movement_id]
    ]}  # fmt: skip
    day = dt.date(2026, 1, 1)
    told = preview([file], session=part, date=day, today=day, viewer=make_staff())
    assert [(kind.new, kind.same) for kind in told.kinds] == [(0, count)]
