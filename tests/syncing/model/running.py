"""How long and from which seed the machines run."""

import os

import hypothesis
from hypothesis import Phase
from hypothesis.stateful import run_state_machine_as_test

TRANSITIONS = int(os.environ.get("MODEL_TRANSITIONS", "120"))
#: Without shrinking a failure is told at once, and long.
PHASES = [Phase.generate] + [Phase.shrink] * ("MODEL_SHRINK" in os.environ)
SEED = os.environ.get("MODEL_SEED")


def run_machine(machine, *, examples, steps):
    """Run a machine: repeated by the seed, or always the same."""
    options = hypothesis.settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=SEED is None,
        phases=PHASES,
        print_blob=False,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    if SEED is not None:
        machine = hypothesis.seed(int(SEED))(machine)
    run_state_machine_as_test(machine, settings=options)
