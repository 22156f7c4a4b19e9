"""The whole product as `make run` starts it, for tests that use it as people do."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class RunningProduct:
    url: str
    simulator_url: str
    logins: dict[str, str]
    process: subprocess.Popen
    output: Path
    var: Path

    def log(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")


def start_product(
    var: Path, *, port: int, simulator: str, extra=None
) -> RunningProduct:
    """Start scripts/run.py and wait until it prints where it is."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("REBOOT_", "DJANGO_"))
        and name not in {"DEBUG", "REDIS_URL", "SECRET_KEY", "HTTPS"}
    }
    if not (extra or {}).get("DATABASE_URL"):
        kept.pop("DATABASE_URL", None)
    environment = kept | {
        "VAR_DIR": str(var),
        "PORT": str(port),
        "SIMULATOR_OPTIONS": simulator,
        "PYTHONUNBUFFERED": "1",
        **(extra or {}),
    }
    output = var.parent / f"output-{port}.txt"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "scripts/run.py"],
            cwd=ROOT,
            env=environment,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # What a terminal has; the product makes its own stricter.
            umask=0o022,
        )
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        text = output.read_text(errors="replace")
        if "Ctrl-C stops it" in text:
            break
        if process.poll() is not None:
            raise AssertionError(f"make run ended with {process.returncode}:\n{text}")
        time.sleep(0.2)
    else:
        # Its web server, worker and simulator with it: what is left running would
        # fail another test later.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise AssertionError(f"make run did not get ready:\n{output.read_text()}")
    logins = dict(
        re.findall(r"^\s*Demo login \(\w+\):\s+(\S+)\s+/\s+(\S+)", text, re.M)
    )
    simulator_url = re.search(r"simulator at (http://\S+)", text)
    return RunningProduct(
        url=f"http://127.0.0.1:{port}",
        simulator_url=simulator_url.group(1) if simulator_url else "",
        logins=logins,
        process=process,
        output=output,
        var=var,
    )


def stop_product(product: RunningProduct) -> int:
    """What Ctrl-C does: the signal goes to the foreground process."""
    product.process.send_signal(signal.SIGINT)
    try:
        return product.process.wait(90)
    except subprocess.TimeoutExpired:
        product.process.send_signal(signal.SIGTERM)
        raise


def assert_gone(product: RunningProduct) -> None:
    """Nothing that was started answers any more."""
    for url in (product.url, product.simulator_url):
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=2)


SIMULATOR = "--players 12 --sessions 5 --swings 3"


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    var = tmp_path_factory.mktemp("product") / "var"
    running = start_product(var, port=free_port(), simulator=SIMULATOR)
    yield running
    assert stop_product(running) == 0
    assert_gone(running)
