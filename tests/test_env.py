import os

import pytest
from django.core.exceptions import ImproperlyConfigured

from reboot_site.env import Env, load_dotenv
from tests.test_architecture import ROOT


def test_text_prefers_the_variable_and_falls_back_to_a_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("from-file\n")
    both = {"KEY": "direct", "KEY_FILE": str(secret)}
    assert Env(both).text("KEY") == "direct"
    assert Env({"KEY_FILE": str(secret)}).text("KEY") == "from-file"
    assert Env({}).text("KEY", "default") == "default"


def test_text_names_the_variable_when_its_file_cannot_be_read(tmp_path):
    source = {"KEY_FILE": str(tmp_path / "absent")}
    with pytest.raises(ImproperlyConfigured, match="KEY_FILE"):
        Env(source).text("KEY")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("1", True), ("TRUE", True), ("on", True), ("0", False), ("", False)],
)
def test_boolean_reads_usual_spellings(written, meant):
    assert Env({"FLAG": written}).boolean("FLAG") is meant


def test_boolean_empty_means_the_default():
    assert Env({"FLAG": ""}).boolean("FLAG", default=True) is True


def test_boolean_refuses_other_words():
    with pytest.raises(ImproperlyConfigured, match="FLAG must be 1 or 0"):
        Env({"FLAG": "maybe"}).boolean("FLAG")


@pytest.mark.parametrize("written", ["six", "0", "65"])
def test_integer_refuses_text_and_values_out_of_range(written):
    with pytest.raises(ImproperlyConfigured, match="N must"):
        Env({"N": written}).integer("N", 6, low=1, high=64)


def test_integer_empty_means_the_default():
    assert Env({"N": ""}).integer("N", 6) == 6


def test_items_splits_and_trims():
    assert Env({"HOSTS": "a, b,,c "}).items("HOSTS") == ["a", "b", "c"]


@pytest.fixture
def read_dotenv(tmp_path, monkeypatch):
    """Reads bytes as the file, over an environment, and returns what is new in it."""

    def read(content, environment=None):
        path = tmp_path / ".env"
        path.write_bytes(content)
        monkeypatch.setattr(os, "environ", dict(environment or {}))
        load_dotenv(path)
        return dict(os.environ)

    return read


@pytest.mark.parametrize(
    ("content", "meant"),
    [
        (b"A=1\nB=2\n", {"A": "1", "B": "2"}),
        (b"\xef\xbb\xbfA=1\n", {"A": "1"}),
        (b"A=1\r\nB='2'\r\n\r\n", {"A": "1", "B": "2"}),
        (b"export A=1\n", {"A": "1"}),
        (b"  export  A = 1\n", {"A": "1"}),
        (b"A = 1 \n", {"A": "1"}),
        (b"# A=1\n  # B=2\n\nC=3", {"C": "3"}),
        (b"A=p#ss # vendor\n", {"A": "p#ss"}),
        (b"A=one\t# two\n", {"A": "one"}),
        (b"A=#1\n", {"A": "#1"}),
        (b"A= # none\nB=\n", {"A": "", "B": ""}),
        (b"A='p # ss' # vendor\n", {"A": "p # ss"}),
        (b'A="p # ss"\n', {"A": "p # ss"}),
        (b"A='a=b'\nB=c=d\n", {"A": "a=b", "B": "c=d"}),
        (b"A=it's\n", {"A": "it's"}),
        (b"A=${B}$C\n", {"A": "${B}$C"}),
        (b"A=a\\nb\nB='a\\nb'\n", {"A": "a\\nb", "B": "a\\nb"}),
        ("A=Café\n".encode(), {"A": "Café"}),
    ],
)
def test_dotenv_reads_what_people_write(content, meant, read_dotenv):
    assert read_dotenv(content) == meant


@pytest.mark.parametrize(
    ("case", "meant"),
    [
        ("bom", {}),
        ("export", {}),
        (
            "comment",
            {"REBOOT_PASSWORD": "p#ss", "ALLOWED_HOSTS": "dash.example.com"},
        ),
    ],
)
def test_dotenv_reads_reported_files(case, meant, read_dotenv):
    path = ROOT.parent / "shared" / "cases" / f"f12-env-{case}"
    if not path.exists():
        pytest.skip("no reported files here")
    found = read_dotenv(path.read_bytes())
    assert found.pop("SECRET_KEY") == "a" * 58
    assert found == {"VAR_DIR": "var"} | meant


def test_dotenv_keeps_what_is_set_and_fills_what_is_empty(read_dotenv):
    content = b"SET=other\nEMPTY=given\nBLANK=given\n"
    environment = {"SET": "kept", "EMPTY": "", "BLANK": " "}
    meant = {"SET": "kept", "EMPTY": "given", "BLANK": "given"}
    assert read_dotenv(content, environment) == meant


@pytest.mark.parametrize(
    "content",
    [b"A=1\nsecret\n", b"A=1\nsecret words\n", b"A=1\nB='secret\n", b"A=1\nB: secret"],
)
def test_dotenv_refuses_a_line_that_is_none(content, read_dotenv):
    with pytest.raises(
        ImproperlyConfigured, match="line 2: write NAME=value"
    ) as caught:
        read_dotenv(content)
    assert "secret" not in str(caught.value)


def test_dotenv_refuses_another_encoding(read_dotenv):
    with pytest.raises(ImproperlyConfigured, match="save it as UTF-8"):
        read_dotenv("A=Café\n".encode("latin-1"))


@pytest.mark.parametrize("nothing", ["", " ", "\r"])
def test_blanks_alone_mean_the_default(nothing, tmp_path):
    env = Env({"A": nothing})
    assert env.text("A", "default") == "default"
    assert env.boolean("A", default=True) is True
    assert env.integer("A", 6) == 6
    assert env.items("A", "a,b") == ["a", "b"]
    assert env.choice("A", "line", ("line", "json")) == "line"
    assert env.folder("A", tmp_path, base=tmp_path) == tmp_path


def test_every_reader_takes_a_file_instead(tmp_path):
    for name, value in (("FLAG", "0"), ("N", "7"), ("HOSTS", "a,b\n")):
        (tmp_path / name).write_text(value)
    env = Env({f"{name}_FILE": str(tmp_path / name) for name in ("FLAG", "N", "HOSTS")})
    assert env.boolean("FLAG", default=True) is False
    assert env.integer("N", 6) == 7
    assert env.items("HOSTS") == ["a", "b"]
