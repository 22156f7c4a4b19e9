"""The queue calls what the product registers: in the administration and past it."""

from __future__ import annotations

import ast
import logging
import pydoc
from datetime import timedelta
from multiprocessing import Value
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import Failure, OrmQ, Schedule, Success, Task
from django_q.monitor import monitor
from django_q.scheduler import scheduler
from django_q.signing import SignedPackage
from django_q.tasks import async_task
from django_q.worker import worker

from accounts.models import AuditEntry
from syncing import schedules
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
SWEEP = "syncing.tasks.sweep_task"


def work() -> None:
    """What the processes of a cluster do in turn, until nothing waits in the queue.

    Only the queue's own connections are left as they are: each of its processes
    closes those that it was forked with.
    """
    for _ in range(5):
        if not OrmQ.objects.exists():
            return
        # A process of its own has its broker; the sign of life is left out.
        broker = get_broker()
        broker._beats_at = float("inf")
        waiting: Queue[Any] = Queue()
        for ack_id, package in broker.dequeue():
            waiting.put({**SignedPackage.loads(package), "ack_id": ack_id})
        waiting.put("STOP")
        done: Queue[Any] = Queue()
        worker(waiting, done, Value("f", -1))  # type: ignore[arg-type]
        done.put("STOP")
        monitor(done, broker)  # type: ignore[arg-type]
    assert not OrmQ.objects.exists()


def schedule(**fields: Any) -> Schedule:
    """A row as somebody writes it who is past the administration."""
    due = {"next_run": timezone.now() - timedelta(minutes=1), "schedule_type": "O"}
    return Schedule.objects.create(**{"repeats": -1, **due, **fields})


def test_a_row_that_calls_the_shell_is_refused_with_a_clear_line(tmp_path, caplog):
    mark = tmp_path / "mark"
    schedule(name="x", func="os.system", args=f"'touch {mark}'")
    schedule(name="good", func=SWEEP)
    with caplog.at_level(logging.ERROR, "reboot_site"):
        scheduler()
        work()

    assert not mark.exists()
    assert "the function os.system, which it is not allowed to" in caplog.text
    failed = Failure.objects.get()
    assert "os.system" in failed.result
    # One bad row stops no other schedule.
    assert Success.objects.get().func == SWEEP


@pytest.mark.parametrize(
    "options",
    [
        {"sync": True},
        {"hook": "os.system"},
        {"chain": [("os.system", ("touch {mark}",))]},
        {"chain": [("os.system", ("touch {mark}",), {"sync": True})]},
    ],
)
@pytest.mark.parametrize("func", ["os.system", SWEEP])
def test_orders_among_the_arguments_do_not_help(func, options, tmp_path):
    mark = tmp_path / "mark"
    text = repr({"q_options": options}).replace("{mark}", str(mark))
    args = f"'touch {mark}'" if func == "os.system" else None
    schedule(name="x", func=func, args=args, kwargs=text)
    scheduler()
    # Not in the scheduler's own process either.
    assert not Task.objects.exists()
    work()
    assert not mark.exists()


def test_a_hook_is_refused():
    schedule(name="x", func=SWEEP, hook="os.system")
    scheduler()
    work()
    assert "the hook os.system, which" in Failure.objects.get().result


def test_a_result_calls_no_hook_whoever_wrote_it(capsys):
    now = timezone.now()
    Task.objects.create(
        id="a" * 32,
        name="x",
        func=SWEEP,
        hook="builtins.print",
        started=now,
        stopped=now,
    )
    assert capsys.readouterr().out == ""


def test_a_package_that_another_release_had_put_there_is_refused(tmp_path):
    mark = tmp_path / "mark"
    package = SignedPackage.dumps(
        {
            "id": "c" * 32,
            "name": "x",
            "func": "os.system",
            "args": (f"touch {mark}",),
            "kwargs": {},
            "started": timezone.now(),
        }
    )
    get_broker().enqueue(package)
    work()
    assert not mark.exists()
    assert "os.system" in Failure.objects.get().result


def test_a_function_itself_is_no_way_around_its_name():
    async_task(pydoc.locate("os.system"), "true")
    assert OrmQ.objects.get().task["func"] == "reboot_site.queuerules.refuse"


def enqueued_in_the_source() -> set[str]:
    """Names that the product's code gives to the queue."""
    names = {plan.func for plan in schedules.PLANS}
    for path in ROOT.glob("*/**/*.py"):
        if path.relative_to(ROOT).parts[0] in {"tests", "benchmarks", ".venv", "var"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", "") == "async_task"
                and isinstance(node.args[0], ast.Constant)
            ):
                names.add(str(node.args[0].value))
    return names


def test_the_list_is_what_the_product_calls_and_all_of_it_is_there():
    assert set(settings.QUEUE_MAY_CALL) == enqueued_in_the_source()
    for name in settings.QUEUE_MAY_CALL:
        assert callable(pydoc.locate(name)), name


# --- The administration ---------------------------------------------------------------


def logged_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def superuser() -> Client:
    return logged_in(factories.make_superuser())


@pytest.fixture
def staff() -> Client:
    return logged_in(factories.make_staff())


