"""One version number, wherever somebody meets it."""

import re
import tomllib
from pathlib import Path

from reboot_site.version import VERSION

ROOT = Path(__file__).resolve().parent.parent


def test_the_package_takes_its_version_from_the_module():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in project["project"]
    assert project["project"]["dynamic"] == ["version"]
    attribute = project["tool"]["setuptools"]["dynamic"]["version"]["attr"]
    assert attribute == "reboot_site.version.VERSION"


def test_the_json_api_names_the_same_version(client, django_user_model, db):
    user = django_user_model.objects.create_user("reader", password="a long one here")
    client.force_login(user)
    assert client.get("/openapi.json").json()["info"]["version"] == VERSION


def test_the_newest_entry_of_the_changelog_is_this_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[?(\d+\.\d+\.\d+)", text, re.MULTILINE)[1] == VERSION
