"""Log lines: their form, what joins them, and what never stands in them."""

import json
import logging
import multiprocessing
import queue
import re
import traceback

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.models import Task
from django_q.monitor import monitor
from django_q.worker import worker

from reboot_site import logs
from reboot_site.logs import JsonFormatter, LineFormatter, redact
from syncing.reader.errors import ExportFileError
from tests import factories

LINK = (
    "https://bucket.s3.amazonaws.com/org/file.csv.gz"
    "?X-Amz-Credential=AKIA123&X-Amz-Signature=abcdef0123456789&X-Amz-Expires=60"
)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"GET {LINK} failed", "abcdef0123456789"),
        ("GET /players?search=Aldertree HTTP/1.1", "Aldertree"),
        ("Authorization: Bearer swd_0123456789abcdef", "swd_0123456789abcdef"),
        ("headers {'Authorization': 'Basic dXNlcjpwYXNz'}", "dXNlcjpwYXNz"),
        ("sent with bearer swd_0123456789abcdef", "swd_0123456789abcdef"),
        ("{'x-api-key': 'key-0123456789'}", "key-0123456789"),
        ('{"access_token": "tok-0123456789"}', "tok-0123456789"),
        ("password=correct-horse", "correct-horse"),
        ("postgres://user:hunter2@db/name", "hunter2"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln here", "eyJzdWIiOiIxIn0"),
        ("Internal Server Error: /accounts/reset/MQ/set-abc123/", "set-abc123"),
        ("Cookie: sessionid=0123456789abcdef", "0123456789abcdef"),
        ("DETAIL:  Failing row contains (7, Ada (Jr) Aldertree, null).", "Aldertree"),
        ("DETAIL:  Key (lower(name), id)=(aldertree (jr) a, 1) exists.", "aldertree"),
    ],
)
def test_redact_takes_out_what_opens_a_door(text, secret):
    assert secret in text
    assert secret not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "run 12: job 7: stored",
        "movement 4: frames are missing, is that right? yes",
        "GET /athletes/<int:pk>/ 200 12.3 ms",
        "https://api.example/session/abc answered 502",
    ],
)
def test_redact_leaves_plain_lines_alone(text):
    assert redact(text) == text


@pytest.mark.django_db
def test_refused_row_is_told_without_its_values():
    player = factories.make_player(last_name="Aldertree", org_player_id="Bo-Aldertree")
    try:
        with transaction.atomic():
            factories.make_player(last_name="Aldertree", org_player_id="Bo-Aldertree")
    except IntegrityError as error:
        text = redact(f"{type(error).__name__}: {error}")
    assert player.last_name not in text
    assert "org_player_id" in text


@pytest.fixture
def written(request):
    """A logger with the product's filters; gives the lines that came out."""
    lines = []

    class Collect(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    handler = Collect()
    handler.addFilter(logs.RequestIdFilter())
    handler.addFilter(logs.RedactingFilter())
    handler.setFormatter(getattr(request, "param", JsonFormatter)())
    logger = logging.getLogger("tests.logs")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield logger, lines
    logger.removeHandler(handler)


def test_json_line_carries_ids_and_no_secret_of_arguments_extras_or_tracebacks(written):
    logger, lines = written
    try:
        raise ValueError(f"could not fetch {LINK}")
    except ValueError:
        logger.exception(
            "job %s: %s", 7, LINK, extra={"run_id": 3, "job_id": 7, "url": LINK}
        )
    line = json.loads(lines[0])
    assert (line["level"], line["logger"]) == ("ERROR", "tests.logs")
    assert (line["run_id"], line["job_id"]) == (3, 7)
    assert line["message"].startswith("job 7: https://bucket.s3.amazonaws.com/org/file")
    assert "ValueError" in line["exception"]
    assert "abcdef0123456789" not in lines[0]
    assert "\n" not in lines[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["time"])


def test_what_libraries_quote_is_in_no_line(written):
    logger, lines = written
    last_name = "Aldertree"
    try:
        float(last_name)
    except ValueError as error:
        logger.exception("a job failed")
        logger.error("a job failed: %s", error)
        logger.error(error)
        logger.error("a process failed:\n%s", traceback.format_exc())
    assert len(lines) == 4
    for line in lines:
        assert "could not convert string to float: '[hidden]'" in line
        assert "Aldertree" not in line
    for line in (lines[0], lines[3]):
        assert "float(last_name)" in line


def test_quotes_of_code_and_of_our_own_messages_stay(written):
    logger, lines = written
    try:
        raise ExportFileError("no_rows", "Column 'time' is empty.")
    except ExportFileError as error:
        logger.exception("a file was refused: %s", error)
    line = json.loads(lines[0])
    assert line["message"] == "a file was refused: Column 'time' is empty."
    assert (
        """raise ExportFileError("no_rows", "Column 'time' is empty.")"""
        in (line["exception"])
    )
    assert line["exception"].endswith("ExportFileError: Column '[hidden]' is empty.")


@pytest.mark.django_db(transaction=True)
def test_failed_task_is_kept_without_the_values_that_it_quotes():
    tasks, results = queue.Queue(), queue.Queue()
    tasks.put(
        {
            "id": "7" * 32,
            "name": "a task",
            "func": "builtins.float",
            "args": ("Aldertree",),
            "kwargs": {},
            "started": timezone.now(),
        }
    )
    tasks.put("STOP")
    worker(tasks, results, multiprocessing.Value("f", -1))
    results.put("STOP")
    monitor(results)
    kept = Task.objects.get(success=False)
    assert kept.result.startswith("could not convert string to float: '[hidden]' : ")
    assert kept.result.rstrip().endswith("float: '[hidden]'")
    assert "in worker" in kept.result
    assert "Aldertree" not in kept.result


@pytest.mark.parametrize("written", [LineFormatter], indirect=True)
def test_text_line_names_the_request_before_the_traceback(written):
    logger, lines = written
    mark = logs.request_id.set("req-1")
    try:
        raise ValueError("broken")
    except ValueError:
        logger.exception("oh")
    finally:
        logs.request_id.reset(mark)
    first, *rest = lines[0].splitlines()
    assert first.endswith("ERROR tests.logs oh request=req-1")
    assert rest[-1] == "ValueError: broken"


def test_configuration_sends_lines_of_django_and_the_queue_through_the_filters():
    found = logs.configuration(form="json", level="INFO")
    assert found["handlers"]["console"]["filters"] == [
        *("request_id", "refusals", "redact")
    ]
    assert found["root"]["handlers"] == ["console"]
    own = {name: entry.get("handlers", []) for name, entry in found["loggers"].items()}
    assert set(map(tuple, own.values())) == {()}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "host",
    ["elsewhere.example", "bad\nhost\x1b[2J\u202e", "x" * 5000],
    ids=["wrong", "control characters", "long"],
)
def test_a_wrong_host_is_one_short_warning(client, host, capsys):
    console = logs.configuration(form="line", level="INFO")["handlers"]["console"]
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter())
    known = {"request_id": logs.RequestIdFilter, "redact": logs.RedactingFilter}
    known["refusals"] = logs.RefusedRequestFilter
    for name in console["filters"]:
        handler.addFilter(known[name]())
    logger = logging.getLogger("django.security")
    logger.addHandler(handler)
    try:
        answer = client.get("/accounts/login/", HTTP_HOST=host)
    finally:
        logger.removeHandler(handler)
    written = capsys.readouterr().err
    lines = written.splitlines()
    assert answer.status_code == 400
    assert len(lines) == 1, written
    assert " WARNING django.security.DisallowedHost A request was refused: " in lines[0]
    assert "Invalid HTTP_HOST header" in lines[0]
    assert lines[0].isprintable()
    assert len(lines[0]) < 400


