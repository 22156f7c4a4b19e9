"""The container's files and the platform's: what they start, as whom, and with what."""

import datetime as dt
import fnmatch
import json
import os
import re
import subprocess

import pytest
import yaml
from django.core.checks import ERROR

from reboot_site.checks import check_vendor
from scripts.run import DEMO_OPTIONS
from tests.test_architecture import ROOT
from tests.test_docs import variables_read

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
IGNORED = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
DEMO = yaml.safe_load((ROOT / "compose.demo.yaml").read_text("utf-8"))
PLATFORM = yaml.safe_load((ROOT / "render.yaml").read_text("utf-8"))
PROCFILE = dict(
    line.split(": ", 1) for line in (ROOT / "Procfile").read_text("utf-8").splitlines()
)
OWN = ("release", "web", "worker")
#: Of the programs beside the product, or of Python.
OTHERS = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "PYTHON_VERSION"}
OF_PYTHON = {
    *("PATH", "LANG", "HOME", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"),
}


def instructions(name):
    """What follows each instruction of that name, in one line each."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)
    text = re.sub(r"\\\n\s*", " ", text)
    return re.findall(rf"^{name} (.*)$", text, re.MULTILINE)


def said(command):
    """A command as the Procfile has it: with neither a shell around it nor exec."""
    if isinstance(command, list):
        is_shell = command[:2] == ["sh", "-c"]
        command = command[2] if is_shell else " ".join(command)
    return re.sub(r"\bexec ", "", command)


def services():
    """Name and description of each service, of the demo's additions too."""
    yield from COMPOSE["services"].items()
    yield from DEMO["services"].items()


# --- The image ------------------------------------------------------------------


def test_the_image_starts_what_the_procfile_starts():
    (command,) = instructions("CMD")
    assert said(json.loads(command)) == PROCFILE["web"]
    # The shell makes way for the server, which then gets the signals itself.
    assert "exec env" in command


def test_the_image_runs_as_somebody_else_than_root_and_tells_whether_it_lives():
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert not re.search(r"^(COPY|RUN)", final.partition("\nUSER ")[2], re.MULTILINE)
    assert "chown" not in final
    assert "--uid 10001" in final
    (check,) = re.findall(r"HEALTHCHECK [^\n]*\\\n\s*CMD (\[.*\])", final)
    program, option, code = json.loads(check)
    assert (program, option) == ("python", "-c")
    compile(code, "health check", "exec")
    assert "/health/live" in code


def test_bases_and_packages_have_versions():
    (base,) = re.findall(r"^ARG BASE=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"docker\.io/library/python:\d\.\d+-slim-\w+", base)
    assert {line.split(" ")[0] for line in instructions("FROM")} == {"${BASE}"}
    (install,) = [line for line in instructions("RUN") if "pip install" in line]
    assert "--require-hashes" in install
    (client,) = re.findall(r"postgresql-client-(\d+)", DOCKERFILE)
    for name, service in services():
        image = service.get("image", "dashboard:local")
        assert re.search(r":(\d[\w.-]*|local)$", image), name
    # pg_dump has to be in the server's version or newer.
    assert COMPOSE["services"]["db"]["image"].split(":")[1].startswith(client)
    (database,) = PLATFORM["databases"]
    assert database["postgresMajorVersion"] == client


def test_no_build_tool_stays_in_the_image():
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    (packages,) = re.findall(r"apt-get install ([^\n\\]*)", final)
    named = [word for word in packages.split() if not word.startswith("--")]
    assert [re.sub(r"\d+$", "", name) for name in named] == ["postgresql-client-"]
    assert "--no-install-recommends" in packages
    assert "/usr/local/bin/pip*" in final
    assert "pip uninstall" in DOCKERFILE


def gets_in(path):
    """Whether a path is sent to the builder; the last line that fits it decides."""
    is_in = True
    lines = [line for line in IGNORED if line and not line.startswith("#")]
    parts = path.split("/")
    heads = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    for line in lines:
        pattern = line.lstrip("!").removeprefix("**/")
        where = heads if "**/" not in line else parts
        if any(fnmatch.fnmatchcase(head, pattern) for head in where):
            is_in = line.startswith("!")
    return is_in


def test_the_image_holds_the_product_and_nothing_besides():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    packages -= {"accuracy", "benchmarks", "tests", "scripts", "tools"}
    for name in (*packages, "templates", "static", "manage.py", "requirements.txt"):
        assert gets_in(name), name
    for name in (".env", ".git", "var", "tests", "docs", ".venv", "compose.yaml"):
        assert not gets_in(name), name
    assert not gets_in("accounts/__pycache__/models.cpython-313.pyc")
    for line in instructions("COPY"):
        sources = [w for w in line.split()[:-1] if not w.startswith("--")]
        if "--from" not in line:
            assert all(s == "." or gets_in(s) for s in sources)


# --- Compose --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["release", "worker"])
def test_services_run_what_the_procfile_runs(name):
    assert said(COMPOSE["services"][name]["command"]) == PROCFILE[name]


def test_the_web_service_runs_what_the_image_starts():
    web = COMPOSE["services"]["web"]
    assert "command" not in web
    assert "healthcheck" not in web
    (port,) = web["ports"]
    assert port == f"127.0.0.1:${{PORT:-8000}}:{web['environment']['PORT']}"


def test_migrations_run_once_before_anything_starts():
    assert COMPOSE["services"]["release"]["restart"] == "no"
    for name in ("web", "worker"):
        needs = COMPOSE["services"][name]["depends_on"]
        assert needs["release"]["condition"] == "service_completed_successfully"
    for name in OWN:
        needs = COMPOSE["services"][name]["depends_on"]
        assert needs["db"]["condition"] == "service_healthy"
        assert needs["redis"]["condition"] == "service_healthy"


def test_no_service_writes_outside_its_volumes():
    declared = set(COMPOSE["volumes"])
    for _, service in services():
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in declared
    assert DEMO["services"]["simulator"]["read_only"] is True
    for service in COMPOSE["services"].values():
        assert service["read_only"] is True
    for name in OWN:
        service = COMPOSE["services"][name]
        where = service["environment"]["VAR_DIR"]
        assert service["volumes"] == [f"files:{where}"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert f"VAR_DIR={where}" in DOCKERFILE
    for name in ("db", "redis"):
        assert "test" in COMPOSE["services"][name]["healthcheck"]
        assert "ports" not in COMPOSE["services"][name]


def test_the_product_has_time_to_end_what_it_has_begun():
    for name in OWN:
        assert COMPOSE["services"][name]["stop_grace_period"] == "40s"
    for service in PLATFORM["services"]:
        assert service["maxShutdownDelaySeconds"] == 40


def environments():
    for name, service in services():
        yield name, service.get("environment", {})
    groups = [*PLATFORM["services"], *PLATFORM["envVarGroups"]]
    for group in groups:
        rows = [row for row in group["envVars"] if "key" in row]
        yield group["name"], {row["key"]: row.get("value", "") for row in rows}
    words = " ".join(instructions("ENV"))
    yield "image", dict(re.findall(r"(\w+)=(\S+)", words))


def test_every_variable_is_one_that_somebody_reads():
    for where, given in environments():
        assert set(given) <= variables_read() | OTHERS | OF_PYTHON, where
    text = (ROOT / "compose.yaml").read_text("utf-8")
    used = set(re.findall(r"\$\{(\w+)", text))
    assert used == {"SECRET_KEY", "POSTGRES_PASSWORD", "PORT"}


def test_no_file_holds_a_secret():
    for where, given in environments():
        for name, value in given.items():
            if re.search("KEY|PASSWORD|TOKEN|SECRET", name) and value:
                is_of_simulator = value == "demo-password"
                assert is_of_simulator or value.startswith("${"), (where, name)


def of_the_demo(var):
    """How the demo's simulator is started: the words that its shell comes to."""
    shell, option, line = DEMO["services"]["simulator"]["command"]
    assert (shell, option) == ("sh", "-c")
    assert "exec python -m simulator " in line
    line = line.replace("$$", "$").replace("exec python -m simulator", "echo")
    done = subprocess.run(
        ["sh", "-c", line],
        env={"PATH": os.environ["PATH"], "VAR_DIR": str(var)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.processes
def test_the_demo_logs_in_where_its_simulator_listens(tmp_path):
    from simulator.__main__ import read_options
    from simulator.app import Config

    given, config = read_options(of_the_demo(tmp_path))
    for name in OWN:
        settings = DEMO["services"][name]["environment"]
        assert settings["REBOOT_BASE_URL"] == f"http://{given.host}:{given.port}"
        assert settings["REBOOT_USERNAME"] == Config().username == config.username
        assert settings["REBOOT_PASSWORD"] == Config().password
    first = DEMO["services"]["first-sync"]
    assert first["extends"] == {"file": "compose.yaml", "service": "worker"}
    assert first["command"] == ["python", "manage.py", "sync"]
    # Both talk to the simulator, which their own machine alone can reach.
    for syncing in (first, DEMO["services"]["worker"]):
        assert syncing["network_mode"] == "service:simulator"
        assert syncing["depends_on"]["simulator"] == {"condition": "service_healthy"}


def test_the_settings_of_the_demo_pass_the_checks_that_stop_a_command(settings):
    given = DEMO["services"]["release"]["environment"]
    settings.REBOOT_BASE_URL = given["REBOOT_BASE_URL"]
    settings.REBOOT_USERNAME = given["REBOOT_USERNAME"]
    settings.REBOOT_PASSWORD = given["REBOOT_PASSWORD"]
    settings.HTTPS = given["HTTPS"] != "0"
    assert not [one for one in check_vendor(None) if one.level >= ERROR]


@pytest.mark.processes
def test_the_demo_has_what_make_run_shows_and_ends_the_day_before_its_first_start(
    tmp_path,
):
    words = of_the_demo(tmp_path)
    assert " ".join(DEMO_OPTIONS.split()) in " ".join(words)
    day = dt.date.fromisoformat(words[words.index("--last-day") + 1])
    assert dt.timedelta(0) < dt.date.today() - day <= dt.timedelta(2)  # noqa: DTZ011
    (tmp_path / "demo_last_day").write_text("2026-03-01\n", "utf-8")
    words = of_the_demo(tmp_path)  # started again later
    assert words[words.index("--last-day") + 1] == "2026-03-01"
