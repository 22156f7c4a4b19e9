"""A wrong setting ends each program in one line that says what to do.

Every case goes through its entries as a real process (through all of them at night),
and what `.env` holds through the one reader of it.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.acceptance.conftest import free_port
from tests.test_architecture import ROOT
from tests.test_docs import variables_read

pytestmark = pytest.mark.processes

KEY = "of-this-test-alone-0123456789-abcdefghijklmnopqrstuvwxyz"
PYTHON = sys.executable
PROCFILE = dict(
    line.split(": ", 1)
    for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
)
# As the Procfile starts it, with the interpreter of this test.
WEB = (
    PROCFILE["web"]
    .replace(" env ", " exec env ", 1)
    .replace(" gunicorn ", f" {PYTHON} -m gunicorn ", 1)
)
ENTRIES = {
    "command": [PYTHON, "manage.py", "migrate"],
    "check": [PYTHON, "manage.py", "check"],
    "sync": [PYTHON, "manage.py", "sync", "--json"],
    "supervisor": [PYTHON, "manage.py", "supervise_qcluster"],
    "cluster": [PYTHON, "manage.py", "qcluster"],
    "gunicorn": ["sh", "-c", WEB],
    "make run": [PYTHON, "scripts/run.py"],
}
# Those of manage.py that differ; another of its commands is "check".
ALL = tuple(name for name in ENTRIES if name != "check")
# One of each kind; all of them ask the same lines, as the first cases show.
SOME = ("command", "gunicorn", "make run")
WEB_ONLY = ("gunicorn", "make run")


def environment(tmp_path, **given):
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in variables_read() and name != "SIMULATOR_OPTIONS"
    }
    var = str(tmp_path / "var")
    return kept | {"VAR_DIR": var, "SECRET_KEY": KEY, "PORT": "0"} | given


def started(command, tmp_path, **given):
    return subprocess.run(
        command,
        cwd=ROOT,
        env={k: v for k, v in environment(tmp_path, **given).items() if v is not None},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def assert_refused(done, *told):
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    for part in told:
        assert part in line
    assert "Traceback" not in done.stdout


def in_a_file(tmp_path, **_):
    (tmp_path / "file").write_text("")
    return f"{tmp_path / 'file'}/below"


# The setting, its value, what to do about it, and the entries that read it.
CASES = [
    ("VAR_DIR", in_a_file, "name another one", ALL),
    ("VAR_DIR", "/proc/of-the-kernel", "name another one", ALL),
    ("FACILITY_TIME_ZONE", "Mars/Olympus", "America/Chicago", ALL),
    ("FACILITY_TIME_ZONE", "America", "America/Chicago", ("check",)),
    ("FACILITY_TIME_ZONE", "../../etc/passwd", "America/Chicago", ("check",)),
    ("LOG_LEVEL", "loud", "WARNING", ALL),
    ("LOG_FORMAT", "xml", "json", SOME),
    ("DATABASE_URL", "mysql://root@127.0.0.1/dashboard", "postgres://", SOME),
    ("DATABASE_URL", "/srv/dashboard.sqlite3", "sqlite:///", ALL),
    ("DATABASE_URL", "nonsense", "postgres://", ("check",)),
    ("DATABASE_URL", "'postgres://u@127.0.0.1/d'", "postgres://", ("check",)),
    ("DATABASE_URL", "postgres://127.0.0.1", "/name", ("check", "gunicorn")),
    ("DATABASE_URL", "postgres://u:hush#hush@127.0.0.1/d", "%23", SOME),
    ("DATABASE_URL", "postgres://u:hush/hush@127.0.0.1/d", "%2F", ("check",)),
    ("DATABASE_URL", "postgres://u:hush?hush@127.0.0.1/d", "%3F", ("check",)),
    ("DATABASE_URL", "postgres://u:hush[hush@127.0.0.1/d", "%5B", ("check",)),
    ("DATABASE_URL", "postgres://u@127.0.0.1:port/d", ":5432", ("check", "gunicorn")),
    ("DATABASE_URL", "postgres://u@127.0.0.1:70000/d", ":5432", ("check",)),
    ("DATABASE_URL", "sqlite://dashboard.sqlite3", "three slashes", ("check",)),
    ("DATABASE_URL", "sqlite://", "three slashes", SOME),
    ("DATABASE_URL", "sqlite://:memory:", "sqlite:///", ("check", "gunicorn")),
    ("DATABASE_URL", "sqlite:////proc/nowhere/d.sqlite3", "name another", SOME),
    ("DATABASE_URL", "sqlite:////proc", "name another", ("check", "gunicorn")),
    (
        "DATABASE_URL",
        "postgres://u:hush@127.0.0.1:1/d",
        "Check that it is running",
        ("command", "supervisor", "cluster", "make run"),
    ),
    ("REDIS_URL", "cache:6379", "redis://host:6379/0", SOME),
    ("REDIS_URL", "redis://cache:port", "redis://host:6379/0", ("check",)),
    ("SECRET_KEY", None, "python -c", ALL[:-1]),
    ("SECRET_KEY", " ", "python -c", ALL[:-1]),
    ("SECRET_KEY_FILE", "/nowhere/at-all", "can read", ("check", "gunicorn")),
    ("HTTPS", "maybe", "1 or 0", SOME),
    ("DEBUG", "2", "1 or 0", SOME),
    ("QUEUE_WORKERS", "many", "from 1 to 64", SOME),
    ("SESSION_HOURS", "0", "from 1 to", SOME),
    ("ALLOWED_HOSTS", "https://dash.example.com", "without https://", SOME),
    ("ALLOWED_HOSTS", "dash.example.com:8000", "without https://", ("check",)),
    ("CSRF_TRUSTED_ORIGINS", "dash.example.com", "https://", SOME),
    ("REBOOT_BASE_URL", "api.example.com", "https://", SOME),
    ("REBOOT_BASE_URL", "https://[::1", "https://", ("check",)),
    ("SENTRY_DSN", "https://sentry.example.com", "https://key@host/1", SOME),
    ("ALERT_EMAILS", "staff", "staff@example.com", SOME),
    ("EMAIL_PORT", "70000", "65535", SOME),
    ("SHEET_PAPER", "legal", "letter", SOME),
    ("OIDC_CLIENT_ID", "dashboard", "without OIDC_ISSUER", SOME),
    ("OIDC_CLIENT_SECRET", "hush", "without OIDC_ISSUER", ("check",)),
    ("OIDC_ONLY", "1", "without OIDC_ISSUER", ("check",)),
    ("OIDC_ISSUER", "login.example.com", "https://login.example.com", ("check",)),
    ("OIDC_ISSUER", "http://login.example.com", "https", ("check",)),
    ("OIDC_EMAIL_DOMAINS", "@example.com", "such as example.com", ("check",)),
    ("OIDC_TEAM_GROUPS", "blue", "group=Team", ("check",)),
    # gunicorn reads this one before any of our lines.
    ("FORWARDED_ALLOW_IPS", "proxy", "127.0.0.1", (*ALL[:-2], "make run")),
    ("PORT", "abc", "from 1 to 65535", WEB_ONLY),
    ("PORT", "70000", "from 1 to 65535", WEB_ONLY),
    ("BIND_HOST", "no-such-host.invalid", "127.0.0.1", WEB_ONLY),
    ("BIND_HOST", "192.0.2.1", "127.0.0.1", WEB_ONLY),
    ("WEB_THREADS", "none", "from 1 to", WEB_ONLY),
    ("WEB_CONCURRENCY", "0", "from 1 to", WEB_ONLY),
    ("WEB_CONCURRENCY", "many", "from 1 to", WEB_ONLY),
    ("WEB_PATIENCE_SECONDS", "0", "from 1 to 600", WEB_ONLY),
    ("SIMULATOR_OPTIONS", "--players many", "--help", ("make run",)),
    ("SIMULATOR_OPTIONS", "--players '20", "--help", ("make run",)),
]
#: With these every entry shows that it refuses in one line; other cases go through one
#: of their entries in turn, and through all of them at night.
THROUGH_ALL = {"VAR_DIR", "LOG_LEVEL", "SECRET_KEY", "PORT"}


def each_case():
    seen = set()
    for turn, (name, value, advice, entries) in enumerate(CASES):
        chosen = {entries[turn % len(entries)]}
        if name in THROUGH_ALL and name not in seen:
            chosen = set(entries)
        seen.add(name)
        for entry in entries:
            yield pytest.param(
                name,
                value,
                advice,
                entry,
                id=f"{name}={getattr(value, '__name__', value)}-{entry}",
                marks=() if entry in chosen else pytest.mark.nightly,
            )


@pytest.mark.parametrize(("name", "value", "advice", "entry"), list(each_case()))
def test_a_wrong_setting_is_one_line(name, value, advice, entry, tmp_path):
    value = value(tmp_path) if callable(value) else value
    # With a login at the vendor: without one make run starts a simulator first.
    given = {"REBOOT_USERNAME": "someone", "REBOOT_PASSWORD": "of-this-test"}
    if entry in WEB_ONLY:
        given["PORT"] = str(free_port())
    if name.endswith("_FILE"):
        given[name.removesuffix("_FILE")] = ""
    done = started(ENTRIES[entry], tmp_path, **(given | {name: value}))
    assert_refused(done, name, advice)
    assert "hush" not in done.stderr
    if entry == "sync":
        (error,) = json.loads(done.stdout)["errors"]
        assert name in error["message"]


@pytest.mark.parametrize("entry", WEB_ONLY)
def test_a_port_that_is_taken_is_one_line(entry, tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = str(other.getsockname()[1])
        done = started(ENTRIES[entry], tmp_path, PORT=port)
    assert_refused(done, f"PORT {port} is in use", "PORT=")


def without_rights(command):
    """The command as root has it who lost the rights that make them root."""
    if os.geteuid() != 0:
        return command
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv (util-linux) to take root's rights away")
    lost = "-net_bind_service,-dac_override,-dac_read_search"
    return ["setpriv", "--bounding-set", lost, *command]


@pytest.mark.parametrize("entry", WEB_ONLY)
def test_a_port_that_needs_rights_is_one_line(entry, tmp_path):
    kernel = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if int(kernel.read_text()) <= 80:
        pytest.skip("this kernel gives low ports to everybody")
    done = started(without_rights(ENTRIES[entry]), tmp_path, PORT="80")
    assert_refused(done, "PORT 80 needs rights", "Set PORT to 8000")


@pytest.mark.parametrize("entry", ["check", "gunicorn", "make run"])
def test_a_folder_without_rights_is_one_line(entry, tmp_path):
    (tmp_path / "var").mkdir(mode=0o500)
    done = started(without_rights(ENTRIES[entry]), tmp_path, PORT=str(free_port()))
    assert_refused(done, "VAR_DIR", "Permission denied", "name another one")


@pytest.mark.parametrize("entry", ["check", "gunicorn", "make run"])
def test_a_database_without_rights_is_one_line(entry, tmp_path):
    database = tmp_path / "own.sqlite3"
    database.touch(mode=0o400)
    given = {"PORT": str(free_port()), "DATABASE_URL": f"sqlite:///{database}"}
    done = started(without_rights(ENTRIES[entry]), tmp_path, **given)
    assert_refused(done, "DATABASE_URL", "name another one")


@pytest.mark.parametrize("entry", ["supervisor", "cluster"])
def test_a_worker_without_tables_is_one_line(entry, tmp_path):
    assert_refused(
        started(ENTRIES[entry], tmp_path), "DATABASE_URL", "manage.py migrate"
    )


def test_a_command_without_tables_is_one_line(tmp_path):
    command = [PYTHON, "manage.py", "register_schedules"]
    assert_refused(started(command, tmp_path), "manage.py migrate")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"SENTRY_DSN": "https://key@sentry.example.com/not-a-number"}, "SENTRY_DSN"),
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
    ],
    ids=["Sentry", "key"],
)
def test_wsgi_for_another_server_is_one_line(given, told, tmp_path):
    done = started([PYTHON, "-c", "import reboot_site.wsgi"], tmp_path, **given)
    assert done.returncode == 4
    (line,) = done.stderr.splitlines()
    assert told in line


@pytest.mark.parametrize(
    "arguments",
    [("--players", "many"), ("--scenario", "unknown"), ("--port", "70000")],
)
def test_a_wrong_option_of_the_simulator_is_one_line(arguments, tmp_path):
    done = started([PYTHON, "-m", "simulator", *arguments], tmp_path)
    assert_refused(done, arguments[0].strip("-"))


def settings_read(tmp_path, *, entry="gunicorn", **given):
    """What the settings are, after what the entry does before it reads them."""
    prepare = "from scripts import run; run.prepare_environment();"
    code = f"""import json
{prepare if entry == "make run" else ""}
from reboot_site import gunicorn, settings as s
print(json.dumps([s.HTTPS, s.DEBUG, s.SESSION_COOKIE_AGE, s.LOG_LEVEL, s.TIME_ZONE,
    str(s.VAR_DIR), s.ALLOWED_HOSTS, gunicorn.bind, gunicorn.workers]))"""
    done = started([PYTHON, "-c", code], tmp_path, **given)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("entry", ["gunicorn", "make run"])
@pytest.mark.parametrize("nothing", ["", "  ", "\r"])
def test_an_empty_setting_means_the_default(entry, nothing, tmp_path):
    unset = dict.fromkeys(variables_read(), None)
    free = {"VAR_DIR": str(tmp_path), "SECRET_KEY": KEY}
    empty = dict.fromkeys(variables_read(), nothing)
    plain = settings_read(tmp_path, entry=entry, **(unset | free))
    assert settings_read(tmp_path, entry=entry, **(empty | free)) == plain
    assert plain[0] is (entry == "gunicorn")
    assert plain[-1] == 2


def test_blanks_around_a_value_do_not_count(tmp_path):
    given = {"HTTPS": "0\r", "LOG_LEVEL": " warning ", "WEB_CONCURRENCY": "3\r"}
    given |= {"FACILITY_TIME_ZONE": "America/Chicago\r", "PORT": str(free_port())}
    found = settings_read(tmp_path, **given)
    assert (found[0], found[3], found[4], found[-1]) == (
        False,
        "WARNING",
        "America/Chicago",
        3,
    )


@pytest.mark.parametrize(
    ("bind", "seen"),
    [
        ("127.0.0.1:8000", "localhost:8000"),
        ("0.0.0.0:8000", "localhost:8000"),
        ("[::]:8000", "[::1]:8000"),
        ("[fd00::7]:8010", "[fd00::7]:8010"),
        ("192.0.2.7:8000", "192.0.2.7:8000"),
    ],
)
def test_make_run_prints_an_address_that_a_browser_takes(bind, seen):
    from scripts.run import seen_at

    assert seen_at(bind) == seen


@pytest.mark.parametrize("host", ["::", "[::]", "::1", "[::1]"])
def test_an_ipv6_host_gets_its_brackets(host, tmp_path):
    port = str(free_port())
    found = settings_read(tmp_path, BIND_HOST=host, PORT=port)
    assert found[-2] == f"[{host.strip('[]')}]:{port}"


def test_relative_folders_are_below_the_product(tmp_path):
    """A command that is started elsewhere means the same folder."""
    code = "from reboot_site import settings as s; print(s.VAR_DIR, s.BACKUP_DIR,"
    code += " s.DATABASES['default']['NAME'])"
    given = {"VAR_DIR": "var", "BACKUP_DIR": "var/kept", "PYTHONPATH": str(ROOT)}
    given["DATABASE_URL"] = "sqlite:///var/own.sqlite3"
    done = subprocess.run(
        [PYTHON, "-c", code],
        cwd=tmp_path,
        env=environment(tmp_path, **given),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [
        str(ROOT / "var"),
        str(ROOT / "var" / "kept"),
        str(ROOT / "var" / "own.sqlite3"),
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("given", "workers"), [("", 2), (" 3 ", 3), (None, 2)])
def test_the_procfile_starts_as_many_processes_as_were_asked_for(
    given, workers, tmp_path
):
    done = started(
        ["sh", "-c", f"{WEB} --print-config"],
        tmp_path,
        WEB_CONCURRENCY=given,
        PORT=str(free_port()),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(rf"^workers += {workers}$", done.stdout, re.MULTILINE)


def test_a_reload_does_not_take_its_own_port_for_taken(tmp_path):
    port = free_port()
    given = environment(tmp_path, PORT=str(port), BIND_HOST="127.0.0.1")
    given |= {"WEB_CONCURRENCY": "1", "HTTPS": "0"}
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(["sh", "-c", WEB], cwd=ROOT, env=given, stderr=log)
    try:
        wait_until_listening(port)
        server.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 30
        while "Hang up" not in (tmp_path / "log").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        wait_until_listening(port)
        assert server.poll() is None
    finally:
        server.terminate()
        server.wait(40)
    assert "A setting is wrong" not in (tmp_path / "log").read_text()


def wait_until_listening(port):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError("nothing listens")
