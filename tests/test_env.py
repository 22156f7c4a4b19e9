import os

import pytest
from django.core.exceptions import ImproperlyConfigured

from reboot_site.env import Env, load_dotenv


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


def test_dotenv_keeps_what_is_set_and_skips_comments(tmp_path, monkeypatch):
    monkeypatch.setenv("DOTENV_SET", "kept")
    monkeypatch.delenv("DOTENV_NEW", raising=False)
    path = tmp_path / ".env"
    path.write_text("# comment\n\nDOTENV_SET=other\nDOTENV_NEW='a=b'\n")
    load_dotenv(path)
    env = Env(os.environ)
    assert env.text("DOTENV_SET") == "kept"
    assert env.text("DOTENV_NEW") == "a=b"
    monkeypatch.delenv("DOTENV_NEW")


def test_dotenv_error_names_the_line_but_not_its_text(tmp_path):
    path = tmp_path / ".env"
    path.write_text("A=1\nsecret-without-a-name\n")
    with pytest.raises(ImproperlyConfigured) as caught:
        load_dotenv(path)
    assert "line 2" in str(caught.value)
    assert "secret" not in str(caught.value)
