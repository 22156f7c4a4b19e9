"""Many transitions of the sync's state machine, in rounds that can be repeated alone.

    python -m tests.syncing.model --transitions 100000 --seed 1 --jobs 2

Each round is a process of its own with the next seed. A round that fails prints its
history and the command that repeats it. `DATABASE_URL` chooses the database, as for
any test.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent.parent
TEST = "tests/syncing/model/test_machine.py"
#: Transitions of one round: a few minutes.
ROUND = 2_000


def main() -> int:
    """Run all rounds; the exit status is 1 when one of them failed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.syncing.model", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--transitions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=None, help="of the first round")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--shrink", action="store_true", help="make failures short")
    parser.add_argument("--tests", default=TEST, help="file or folder of tests")
    options = parser.parse_args()
    seed = options.seed
    if seed is None:
        seed = random.randrange(10**6)
    print(f"{options.transitions} transitions from seed {seed} on", flush=True)
    rounds = [
        (seed + number, min(ROUND, options.transitions - number * ROUND))
        for number in range(-(-options.transitions // ROUND))
    ]
    began = time.monotonic()
    failed = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for round_seed, output in pool.map(lambda one: _run(options, *one), rounds):
            if output is not None:
                failed.append(round_seed)
                print(output)
                print(
                    f"Seed {round_seed} failed. Repeat it with:\n"
                    f"  python -m tests.syncing.model --seed {round_seed} "
                    f"--transitions {dict(rounds)[round_seed]} [--shrink]",
                    flush=True,
                )
    minutes = (time.monotonic() - began) / 60
    print(
        f"{len(rounds) - len(failed)} of {len(rounds)} rounds kept all promises, in "
        f"{minutes:.0f} minutes."
    )
    return 1 if failed else 0


def _run(
    options: argparse.Namespace, seed: int, transitions: int
) -> tuple[int, str | None]:
    """One round: its seed, and what it printed when it failed."""
    given = {"MODEL_SEED": str(seed), "MODEL_TRANSITIONS": str(transitions)}
    if options.shrink:
        given["MODEL_SHRINK"] = "1"
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        # Rounds side by side need databases of their own.
        name = os.environ.get("TEST_DATABASE_NAME", "test_model")
        given["TEST_DATABASE_NAME"] = f"{name}_{seed}"
    with tempfile.TemporaryFile() as output:
        status = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", options.tests],
            cwd=ROOT,
            env={**os.environ, **given},
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
        output.seek(0)
        text = output.read().decode(errors="replace")
    return seed, None if status == 0 else text


if __name__ == "__main__":
    sys.exit(main())
