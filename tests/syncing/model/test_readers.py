"""Child processes that read files: answers as from this process, or a death told.

Files of all sizes and numbers go through the socket, some of them open; processes are
killed in between, and closed in the end.
"""

import os
import signal
import tempfile
import time

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from syncing.engine import readers
from syncing.engine.downloads import DownloadedFile
from syncing.engine.readers import ProcessDiedError, ReaderProcesses
from syncing.reader.errors import ExportFileError
from syncing.reader.limits import ReadLimits
from syncing.reader.packing import read_and_pack
from tests.syncing.model.running import TRANSITIONS, run_machine
from tests.syncing.reader.tables import as_parquet, frames

pytestmark = pytest.mark.processes
IK = "inverse-kinematics"
LIMITS = ReadLimits()
FILES = [as_parquet(frames(f"IMG-1-000{n}", seed=n)) for n in range(3)]
#: Any file is sent whole up to this size; above it is handed over open.
LARGE = 1_000_001


class ReaderMachine(RuleBasedStateMachine):
    """Two processes for one run."""

    def __init__(self):
        super().__init__()
        self.processes = ReaderProcesses(2, check=lambda: None)
        self.may_be_dead = self.kills = 0

    @rule(
        count=st.sampled_from([1, 2, 7, 200, 201]),
        large=st.sampled_from(["none", "one", "all"]),
        damaged=st.booleans(),
    )
    def read(self, count, large, damaged):
        contents = [FILES[number % 3] for number in range(count)]
        if damaged:
            contents[-1] = contents[-1][:-40]
        files = []
        for number, content in enumerate(contents):
            file = tempfile.TemporaryFile()  # noqa: SIM115 - closed below
            file.write(content)
            file.flush()
            file.seek(0)
            is_large = large == "all" or (large == "one" and number == 0)
            size = LARGE if is_large else len(content)
            files.append(DownloadedFile(file, size, ""))
        try:
            found = self.processes.read(files, data_type=IK, limits=LIMITS)
        except ProcessDiedError:
            assert self.may_be_dead, "a process died by itself"
            self.may_be_dead -= 1
        except ExportFileError as error:
            if not damaged:
                raise AssertionError from error
        else:
            assert not damaged
            assert found == [_here(content) for content in contents]
        finally:
            for item in files:
                item.file.close()
        # One that is killed before it has started is not replaced.
        lost = 2 - len(self.processes.pids)
        assert 0 <= lost <= self.kills

    @rule(index=st.integers(0, 1))
    def kill(self, index):
        pids = self.processes.pids
        if index < len(pids) and self.kills < 3:
            os.kill(pids[index], signal.SIGKILL)
            self.may_be_dead += 1
            self.kills += 1

    def teardown(self):
        pids = self.processes.pids
        self.processes.close()
        assert not any(_is_there(pid) for pid in pids)


def _here(content, known={}):  # noqa: B006 - read once for all
    if content not in known:
        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.seek(0)
            known[content] = read_and_pack(
                file, data_type=IK, known_movement_id=None, limits=LIMITS
            )
    return known[content]


def _is_there(pid):
    time.sleep(0)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_processes_read_what_this_one_reads():
    assert readers._SENT_BYTES < LARGE
    run_machine(ReaderMachine, examples=max(3, min(30, TRANSITIONS // 50)), steps=12)
