"""Processes that read files and compute numbers for a run."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from django.utils import timezone

from athletes.frames.unpacking import unpack
from athletes.models import BiomechanicsData, Movement, MovementCurves, SessionMetric
from syncing.choices import JobState, RunStatus
from syncing.engine import readers as module
from syncing.engine.downloads import DownloadedFile
from syncing.engine.readers import ProcessDiedError, ReaderProcesses
from syncing.engine.wire import receive, send
from syncing.models import ExportJob
from syncing.reader.errors import ExportFileError
from syncing.reader.limits import ReadLimits
from syncing.reader.packing import read_and_pack
from tests.database_reset import empty_database
from tests.syncing.conftest import FAST
from tests.syncing.reader.tables import as_parquet, frames, stacked

pytestmark = pytest.mark.processes

IK = "inverse-kinematics"
IN_PROCESSES = dataclasses.replace(FAST, processes_from=1)
WAIT_S = 60


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(condition, what):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def go_on():
    """What a run that is not to end asks itself."""


@pytest.fixture
def two():
    processes = ReaderProcesses(2, check=go_on)
    yield processes
    processes.close()


@pytest.fixture(scope="module")
def export():
    """A file of two swings, as the vendor would send it."""
    return as_parquet(stacked(frames("IMG-1-0001"), frames("IMG-1-0002", seed=2)))


def test_a_process_reads_what_a_thread_reads(two, export, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(export)
    limits = ReadLimits()
    here = read_and_pack(
        BytesIO(export), data_type=IK, known_movement_id=None, limits=limits
    )
    with path.open("rb") as opened:
        (sent, handed_over) = two.read(
            [
                DownloadedFile(BytesIO(export), len(export), ""),
                # Larger than what is sent, as far as the caller says.
                DownloadedFile(opened, module._SENT_BYTES + 1, ""),
            ],
            data_type=IK,
            limits=limits,
        )

    assert sent == here
    assert handed_over == here
    assert len(here.movements) == 2
    assert "lhjc_x" in unpack(here.movements[0].frames.data)


def test_a_refused_file_is_refused_with_its_reason(two):
    with pytest.raises(ExportFileError) as refused:
        two.read(
            [DownloadedFile(BytesIO(b"<html>"), 6, "")],
            data_type=IK,
            limits=ReadLimits(),
        )

    assert refused.value.code == "html_instead_of_data"


def test_a_process_that_dies_costs_its_file_and_is_replaced(two, export):
    before = two.pids
    outcomes = []

    def read():
        try:
            two.read(
                [DownloadedFile(BytesIO(export), len(export), "")],
                data_type=IK,
                limits=ReadLimits(),
            )
            outcomes.append("read")
        except ProcessDiedError:
            outcomes.append("died")

    # One by each, so that both have started.
    read()
    read()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    read()
    read()
    read()

    assert outcomes == ["read", "read", "died", "died", "read"]
    assert len(two.pids) == 2
    assert set(two.pids).isdisjoint(before)


def test_a_process_that_did_not_start_is_done_without(export):
    one = ReaderProcesses(2, check=lambda: None)
    for pid in one.pids:
        os.kill(pid, signal.SIGKILL)
    try:
        (result,) = one.read(
            [DownloadedFile(BytesIO(export), len(export), "")],
            data_type=IK,
            limits=ReadLimits(),
        )

        assert len(result.movements) == 2
        assert one.pids == []
    finally:
        one.close()


def test_who_waits_for_a_process_that_does_not_start_is_woken(export):
    one = ReaderProcesses(1, check=lambda: None)
    (pid,) = one.pids
    os.kill(pid, signal.SIGSTOP)
    found = []

    def read():
        (result,) = one.read(
            [DownloadedFile(BytesIO(export), len(export), "")],
            data_type=IK,
            limits=ReadLimits(),
        )
        found.append(len(result.movements))

    threads = [threading.Thread(target=read, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)  # One waits for its start by now, the others for that one.
    os.kill(pid, signal.SIGKILL)
    try:
        for thread in threads:
            thread.join(30)
        assert found == [2, 2, 2]
    finally:
        one.close()


def test_no_process_outlives_its_parent(tmp_path):
    code = (
        "import sys, time\n"
        "from syncing.engine.readers import ReaderProcesses\n"
        "processes = ReaderProcesses(2, check=lambda: None)\n"
        "print(*processes.pids, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    )
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    assert all(alive(pid) for pid in pids)

    parent.kill()
    parent.communicate()

    wait_for(lambda: not any(alive(pid) for pid in pids), "a process was left behind")


def test_closing_ends_processes_and_frees_who_waits(export):
    class Stopped(BaseException):
        pass

    stop = threading.Event()

    def check():
        if stop.is_set():
            raise Stopped

    processes = ReaderProcesses(1, check=check)
    pids = processes.pids
    ended = []

    def work():
        try:
            while True:
                processes.read(
                    [DownloadedFile(BytesIO(export), len(export), "")],
                    data_type=IK,
                    limits=ReadLimits(),
                )
        except Stopped:
            ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    stop.set()
    processes.close()
    thread.join(WAIT_S)

    assert ended == [True]
    assert not any(alive(pid) for pid in pids)


def test_without_processes_the_work_is_done_here(export):
    none = ReaderProcesses(0, check=go_on)

    (result,) = none.read(
        [DownloadedFile(BytesIO(export), len(export), "")],
        data_type=IK,
        limits=ReadLimits(),
    )

    assert len(result.movements) == 2


def test_a_process_that_cannot_start_is_done_without(export, monkeypatch):
    # As on a host that lets no program be started.
    monkeypatch.setattr(sys, "executable", "/bin/false")
    processes = ReaderProcesses(2, check=go_on)

    (result,) = processes.read(
        [DownloadedFile(BytesIO(export), len(export), "")],
        data_type=IK,
        limits=ReadLimits(),
    )

    assert len(result.movements) == 2
    assert processes.pids == []


def test_a_process_knows_no_secret(two, export, monkeypatch):
    two.read(
        [DownloadedFile(BytesIO(export), len(export), "")],
        data_type=IK,
        limits=ReadLimits(),
    )
    for pid in two.pids:
        names = {
            entry.partition(b"=")[0].decode()
            for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            if entry
        }
        assert names <= {
            *module._ENVIRONMENT,
            *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "LC_CTYPE"),
        }


def test_a_message_arrives_whole_with_its_files(tmp_path):
    one, other = socket.socketpair()
    path = tmp_path / "file"
    path.write_bytes(b"content")
    large = os.urandom(3_000_000)
    with one, other, path.open("rb") as opened:
        sender = threading.Thread(
            target=send, args=(one, {"large": large}, [opened.fileno()])
        )
        sender.start()
        message, (number,) = receive(other)
        sender.join()
        with os.fdopen(number, "rb") as received:
            assert received.read() == b"content"
        assert message == {"large": large}
        one.close()
        with pytest.raises(EOFError):
            receive(other)


def stored():
    """Everything that reading and computing leave behind, without ids and times."""
    session = "movement__session__session_id"
    name = "movement__org_movement_id"
    tables = {
        "frames": BiomechanicsData.objects.values_list(
            session, name, "data_type", "content_sha256", "repairs"
        ),
        "numbers": Movement.objects.values_list(
            *("session__session_id", "org_movement_id", "position", "side"),
            *("metrics", "events", "quality_reasons"),
        ),
        "curves": (
            (*row, bytes(data))
            for *row, data in MovementCurves.objects.values_list(session, name, "data")
        ),
        "means": SessionMetric.objects.values_list(
            "session__session_id", "metric", "basis", "n", "mean", "sd"
        ),
    }
    return {key: sorted(rows, key=repr) for key, rows in tables.items()}


def assert_same(one, other):
    """Equal; numbers within 1e-9 of themselves.

    Wide registers sum in an order that depends on where an array lies in memory, so
    the last digit may differ between processes.
    """
    if isinstance(one, float) and isinstance(other, float):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-12)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for its, others in zip(one, other, strict=True):
            assert_same(its, others)
    else:
        assert one == other


@pytest.mark.django_db(transaction=True)
def test_run_with_processes_stores_what_one_without_stores(
    start_vendor, run_sync, settings
):
    start_vendor(sessions=4)
    settings.SYNC_PROCESSES = 2
    log = run_sync(tempo=IN_PROCESSES)
    assert (log.status, log.error_count) == (RunStatus.SUCCESS, 0)
    with_processes = stored()
    assert all(with_processes.values())

    empty_database()
    settings.SYNC_PROCESSES = 0
    assert run_sync().status == RunStatus.SUCCESS
    assert_same(stored(), with_processes)


@pytest.mark.django_db(transaction=True)
def test_run_whose_processes_keep_dying_stores_the_rest_and_tells(
    start_vendor, run_sync, settings
):
    start_vendor(sessions=1, players=2, scenario="plain")
    settings.SYNC_PROCESSES = 1
    ended = threading.Event()

    def kill_children():
        mine = Path(f"/proc/{os.getpid()}/task")
        while not ended.is_set():
            for children in mine.glob("*/children"):
                with suppress(OSError):
                    for pid in children.read_text().split():
                        command = Path(f"/proc/{pid}/cmdline").read_bytes()
                        if b"syncing.engine.reader_child" in command:
                            os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.01)

    killer = threading.Thread(target=kill_children)
    killer.start()
    try:
        log = run_sync(tempo=IN_PROCESSES)
    finally:
        ended.set()
        killer.join()

    # A process that does not even start is done without.
    assert log.status in {RunStatus.SUCCESS, RunStatus.PARTIAL}
    assert {entry["code"] for entry in log.errors} <= {"reader_died", "analysis"}

    ExportJob.objects.update(next_try_at=timezone.now(), attempts=0)
    again = run_sync(tempo=IN_PROCESSES)
    assert again.status == RunStatus.SUCCESS
    assert set(ExportJob.objects.values_list("state", flat=True)) == {JobState.STORED}
