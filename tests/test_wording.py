"""Words that must not come back: pages, messages, JSON descriptions, documents.

The standard is how a coach speaks. Each pattern here was once on a page and sent a
native reader back to the start of the sentence. One pass over the source: literals of
Python, text and labels in templates, strings of scripts, the documents with their
examples, and the files that operators copy; and over the OpenAPI document, which
takes its sentences from docstrings.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests import openapi

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "accounts",
    "athletes",
    "biomechanics",
    "dashboard",
    "privacy",
    "reboot_site",
    "sharing",
    "simulator",
    "syncing",
    "webhooks",
)

#: What must not come back, and what is said instead.
WORDS = {
    r"turn rates?": "rotation speed",
    r"shoulder-line (turn|rotation)": "torso rotation",
    r"peak speed of both hands": "peak hand speed",
    r"first move to reference": "time to contact",
    r"(at|by|before|after) the reference": "contact, or peak hand speed by the rule",
    r"(pelvis|shoulders?|knee|separation|bend|speed) at (reference|REF|FD)": "contact",
    r"(growth of separation|separation growth)": "separation stretch",
    r"(largest hip-shoulder separation|separation max)": "max separation",
    r"(knee straightening|pelvis slowing|foot spread)": "see the definitions",
    r"speed-up,": "speed gain",
    r"gap from \w+ to": "delay",
    r"order of the peaks": "kinematic sequence",
    r"how it was hit": "setup",
    r"live pitching": "live BP",
    r"(the|a|same|each) conditions? (is|of|and|not)": "setup",
    r"condition not said": "no setup recorded",
    r"counted swings?": "included swings",
    r"counts? in means": "included in averages",
    r"counted? (it|swings?) (in|out)": "include or exclude",
    r"left out of (the )?means": "excluded from averages",
    r"leave out": "exclude",
    r"by its quality": "automatic",
    r"by a person": "by a coach",
    r"newest session": "latest session",
    r"(earlier|later) session": "previous or next session",
    r"compare with the earlier": "compare with previous session",
    r"no clear change": "about the same",
    r"a real change": "more than their usual variation",
    r"others who may see": "share with other coaches",
    r"(look at everything|ask anew|asked for anew)": "full resync, download again",
    r"add files by hand": "upload files",
    r"home from (the vendor|Reboot)": "imports",
    r"the vendor('s|’s)?": "Reboot Motion",
    r"vendor does not say": "not provided by Reboot",
    r"signs? of life": "isn't running, isn't responding",
    r"ticked swings": "selected swings",
    r"marked apart": "show all setups",
    r"whose angles": "angle source",
    r"works for days": "expires in",
    r"make a link": "create link",
    r"(held|hold it) against": "compared with",
    r"there is no such": "that … doesn't exist",
    r"you may not see": "you can't see",
    r"so nobody can say": "so it's unclear",
    r"(is|are) unsure": "is uncertain: people are unsure",
    r"user names?": "username",
    r"session means?": "session average",
    r"(mean ± SD|mean kinematic sequence|the mean curve)": "average",
    r"(at|in|for) so many (days|seconds|minutes|entries)": "this many",
    r"you may not (download|change|share)": "you can't",
    r"this login may (see|open)": "can see",
    r"not there any ?more": "no longer here",
    r"take back": "undo",
    r"correct facts": "edit profile",
    r"set aside (to compare|while browsing)": "your comparison",
    r"is no (file|time zone|number|date)": "is not a",
    r"ended without a word": "stopped unexpectedly",
    r"ask somebody": "ask staff",
    r"(centre|metre|centimetre|millimetre|colour|behaviour|neighbour)s?": "US spelling",
    r"(grey|analys(e|ed|ing)|judgement|cancelled|towards|travelled)": "US spelling",
    r"(labelled|licence|organisation)": "US spelling",
    r"(he|his|him|himself)": "they, their",
    r"fair ground": "fair territory",
    r"level (distance|direction|line)s?": "horizontal",
    r"data (are|have)": "data is, data has",
    r"for ever": "forever",
    r"nobody's": "say who or what has none",
    r"(anew|asked again about)": "again",
    r"(mend|mends|mended)": "fix, correct",
    r"(told of|tells of|is told in)": "report, show, say",
    r"how sure it is": "how certain it is, its uncertainty",
    r"not there any more": "no longer here",
}
_PATTERNS = {word: re.compile(rf"\b({word})\b", re.IGNORECASE) for word in WORDS}
_ANY = re.compile("|".join(f"(?:{word.pattern})" for word in _PATTERNS.values()), re.I)

_REBOOT_STATUS = "the status that Reboot Motion, or a client of the JSON API, knows"
_TYPED = "people may spell the unit so; it is read, never shown"

#: Where one of them has to stay (file and text), and why.
ALLOWED: dict[tuple[str, str], str] = {
    ("syncing/choices.py", "cancelled"): _REBOOT_STATUS,
    ("syncing/client/export_replies.py", "cancelled"): _REBOOT_STATUS,
    ("openapi/components/schemas/RunStatus/enum", "cancelled"): _REBOOT_STATUS,
    ("athletes/admin/heights.py", r"(?:m|meters?|metres?)\.?"): _TYPED,
    ("athletes/admin/heights.py", r"(?:cm|centimeters?|centimetres?)\.?"): _TYPED,
}

#: Written by others.
_NOT_OURS = ("static/vendor/", "sharing/fonts/", "tests/", "tools/js/package-lock.json")

#: Documents for operators and programmers speak of any vendor, the contract with it and
#: its stand-in; of these words alone.
_OF_ANY_VENDOR = r"the vendor('s|’s)?"

#: What operators copy, and what says what it does: read as it stands, with comments.
_COPIED = (
    ".env.example",
    "Dockerfile",
    "Makefile",
    "Procfile",
    "compose*.yaml",
    "deploy/*",
    "docs/examples/*",
    "render.yaml",
)

#: Programs that print, beside the packages of the product.
_TOOLS = ("accuracy", "benchmarks", "scripts")


def _files(*patterns: str) -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    told = subprocess.run(
        [*command, *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [
        name
        for name in told.stdout.splitlines()
        if (ROOT / name).exists() and not name.startswith(_NOT_OURS)
    ]


def literals(source: str) -> Iterator[tuple[int, str]]:
    """The texts in a module; of its docstrings the one that it prints as its help.

    What is put into a text is `…` in it, and the format of that (`.1f`, `%b %Y`) a text
    of its own, so that a word in a format is read too.
    """
    tree = ast.parse(source)
    skipped: set[int] = set()
    printed = {id(tree)} if "__doc__" in source else set()
    for node in ast.walk(tree):
        for each in getattr(node, "body", None) or () if _has_body(node) else ():
            if (
                isinstance(each, ast.Expr)
                and isinstance(each.value, ast.Constant)
                and id(node) not in printed
            ):
                skipped.add(id(each.value))
        if isinstance(node, ast.JoinedStr):
            parts = []
            for part in node.values:
                if isinstance(part, ast.Constant):
                    skipped.add(id(part))
                    parts.append(str(part.value))
                else:
                    parts.append("…")
            yield node.lineno, "".join(parts)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in skipped
        ):
            yield node.lineno, node.value


def _has_body(node: ast.AST) -> bool:
    return isinstance(getattr(node, "body", None), list)


_CODE_IN_TEMPLATES = re.compile(
    r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}|<script.*?</script>|<path[^>]*>"
    r"|\{% (?!include|trans|with)[^%]*%\}"
    r"|(?:class|id|for|name|aria-labelledby|aria-describedby|href|hx-[a-z]+|data-[a-z-]+|src|value)=\"[^\"]*\""
    r"|\{\{\s*[\w.]+|\|[a-z_]+:?",
    re.DOTALL,
)
_CODE_IN_DOCUMENTS = re.compile(r"```.*?```|`[^`\n]*`|\]\([^)]*\)", re.DOTALL)
_COMMENTS = re.compile(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", re.DOTALL)


@cache
def texts() -> tuple[tuple[str, int, str], ...]:
    """Every text with the file and line it is in."""
    return tuple(_each_text())


def _each_text() -> Iterator[tuple[str, int, str]]:
    yield from _of_python()
    for name in _files("templates/*.html", "templates/*.txt"):
        yield from _lines(name, _CODE_IN_TEMPLATES)
    for name in _files("*.md"):
        yield from _paragraphs(name)
    for name in _files(*_COPIED):
        yield from _lines(name)
    for name in _files("static/js/*.js"):
        yield from _lines(name, _COMMENTS)
    yield from _of_openapi()


def _of_python() -> Iterator[tuple[str, int, str]]:
    for name in _files(*(f"{package}/*.py" for package in (*PACKAGES, *_TOOLS))):
        if "/migrations/" not in name:
            for line, text in literals((ROOT / name).read_text(encoding="utf-8")):
                yield name, line, text


def _of_openapi() -> Iterator[tuple[str, int, str]]:
    """What /openapi.json says: descriptions are docstrings in our source."""

    def walk(where: str, node: Any) -> Iterator[tuple[str, int, str]]:
        if isinstance(node, dict):
            for key, value in node.items():
                yield from walk(f"{where}/{key}", value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(where, value)
        elif isinstance(node, str):
            yield where, 1, node

    yield from walk("openapi", openapi.document())


def _lines(
    name: str, code: re.Pattern[str] | None = None
) -> Iterator[tuple[str, int, str]]:
    """The lines of a file, without what is code in it."""
    text = (ROOT / name).read_text(encoding="utf-8")
    if code:
        text = code.sub(_blank_lines, text)
    for line, words in enumerate(text.splitlines(), start=1):
        yield name, line, words


def _paragraphs(name: str) -> Iterator[tuple[str, int, str]]:
    """The paragraphs of a document, each as one line, without what is code in it."""
    text = (ROOT / name).read_text(encoding="utf-8")
    text = _CODE_IN_DOCUMENTS.sub(_blank_lines, text)
    for paragraph in re.finditer(r"(?:[^\n]*\S[^\n]*(?:\n|$))+", text):
        line = text.count("\n", 0, paragraph.start()) + 1
        yield name, line, " ".join(paragraph.group().split())


def _blank_lines(match: re.Match[str]) -> str:
    """As many lines as there were, without the words."""
    return " " + "\n" * match.group().count("\n")


def faults_in(name: str, text: str) -> list[str]:
    """The patterns that a text of a file goes against."""
    if not _ANY.search(text):
        return []
    return [
        word
        for word, pattern in _PATTERNS.items()
        if pattern.search(text)
        and (name, text) not in ALLOWED
        and not (word == _OF_ANY_VENDOR and _is_of_any_vendor(name))
    ]


def _is_of_any_vendor(name: str) -> bool:
    return name.endswith(".md") or name.startswith(("simulator/", *_TOOLS))


def _around(word: str, text: str) -> str:
    """The part of a text where a pattern was found."""
    match = _PATTERNS[word].search(text)
    at = match.start() if match else 0
    return text[max(0, at - 40) : at + 50].strip()


@cache
def _found() -> tuple[str, ...]:
    return tuple(
        f"{name}:{line}: {_around(word, text)!r} (say: {WORDS[word]})"
        for name, line, text in texts()
        for word in faults_in(name, text)
    )


@pytest.mark.processes
def test_no_word_has_come_back():
    assert not _found(), "\n".join(_found())


@pytest.mark.parametrize(
    "text",
    [
        "Peak shoulder-line turn rate",
        "Compare an athlete with himself only.",
        "3 counted swings",
        "The vendor’s list is empty.",
        "No worker gives a sign of life.",
        "Newest session",
        "the centre of mass",
    ],
)
def test_a_word_that_comes_back_is_found(text):
    assert faults_in("dashboard/phrases.py", text)


@pytest.mark.processes
def test_texts_are_read_wherever_they_stand():
    source = (
        '"""The vendor."""\nx = f"{y} of the " "vendor"\ny = "Turn rates"\nz = "he"'
    )
    assert [text for _, text in literals(source)] == [
        "… of the vendor",
        "Turn rates",
        "he",
    ]
    where = {name.partition("/")[0] for name, _, _ in texts()}
    assert {*PACKAGES, *_TOOLS, "templates", "docs", "README.md"} <= where
    assert {"CHANGELOG.md", "deploy", "static", ".env.example", "openapi"} <= where


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('f"{x:.1f}metres"', ["…metres", ".1f"]),
        ('f"{day:%d towards %b}"', ["…", "%d towards %b"]),
        ('"{:.1f}metres".format(x)', ["{:.1f}metres"]),
        ('label = "colour"', ["colour"]),
        ('"""The vendor."""', []),
        ('"""The vendor."""\nhelp = __doc__', ["The vendor."]),
    ],
)
def test_words_beside_formats_and_alone_are_read(source, found):
    assert [text for _, text in literals(source)] == found


def test_a_word_that_is_broken_over_two_lines_of_a_document_is_read(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("tests.test_wording.ROOT", tmp_path)
    (tmp_path / "page.md").write_text("# A page\n\nIt is held\nagainst `he`.\n")
    found = list(_paragraphs("page.md"))
    assert found == [("page.md", 1, "# A page"), ("page.md", 3, "It is held against .")]
    assert faults_in(*found[1][::2])


@pytest.mark.processes
def test_sentences_of_the_openapi_document_are_read():
    told = {text for name, _, text in texts() if name.startswith("openapi/")}
    assert "One athlete." in told  # the docstring of PlayerOut
    assert "Words in the name." in told  # of a parameter


def test_a_comment_of_a_script_is_no_text(tmp_path):
    source = 'say("the colour"); // grey\n/* the\nvendor */ let a = "https://a.b";'
    assert _COMMENTS.sub(_blank_lines, source).split() == [
        'say("the', 'colour");', "let", "a", "=", '"https://a.b";'
    ]  # fmt: skip
