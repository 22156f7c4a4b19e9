"""What is and is not a difference between two recordings of the site's answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import snapshot_answers
from scripts.snapshots.comparing import Ignored, difference

PAGE = """GET /athletes/1/

status 200
Content-Type: text/html

<head>
  <link rel="stylesheet" href="/static/css/site.css">
  {scripts}
</head>
<p>{text}</p>
<script type="application/json" id="chart">{{"y":[1,2]}}</script>
"""


def recording(folder: Path, name: str, text: str) -> Path:
    path = folder / "coach" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


def page(text="Bat speed", scripts=""):
    return PAGE.format(text=text, scripts=scripts)


def compared(tmp_path, before, after, *options):
    one = recording(tmp_path / "one", "page.txt", before)
    two = recording(tmp_path / "two", "page.txt", after)
    return snapshot_answers.main(["compare", str(one), str(two), *options])


def listed(tmp_path, *lines):
    path = tmp_path / "listed.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return ("--ignore", str(path))


def test_equal_recordings_have_no_difference(tmp_path, capsys):
    assert compared(tmp_path, page(), page()) == 0
    assert capsys.readouterr().out == "0 of 1 answers differ.\n"


def test_one_word_is_shown_where_it_stands(tmp_path, capsys):
    assert compared(tmp_path, page("Bat speed"), page("Bat pace")) == 1
    out = capsys.readouterr().out
    assert "--- coach/page.txt" in out
    assert "-<p>Bat speed</p>\n+<p>Bat pace</p>" in out
    assert out.endswith("1 of 1 answers differ.\n")


@pytest.mark.parametrize(
    "scripts",
    [
        '<script src="/static/js/charts.js" defer></script>',
        '<script type="module" src="/static/js/charts/main.0123456789ab.js"></script>',
        '<link rel="modulepreload" href="/static/js/charts/layout.js">',
    ],
)
def test_script_files_may_differ(tmp_path, scripts):
    one_line = page(scripts="X").replace("  X\n", "")
    assert compared(tmp_path, one_line, page(scripts=scripts)) == 0


def test_hashes_of_static_files_may_differ_and_their_names_may_not(tmp_path):
    plain = page()
    hashed = plain.replace("/css/site.css", "/css/site.0123456789ab.css")
    other = plain.replace("/css/site.css", "/css/sites.0123456789ab.css")
    assert difference(plain, hashed, Ignored()) == []
    assert difference(plain, other, Ignored()) != []


def test_data_inside_a_script_tag_is_compared(tmp_path):
    assert compared(tmp_path, page(), page().replace("[1,2]", "[1,3]")) == 1


def test_a_header_and_a_status_are_compared(tmp_path):
    assert difference(page(), page().replace("status 200", "status 404"), Ignored())
    assert difference(page(), page().replace("text/html", "text/plain"), Ignored())


def test_listed_lines_are_overlooked_and_others_beside_them_are_not(tmp_path):
    before = page("Download again</p>\n<p>Rows")
    options = listed(
        tmp_path, "# reworded", "", "<p>(Download again|Download again)</p>"
    )
    after = before.replace("Download again", "Download again")
    assert compared(tmp_path, before, after, *options) == 0
    assert compared(tmp_path, before, after.replace("Rows", "Row"), *options) == 1


def test_a_listed_replacement_allows_that_text_alone(tmp_path):
    options = listed(tmp_path, "Download again => Download again")
    before = page("Download again")
    assert compared(tmp_path, before, page("Download again"), *options) == 0
    assert compared(tmp_path, before, page("Download once more"), *options) == 1


def test_an_answer_that_only_one_recording_has_is_a_difference(tmp_path, capsys):
    recording(tmp_path / "two", "other.txt", page())
    assert compared(tmp_path, page(), page()) == 1
    assert "coach/other.txt: only in the second recording" in capsys.readouterr().out


def test_long_lines_are_shown_in_pieces_and_long_diffs_are_cut(tmp_path, capsys):
    row = '{{"id":{0},"name":"athlete {0}"}}'
    rows = ",".join(row.format(number) for number in range(50))
    after = rows.replace("athlete 7", "athlete seven")
    assert compared(tmp_path, rows, after, "--lines", "5") == 1
    lines = capsys.readouterr().out.splitlines()
    assert '-"name":"athlete 7"},' in lines
    assert lines[5].startswith("… ")
    assert len(max(lines, key=len)) < 200


def test_recordings_of_nothing_prove_nothing(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    names = [str(tmp_path / name) for name in ("one", "two")]
    assert snapshot_answers.main(["compare", *names]) == 1


def test_a_pattern_that_cannot_be_read_is_named(tmp_path, capsys):
    with pytest.raises(SystemExit):
        compared(tmp_path, page(), page(), *listed(tmp_path, "fine", "("))
    assert "listed.txt, line 2" in capsys.readouterr().err