def sent(**changes: Any) -> dict[str, Any]:
    at = timezone.localtime() + timedelta(hours=1)
    fields = {
        "name": "mine",
        "func": SWEEP,
        "schedule_type": "D",
        "repeats": -1,
        "next_run_0": at.strftime("%Y-%m-%d"),
        "next_run_1": at.strftime("%H:%M:%S"),
    }
    return fields | changes


def test_a_superuser_adds_a_schedule_of_a_listed_function(superuser):
    path = "/admin/django_q/schedule/add/"
    assert superuser.post(path, sent(kwargs="{'full': True}")).status_code == 302
    added = Schedule.objects.get()
    assert (added.func, added.kwargs, added.hook) == (SWEEP, "{'full': True}", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"func": "os.system"},
        {"func": "reboot_site.queuerules.refuse"},
        {"func": ""},
        {"args": "__import__('os')"},
        {"args": "("},
        {"args": "(" * 5000},
        {"kwargs": "[1]"},
        {"kwargs": "x=1"},
        {"kwargs": "{'q_options': {'sync': True}}"},
        {"kwargs": "{'hook': 'os.system'}"},
        {"kwargs": "{'chain': [('os.system', ('id',))]}"},
        {"next_run_0": "0001-01-01"},
        {"next_run_0": "9999-12-31"},
        {"name": "Sync every day"},
        # The scheduler could not tell when that is, and would stop at it.
        {"schedule_type": "I", "minutes": "99999999999"},
        {"schedule_type": "D", "minutes": "99999999999"},
        {"schedule_type": "I", "minutes": "0"},
        {"schedule_type": "I", "minutes": ""},
        {"schedule_type": "C", "cron": "0 0 31 2 *"},
        {"schedule_type": "C", "cron": ""},
    ],
)
def test_a_superuser_cannot_have_anything_else_called(changes, superuser):
    schedules.register()
    before = Schedule.objects.count()
    answer = superuser.post("/admin/django_q/schedule/add/", sent(**changes))
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert Schedule.objects.count() == before


def test_a_hook_that_is_sent_is_not_kept(superuser):
    superuser.post("/admin/django_q/schedule/add/", sent(hook="os.system"))
    assert Schedule.objects.get().hook is None


@pytest.mark.parametrize("who", ["staff", "superuser"])
def test_of_a_schedule_of_the_product_the_times_are_changed(who, request):
    schedules.register()
    client = request.getfixturevalue(who)
    daily = Schedule.objects.get(name="Sync every day")
    path = f"/admin/django_q/schedule/{daily.pk}/change/"
    page = client.get(path)
    assert page.status_code == 200
    called = {"func": "syncing.tasks.prune_task", "name": "x", "args": "1", "hook": "y"}
    more = {"schedule_type": "C", "cron": "15 22 * * *", "kwargs": "{'a': 1}"}
    if who == "staff":
        more["repeats"] = "0"
    answer = client.post(path, sent(**called, **more))
    assert answer.status_code == 302
    changed = Schedule.objects.get(pk=daily.pk)
    assert changed.cron == "15 22 * * *"
    for name in ("name", "func", "args", "kwargs", "hook", "repeats", "cluster"):
        assert getattr(changed, name) == getattr(daily, name), name
    entry = AuditEntry.objects.get(subject_type="django_q.schedule")
    assert (entry.subject_id, "cron" in entry.detail["fields"]) == (daily.pk, True)


def test_each_schedule_of_the_product_opens_for_staff(staff):
    schedules.register()
    for row in Schedule.objects.all():
        page = staff.get(f"/admin/django_q/schedule/{row.pk}/change/")
        assert page.status_code == 200
        assert 'name="schedule_type"' in page.content.decode(), row.name
        assert 'name="func"' not in page.content.decode(), row.name


def test_staff_only_look_at_other_schedules(staff):
    row = schedule(name="mine", func=SWEEP)
    # Named as one of the product, and another function.
    other = schedule(name="Sync every day", func=SWEEP)
    for pk in (row.pk, other.pk):
        path = f"/admin/django_q/schedule/{pk}/change/"
        page = staff.get(path)
        assert (page.status_code, "_save" in page.content.decode()) == (200, False)
        assert staff.post(path, sent()).status_code == 403
        assert staff.post(f"/admin/django_q/schedule/{pk}/delete/").status_code == 403
    assert staff.get("/admin/django_q/schedule/add/").status_code == 403


def finished(func: str, **fields: Any) -> Task:
    now = timezone.now()
    return Task.objects.create(
        id=fields.pop("id"), func=func, name="x", started=now, stopped=now, **fields
    )


@pytest.mark.parametrize("kind", ["success", "failure"])
def test_finished_tasks_are_queued_again_if_the_queue_may_call_them(kind, superuser):
    is_good = kind == "success"
    rows = [
        finished(SWEEP, id="1" * 32, success=is_good),
        finished("os.system", id="2" * 32, success=is_good, args=("true",)),
        finished(SWEEP, id="3" * 32, success=is_good, hook="os.system"),
    ]
    answer = superuser.post(
        f"/admin/django_q/{kind}/",
        {"action": "submit_again", "_selected_action": [row.pk for row in rows]},
        follow=True,
    )
    assert [row.func() for row in OrmQ.objects.all()] == [SWEEP]
    assert "allowed to call these: os.system, " in answer.content.decode()
    assert Task.objects.filter(pk=rows[0].pk).exists() is is_good
    assert Task.objects.filter(pk=rows[1].pk).exists()
