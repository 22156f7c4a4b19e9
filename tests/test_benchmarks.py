"""What a benchmark found is told whole, and put where it belongs."""

import datetime as dt

import pytest

from benchmarks.__main__ import names
from benchmarks.results import MARKER, Report, Result, section, write_document


def part(name, *, is_quick=False):
    row = Result("reading", "1 ms", "writing: 2 ms", 2.0, "at least 1", is_met=True)
    report = Report(name, f"Title of {name}", "20 swings", (row,))
    return section(report, is_quick=is_quick, seconds=12.4)


@pytest.mark.processes
def test_part_says_when_where_and_on_what_it_was_measured():
    before = dt.datetime.now(dt.UTC).date().isoformat()
    told = part("bench_reader", is_quick=True)
    after = dt.datetime.now(dt.UTC).date().isoformat()
    head = told.splitlines()[3]
    assert any(
        head.startswith(f"20 swings. `bench_reader`, {day}, ")
        for day in (before, after)
    )
    for word in ("commit", "cores", "GB", "12 s, load", "quick run"):
        assert word in head
    assert "| reading | 1 ms | writing: 2 ms | 2 | at least 1 | yes |" in told


@pytest.mark.processes
def test_new_part_gets_its_place_and_others_stay(tmp_path):
    document = tmp_path / "benchmarks.md"
    write_document({"bench_ingest": part("bench_ingest")}, names(), document)
    by_hand = f"{MARKER}\n\nOf the machine.\n"
    text = document.read_text(encoding="utf-8").partition(MARKER)[0] + by_hand
    document.write_text(text, encoding="utf-8")
    new = {name: part(name) for name in ("bench_sync", "bench_reader")}
    write_document(new, names(), document)
    text = document.read_text(encoding="utf-8")
    places = [
        text.index(f"## Title of bench_{n}") for n in ("reader", "ingest", "sync")
    ]
    assert places == sorted(places)
    assert text.endswith(by_hand)
    write_document(new, names(), document)
    assert document.read_text(encoding="utf-8") == text
