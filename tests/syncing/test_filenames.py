"""Names of export files as browsers, clouds and people leave them."""

import datetime as dt
from pathlib import Path

import pytest

from syncing.filenames import FileName, id_in_name, id_key, read_file_name

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "f04-file-names.txt"
PLAYER = "22222222-2222-4222-8222-222222222222"
STEM = f"20251220_session_7_rebootmotion_{PLAYER}_baseball-hitting_inverse-kinematics"
EXPECTED = FileName(dt.date(2025, 12, 20), "7", PLAYER)

MANGLED = [
    "{}.csv",
    "{}.csv.gz",
    "{}.parquet",
    "{}.CSV.GZ",
    "{}",
    "{} (1).csv",
    "{} (12).csv.gz",
    "{}(1).csv",
    "{}__1_.csv",
    "{}_1_.csv",
    "{}_2.csv",
    "{}-2.csv",
    "{}.csv (1)",
    "{}.csv.csv",
    "{}.csv.1",
    "{}.csv~",
    "{}[1].csv",
    "{}.csv.download",
    "{}.csv.crdownload",
    "{}.csv.part",
    "{} - Copy.csv",
    "{} - Copy (2).csv",
    "{} copy.csv",
    "{} copy 2.csv",
    "{} – Kopie.csv",
    "{}-edited.xlsx - Sheet1.csv",
    "Copy of {}.csv",
    "Copy of Copy of {}.csv",
    "Kopie von {}.csv",
    "1766451097841_{}.csv",
    "1766451097841-{}__1_.csv",
    "FW_ {}.csv",
    "[EXTERNAL] {}.csv",
    "attachment-{}.csv",
    "downloads/{}.csv",
    "C:\\Users\\coach\\Downloads\\{}.csv",
    "\u200e{}.csv",
]


@pytest.mark.parametrize("mangled", MANGLED)
@pytest.mark.parametrize(
    "change", [str, str.upper, str.title], ids=lambda f: f.__name__
)
def test_what_is_added_to_a_name_hides_nothing(mangled, change):
    assert read_file_name(change(mangled.format(STEM))) == EXPECTED


@pytest.mark.parametrize(
    "changed",
    [
        STEM.replace("_", " "),
        STEM.replace("_", "+"),
        STEM.replace("_", "%20"),
        STEM.replace("_", "__"),
        STEM.replace("-", "\u2011"),
        STEM.replace("20251220", "2025-12-20"),
        STEM.replace("_", "."),
        STEM.replace("_", ".").replace("20251220", "2025.12.20"),
        STEM.replace("20251220", "2025.12.20"),
        STEM.replace("20251220", "2025_12_20"),
        STEM.replace("session_7_", "session.7."),
        STEM.replace("_session_7_rebootmotion_", "_session_7.rebootmotion."),
        STEM.replace("_baseball", ".baseball"),
        STEM.replace("_", " . "),
        f"Copy.of.{STEM.replace('_', '.')}.csv.gz",
        f"1766451097841.{STEM.replace('_', '.')}.1.",
    ],
)
def test_other_marks_between_the_parts(changed):
    assert read_file_name(f"{changed}.csv") == EXPECTED


@pytest.mark.parametrize("player", [PLAYER, "660001", "P_12_a", "smith.jo_2009"])
@pytest.mark.parametrize("kind", ["metadata", "momentum-energy", "something-new"])
def test_dots_between_the_parts_hide_nobody(player, kind):
    name = f"20251220_session_12_hawkeye_{player}_softball-hitting_{kind}"
    found = read_file_name(name.replace("_", ".") + ".csv")
    assert (found.date, found.number) == (dt.date(2025, 12, 20), "12")
    assert id_in_name(name.replace("_", ".") + ".csv.gz", {}) == id_key(player)
    # A dot of an id, where the parts are as the vendor sets them, is kept.
    assert read_file_name(f"{name}.csv").player == player.casefold()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("20251220_session_7.csv", ("2025-12-20", "7")),
        ("20251220.session.7.csv", ("2025-12-20", "7")),
        ("2025.12.20.session.7.0.csv", ("2025-12-20", "7")),
        ("20251220_session_7.5_x.csv", ("2025-12-20", "7")),
        ("20251340.session.7.csv", ("None", "7")),
    ],
)
def test_date_and_number_alone(name, expected):
    found = read_file_name(name)
    assert (str(found.date), found.number, found.player) == (*expected, "")


def test_hyphens_that_became_underscores():
    name = f"{STEM.replace('-', '_')}.csv"
    found = read_file_name(name)
    assert (found.date, found.number) == (EXPECTED.date, EXPECTED.number)
    assert id_in_name(name, {}) == id_key(PLAYER)


@pytest.mark.parametrize(
    "kind",
    [
        "momentum-energy",
        "metadata",
        "metrics",
        "hitting-processed-metrics",
        "hitting-lite-processed-metrics",
        "metrics-baseball-hitting-v2-0-0",
        "ik",
        "something-new",
    ],
)
@pytest.mark.parametrize(
    "player", [PLAYER, "P_12_a", "660001", "abc_def", "smith_jo_2009", "a-b-c"]
)
@pytest.mark.parametrize("movement", ["baseball-hitting", "softball-hitting"])
def test_ids_of_every_shape_and_every_kind_of_file(kind, player, movement):
    name = f"20251220_session_12_hawkeye_{player}_{movement}_{kind}__1_.csv"
    found = read_file_name(name)
    assert (found.number, found.player) == ("12", player.casefold())


@pytest.mark.parametrize(
    "name",
    [
        "",
        "export.csv",
        "v1.session.2.csv",
        "file0",
        "IMG_1234-0001.csv",
        f"{PLAYER}.csv",
        "session_7.csv",
    ],
)
def test_other_names_say_nothing(name):
    assert read_file_name(name) == FileName()


@pytest.mark.parametrize("player", [PLAYER, "660001", "P_12_a"])
@pytest.mark.parametrize("system", ["hawkeye_action", "my own  cameras"])
def test_a_system_of_several_words_hides_nobody(player, system):
    name = f"20251220_session_12_{system}_{player}_baseball-hitting_metrics.csv"
    known = {id_key(player): 1, id_key("another"): 2}
    assert id_in_name(name, known) == id_key(player)


def test_whose_id_ends_as_another_one_is_taken_for_themselves():
    name = "20251220_session_12_hawkeye_smith_660001_baseball-hitting_metrics.csv"
    assert id_in_name(name, {"smith660001", "660001"}) == "smith660001"


def test_a_date_that_is_none_is_not_taken():
    assert read_file_name(STEM.replace("20251220", "20251340")).date is None
    assert read_file_name(f"123{STEM}") == FileName()


def test_a_long_id_counts_where_the_rest_of_the_name_is_lost():
    keys = {id_key(PLAYER): 1, "7": 2, "20251220": 3}
    assert id_in_name(f"{PLAYER} swings.csv", keys) == id_key(PLAYER)
    assert id_in_name(f"20251220_session_7_rebootmotion_{PLAYER}_base.csv", keys) == (
        id_key(PLAYER)
    )
    assert id_in_name("7.csv", keys) is None


@pytest.mark.skipif(not CASES.is_file(), reason="The cases are not on this machine.")
def test_names_of_people():
    names = CASES.read_text(encoding="utf-8").splitlines()
    assert {read_file_name(name) for name in names if name} == {EXPECTED}