# --- Requests -------------------------------------------------------------------


def request_lines(caplog):
    return [r for r in caplog.records if r.name == "reboot_site.requestlog"]


@pytest.mark.django_db
def test_request_line_has_pattern_status_time_and_user_but_no_query(client, caplog):
    user = factories.make_superuser()
    client.force_login(user)
    player = factories.make_player(last_name="Aldertree")
    with caplog.at_level(logging.INFO, logger="reboot_site.requestlog"):
        answer = client.get(
            f"/players/{player.pk}?x=Aldertree", headers={"X-Request-ID": "abc-1"}
        )
    assert answer["X-Request-ID"] == "abc-1"
    (line,) = request_lines(caplog)
    assert (line.method, line.status) == ("GET", 200)
    assert line.route == "/players/<id>"
    assert line.user_id == user.pk
    assert line.ms > 0
    assert "Aldertree" not in line.getMessage()


@pytest.mark.django_db
def test_a_line_joins_the_request_with_the_run_that_it_asked_for(client):
    lines = []

    class Collect(logging.Handler):
        def emit(self, record):
            lines.append(json.loads(self.format(record)))

    handler = Collect()
    handler.setFormatter(JsonFormatter())
    handler.addFilter(logs.RequestIdFilter())
    logger = logging.getLogger("syncing.services")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    headers = factories.make_token(scope="sync") | {"X-Request-ID": "abc-2"}
    try:
        first = client.post("/sync/trigger", headers=headers).json()["sync_id"]
        client.post("/sync/trigger", headers=headers)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert [(line["request_id"], line["run_id"]) for line in lines] == [
        ("abc-2", first),
        ("abc-2", first),
    ]
    assert lines[0]["message"] == f"Sync run {first} was requested."
    again = f"Sync run {first} was requested again; it is already running."
    assert lines[1]["message"] == again


@pytest.mark.django_db
def test_request_line_of_a_program_names_its_token(client, caplog):
    factories.make_superuser()
    with caplog.at_level(logging.INFO, logger="reboot_site.requestlog"):
        answer = client.get("/players", headers=factories.make_token())
    assert answer.status_code == 200
    (line,) = request_lines(caplog)
    assert isinstance(line.token_id, int)
    assert not hasattr(line, "user_id")


@pytest.mark.parametrize("given", ["", "two words", "x" * 65, "a\tb", '{"a":1}'])
@pytest.mark.django_db
def test_request_id_of_a_stranger_is_taken_only_when_plain(client, given):
    answer = client.get("/health/live", headers={"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])


@pytest.mark.django_db
def test_unknown_path_is_logged_without_the_path(client, caplog):
    with caplog.at_level(logging.INFO, logger="reboot_site.requestlog"):
        client.get("/somebody/Aldertree/")
    (line,) = request_lines(caplog)
    assert (line.route, line.status) == ("none", 404)
