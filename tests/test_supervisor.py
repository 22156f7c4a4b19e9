"""The supervisor, with real processes in place of the cluster."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from reboot_site.supervisor import Supervisor

pytestmark = pytest.mark.processes

# Stands for the cluster: a main process with one child, which ends its child on
# SIGTERM and writes down what happened to it.
CLUSTER = """
import os, signal, subprocess, sys, time
log = open(sys.argv[1], "a", buffering=1)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
def stop(signum, frame):
    child.kill(); child.wait(); log.write("stopped\\n"); sys.exit(0)
signal.signal(signal.SIGTERM, stop)
log.write(f"started {os.getpid()} {child.pid}\\n")
time.sleep(60)
"""


def start_supervisor(tmp_path, *, age="0.0", limit="60.0", grace="5.0"):
    cluster = tmp_path / "cluster.py"
    cluster.write_text(CLUSTER)
    log = tmp_path / "log"
    log.touch()
    code = textwrap.dedent(
        f"""
        import sys
        from reboot_site.supervisor import Supervisor
        command = [sys.executable, {str(cluster)!r}, {str(log)!r}]
        sys.exit(Supervisor(command, heartbeat_age_s=lambda: {age},
                 heartbeat_limit_s={limit}, stop_grace_s={grace},
                 check_every_s=0.2).run())
        """
    )
    return subprocess.Popen([sys.executable, "-c", code], start_new_session=True), log


def wait_for(log, count, word="started", seconds=15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        lines = [x for x in log.read_text().splitlines() if x.startswith(word)]
        if len(lines) >= count:
            return lines
        time.sleep(0.05)
    raise AssertionError(f"{word} seen fewer than {count} times: {log.read_text()}")


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_supervisor_starts_a_killed_cluster_again(tmp_path):
    process, log = start_supervisor(tmp_path)
    try:
        first = int(wait_for(log, 1)[0].split()[1])
        os.kill(first, signal.SIGKILL)
        second = int(wait_for(log, 2)[1].split()[1])
        assert second != first
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_supervisor_restarts_a_cluster_whose_heartbeat_is_old(tmp_path):
    process, log = start_supervisor(tmp_path, age="999.0", limit="1.0")
    try:
        wait_for(log, 2)
        assert "stopped" in log.read_text()
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_supervisor_lets_a_young_cluster_send_its_first_heartbeat(tmp_path):
    process, log = start_supervisor(tmp_path, age="None", limit="30.0")
    wait_for(log, 1)
    time.sleep(1)
    process.terminate()
    assert process.wait(10) == 0
    assert len(wait_for(log, 1)) == 1


def test_supervisor_stops_the_main_process_and_leaves_nothing(tmp_path):
    process, log = start_supervisor(tmp_path)
    _, main_pid, child_pid = wait_for(log, 1)[0].split()
    # What a terminal does: the signal goes to the supervisor's whole group.
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(10) == 0
    assert wait_for(log, 1, word="stopped")
    assert not is_alive(int(main_pid))
    assert not is_alive(int(child_pid))


def test_supervisor_ends_a_cluster_that_ignores_the_stop_signal(tmp_path):
    stubborn = "import signal,time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    supervisor = Supervisor(
        [sys.executable, "-c", stubborn],
        heartbeat_age_s=lambda: 0.0,
        stop_grace_s=0.5,
    )
    supervisor._start()
    pid = supervisor._process.pid
    time.sleep(0.5)
    supervisor._stop()
    assert not is_alive(pid)
