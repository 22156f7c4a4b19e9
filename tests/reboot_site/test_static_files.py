"""Static files as browsers get them: modules with hashed names, fetched at once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.template.loader import render_to_string

from reboot_site.static_files import ModuleStaticFilesStorage

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "static" / "js"
IMPORT = re.compile(
    r"""^(?:import|export)[^;]*?\sfrom\s+["'](.+?)["'];""", re.MULTILINE
)


def imports_of(path: Path) -> list[Path]:
    """The files that a module imports, in its order."""
    found = IMPORT.findall(path.read_text(encoding="utf-8"))
    return [(path.parent / name).resolve() for name in found]


def all_imports_of(*paths: Path) -> set[Path]:
    """The files that modules import, directly or through others."""
    found: set[Path] = set()
    left = [path.resolve() for path in paths]
    while left:
        new = set(imports_of(left.pop())) - found
        found |= new
        left += new
    return found


def named(html: str, pattern: str) -> list[Path]:
    return [SCRIPTS / name for name in re.findall(pattern, html)]


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """Folder and manifest of what a production server would serve."""
    from django.test import override_settings

    folder = tmp_path_factory.mktemp("static")
    storages = {
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
        "staticfiles": {
            "BACKEND": f"{__name__}.Uncompressed",
        },
    }
    with override_settings(STATIC_ROOT=folder, STORAGES=storages):
        call_command("collectstatic", verbosity=0, interactive=False)
    manifest = json.loads((folder / "staticfiles.json").read_text(encoding="utf-8"))
    return folder, manifest["paths"]


class Uncompressed(ModuleStaticFilesStorage):
    """Without the compression, which is most of the time."""

    def compress_files(self, paths):
        return []


def test_every_import_leads_to_the_hashed_file_of_the_manifest(collected):
    folder, paths = collected
    checked = 0
    for module in SCRIPTS.rglob("*.js"):
        name = module.relative_to(SCRIPTS.parent).as_posix()
        served = folder / paths[name]
        wanted = [
            (folder / paths[path.relative_to(SCRIPTS.parent).as_posix()]).resolve()
            for path in imports_of(module)
        ]
        # A second name for one module would be a second copy of its state.
        assert imports_of(served) == wanted, name
        assert all(path.is_file() for path in wanted)
        checked += len(wanted)
    assert checked > 30


def test_an_address_is_found_once_and_a_missing_file_is_always_missing(collected):
    _, paths = collected
    storage = Uncompressed(base_url="/static/")
    storage.hashed_files = {"js/keys.js": paths["js/keys.js"]}
    for _ in range(2):
        assert storage.url("js/keys.js") == f"/static/{paths['js/keys.js']}"
        with pytest.raises(ValueError, match="Missing staticfiles manifest entry"):
            storage.url("js/charts.js", force=True)


def test_files_are_served_under_hashed_names_alone(collected):
    folder, _ = collected
    assert not (folder / "js" / "charts.js").exists()
    assert not (folder / "js" / "shared" / "page.js").exists()


def test_no_module_imports_itself_through_others():
    for module in SCRIPTS.rglob("*.js"):
        assert module.resolve() not in all_imports_of(module), module.name


def test_every_module_is_used():
    templates = [*(ROOT / "templates").rglob("*.html")]
    used = {
        path.resolve()
        for template in templates
        for path in named(
            template.read_text(encoding="utf-8"), r"""src="\{% static 'js/(.+?)' %\}"""
        )
    }
    used.add(SCRIPTS / "service_worker.js")  # served at the root of the site
    assert {path.resolve() for path in SCRIPTS.rglob("*.js")} == (
        used | all_imports_of(*used)
    )


@pytest.mark.parametrize("figure3d", [False, True])
def test_a_page_with_charts_names_all_modules_so_that_none_waits_for_another(figure3d):
    base = (ROOT / "templates" / "base.html").read_text(encoding="utf-8")
    html = render_to_string("components/chart_assets.html", {"figure3d": figure3d})
    scripts = named(html, r'<script type="module" src="/static/js/(.+?)"')
    assert [path.name for path in scripts] == ["charts.js", "events.js"] + (
        ["figure.js"] if figure3d else []
    )
    fetched = named(html, r'rel="modulepreload" href="/static/js/(.+?)"')
    fetched += named(base, r"""rel="modulepreload" href="\{% static 'js/(.+?)' %\}""")
    assert len(fetched) == len(set(fetched))
    assert {path.resolve() for path in fetched} == all_imports_of(*scripts)


def test_what_draws_a_page_waits_for_no_script_that_it_does_not_use():
    base = (ROOT / "templates" / "base.html").read_text(encoding="utf-8")
    drawing = base.index("{% block head %}")
    assert drawing < base.index("{% htmx_script %}")
    scripts = re.findall(r"""<script type="module" src="\{% static 'js/(.+?)'""", base)
    assert len(scripts) == 4
    assert all(drawing < base.index(f"js/{name}") for name in scripts)
    # What a page looks like is asked for before what it does.
    assert base.index("css/components.css") < drawing


def test_the_theme_is_set_before_anything_is_painted():
    """A module, or a script that is deferred, would run after the first paint."""
    for name in ("base.html", "sharing/shared_base.html", "api/docs.html"):
        html = (ROOT / "templates" / name).read_text(encoding="utf-8")
        head = html[: html.index("<body")]
        assert """<script src="{% static 'js/theme.js' %}"></script>""" in head, name


def test_a_page_for_a_dead_line_is_kept_with_every_file_it_needs(client):
    for query in ("", "?sent"):
        answer = client.get(f"/no-connection/{query}")
        assert "sessionid" not in answer.cookies
        assert "Home" not in answer.content.decode()  # nobody's menu
    script = client.get("/service-worker.js")
    assert script["Content-Type"].startswith("text/javascript")
    first_line = script.content.decode().partition("\n")[0]
    kept = json.loads(re.search(r"\[.*?\]", first_line)[0])
    entry = SCRIPTS / "no_connection.js"
    modules = {entry.resolve(), *all_imports_of(entry)}
    assert {f"/static/js/{path.relative_to(SCRIPTS)}" for path in modules} < set(kept)
    assert "/static/css/site.css" in kept
