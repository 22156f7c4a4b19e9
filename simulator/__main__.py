"""``python -m simulator``: the stand-in of the vendor's API on a port."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from datetime import date
from types import FrameType
from typing import NoReturn

from reboot_site.env import Env
from simulator import stories
from simulator.app import Config
from simulator.faults import KINDS, ROUTES, FaultPlan
from simulator.scenarios import Scenario, ScenarioError, help_text
from simulator.server import SimulatorServer


class UsageError(ValueError):
    """An option that is unknown, or that has a value it cannot have."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write a day as YYYY-MM-DD") from None


def _parser() -> argparse.ArgumentParser:
    defaults, env = Config(), Env(os.environ)
    parser = _Parser(prog="python -m simulator", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0 takes a free one")
    add("--players", type=int, default=defaults.players)
    add("--sessions", type=int, default=defaults.sessions)
    add("--swings", type=int, default=defaults.swings, help="swings a session")
    add("--seed", type=int, default=defaults.seed)
    add("--scenario", default="", help="switches a,b,c; 'help' lists them")
    add("--rate", type=float, default=defaults.rate_hz, help="frames a second")
    add("--duration", type=float, default=defaults.duration_s, help="seconds a clip")
    add("--noise-mm", type=float, default=0.0, help="noise on joint centers")
    add(
        "--templates",
        type=int,
        default=0,
        help="share this many sets of swings among all sessions (benchmarks)",
    )
    add(
        "--day-scatter",
        type=float,
        default=0.0,
        help="standard deviation between days as a multiple of that between swings",
    )
    add(
        "--last-day",
        type=_day,
        help="date of the latest session, YYYY-MM-DD; the oldest is up to a year "
        "earlier",
    )
    add(
        "--stories",
        action="store_true",
        help="athletes with something to find, and plausible names for all",
    )
    add("--latency-ms", type=float, default=0.0, help="wait before every answer")
    add("--fault-probability", type=float, default=0.0)
    add("--fault-seed", type=int, default=1)
    add("--fault-kinds", default=",".join(KINDS))
    add("--fault-routes", default=",".join(ROUTES))
    for name, value in (
        ("username", defaults.username),
        ("password", defaults.password),
        ("api-key", defaults.api_key),
    ):
        variable = "SIMULATOR_" + name.upper().replace("-", "_")
        add(f"--{name}", default=env.text(variable, value), help=variable)
    return parser


def read_options(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, Config]:
    """Return the options of the command line, and the simulator that they describe.

    Raises `UsageError` where they describe none.
    """
    given = _parser().parse_args(arguments)
    if given.scenario == "help":
        return given, Config()
    try:
        Scenario.parse(given.scenario)
        if given.stories:
            stories.check(given.players, given.sessions, given.templates)
        return given, Config(
            players=given.players,
            sessions=given.sessions,
            swings=given.swings,
            seed=given.seed,
            scenario=given.scenario,
            rate_hz=given.rate,
            duration_s=given.duration,
            noise_mm=given.noise_mm,
            templates=given.templates,
            day_scatter=given.day_scatter,
            last_day=given.last_day,
            stories=given.stories,
            latency_ms=given.latency_ms,
            username=given.username,
            password=given.password,
            api_key=given.api_key,
            faults=FaultPlan(
                probability=given.fault_probability,
                seed=given.fault_seed,
                kinds=tuple(filter(None, given.fault_kinds.split(","))),
                routes=tuple(filter(None, given.fault_routes.split(","))),
            ),
        )
    except (ScenarioError, ValueError) as error:
        raise UsageError(str(error)) from error


def main(arguments: list[str] | None = None) -> int:
    """Run the simulator until Ctrl-C and return the exit status."""
    try:
        given, config = read_options(arguments)
        if given.scenario == "help":
            print(help_text())
            return 0
        server = SimulatorServer(config, host=given.host, port=given.port)
    except UsageError as error:
        print(f"python -m simulator: {error} (see --help)", file=sys.stderr)
        return 2
    except (OSError, OverflowError) as error:
        print(
            f"python -m simulator: cannot listen at --host {given.host} --port "
            f"{given.port} ({error}): choose another port, or 0 for a free one",
            file=sys.stderr,
        )
        return 2

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        # Inside: who started it may end it as soon as it has said its address.
        signal.signal(signal.SIGTERM, stop)
        print(server.url, flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        pass  # the usual way to end it
    finally:
        for again in (signal.SIGTERM, signal.SIGINT):
            signal.signal(again, signal.SIG_IGN)
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
