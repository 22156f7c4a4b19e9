"""Results of the queue's tasks are read only where this product has signed them."""

import base64
import os
import pickle
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import Failure, Task

from syncing.queueresults import UNREADABLE
from tests import factories
from tests.reboot_site.test_cache import Hostile

pytestmark = pytest.mark.django_db


def make_task(**values):
    now = timezone.now()
    given = {
        "id": os.urandom(16).hex(),
        "name": "a task",
        "func": "syncing.tasks.prune_task",
        "started": now - timedelta(seconds=1),
        "stopped": now,
        "success": False,
    }
    return Task.objects.create(**given | values)


def test_what_a_task_left_comes_back():
    values = {"args": (1, "two", None), "kwargs": {"at": timezone.now()}, "result": 3}
    stored = make_task(**values)
    found = Task.objects.get(pk=stored.pk)
    assert {name: getattr(found, name) for name in values} == values
    assert make_task(args=None).args is None


def test_a_pickle_in_the_table_is_not_run(client, tmp_path):
    """Not when staff look at what failed, nor when an athlete is forgotten."""
    target = tmp_path / "executed"
    task = make_task(result="fine")
    text = base64.b64encode(pickle.dumps(Hostile(target))).decode()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE django_q_task SET args = %s, kwargs = %s, result = %s", [text] * 3
        )
    client.force_login(factories.make_superuser())
    shown = client.get("/admin/django_q/failure/")
    assert shown.status_code == 200
    assert UNREADABLE in shown.content.decode()
    assert client.get(f"/admin/django_q/failure/{task.pk}/change/").status_code == 200
    assert Failure.objects.get().result == UNREADABLE
    assert not target.exists()
