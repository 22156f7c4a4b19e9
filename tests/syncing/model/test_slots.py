"""Request slots of several processes: never more at once than the limit, all used."""

import pytest
from django.core.cache import cache
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from syncing import clock as product_clock
from syncing.engine.request_slots import RequestSlots, paused_until
from syncing.models import RequestSlot
from tests.syncing.model import spec
from tests.syncing.model.clock import ModelClock
from tests.syncing.model.running import TRANSITIONS, run_machine

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT = 3
HOLDERS = 3
INDEX = st.integers(0, HOLDERS - 1)


class NothingFreeError(Exception):
    """Nobody gave a slot back while one was waited for."""


class Holder:
    """One process, with the requests that it has under way."""

    def __init__(self, name, machine):
        self.name, self.machine = name, machine
        self.slots = RequestSlots(LIMIT, holder=name, check=self.check)
        self.gates = []
        self.tended_at = machine.clock.passed
        self.asked = 0

    def check(self):
        self.asked += 1
        if self.asked > 12:
            raise NothingFreeError

    def take(self):
        self.asked = 0
        gate = self.slots.gate("GET /players")
        gate.__enter__()
        self.gates.append(gate)


class SlotMachine(RuleBasedStateMachine):
    """Some processes take slots, give them back, are tended, sleep and die."""

    def __init__(self):
        super().__init__()
        RequestSlot.objects.all().delete()
        cache.clear()
        self.clock = ModelClock()
        self._in_use = product_clock.use(self.clock)
        self._in_use.__enter__()
        self.born = 0
        self.holders = [self._new() for _ in range(HOLDERS)]
        #: When the requests of dead processes end at the latest.
        self.dead = []
        self.quiet_until = 0.0
        self.somebody_asked = False

    def _new(self):
        self.born += 1
        return Holder(f"holder-{self.born}", self)

    def _under_way(self):
        """Requests under way of those whose leases are good."""
        return sum(len(holder.gates) for holder in self.holders)

    @rule(index=INDEX)
    def take(self, index):
        holder = self.holders[index]
        held = self._under_way()
        idle = len(holder.slots._idle)
        others = sum(
            len(h.slots._idle) + len(h.gates) for h in self.holders if h is not holder
        )
        began = self.clock.passed
        try:
            holder.take()
        except NothingFreeError:
            if not self.somebody_asked and not self.dead and self.quiet_until <= began:
                free = LIMIT - others - len(holder.gates)
                assert free <= 0, f"{free} slots are free, and nobody asked for them"
            self.somebody_asked = True
            quiet = self.quiet_until > began
            assert quiet or held + others + len(self.dead) or idle, "nothing was free"
            if not quiet and not self.dead:
                taken = others + len(holder.gates)
                share = holder.slots._share
                assert taken >= LIMIT or len(holder.gates) >= share, (
                    f"{taken} of {LIMIT} slots are taken, and none was to be had"
                )
        else:
            assert self.clock.passed >= self.quiet_until - 1e-6, "a pause was not kept"
        self._tend_all()
        self.check_limit()

    def check_limit(self):
        dead = [until for until in self.dead if until > self.clock.passed]
        assert self._under_way() + len(dead) <= LIMIT + len(dead), "more than the limit"
        assert self._under_way() <= LIMIT, "more requests at once than the limit"
        rows = list(RequestSlot.objects.values_list("number", "holder", "held_until"))
        assert len(rows) <= LIMIT
        for holder in self.holders:
            ours = {number for number, name, _ in rows if name == holder.name}
            believed = holder.slots._busy | set(holder.slots._idle)
            assert believed <= ours, f"{holder.name} uses {believed - ours} unheld"
            assert len(holder.slots._busy) == len(holder.gates)

    @rule(index=INDEX)
    def give_back(self, index):
        holder = self.holders[index]
        if holder.gates:
            holder.gates.pop().__exit__(None, None, None)
        self.check_limit()

    @rule(index=INDEX)
    def tend(self, index):
        self._tend(self.holders[index])
        self.check_limit()

    def _tend(self, holder):
        holder.slots.tend()
        holder.tended_at = self.clock.passed
        now = self.clock.now()
        for slot in RequestSlot.objects.filter(holder=holder.name):
            assert slot.held_until == spec.after(now, spec.SLOT_LEASE_S)
            used = holder.slots._idle.get(slot.number)
            assert slot.number in holder.slots._busy or used is not None
            assert used is None or self.clock.monotonic() - used <= 1.0

    def _tend_all(self):
        for holder in self.holders:
            if self.clock.passed - holder.tended_at >= 1.0:
                self._tend(holder)

    @rule(seconds=st.sampled_from([0.2, 0.9, 1.1, 3.5, 20.0, 61.0]))
    def time_passes(self, seconds):
        while seconds > 0:
            self.clock.advance(min(seconds, 20.0))
            seconds -= 20.0
            self._tend_all()
        self.check_limit()

    @rule(index=INDEX, seconds=st.sampled_from([0.5, 2.0, 30.0]))
    def pause(self, index, seconds):
        self.holders[index].slots.pause(seconds)
        self.quiet_until = max(self.quiet_until, self.clock.passed + seconds)
        for holder in self.holders:
            self._tend(holder)
            until = holder.slots._pause_until - self.clock.time()
            left = self.quiet_until - self.clock.passed
            assert abs(until - left) < 1e-3, "a pause did not reach all"
        shown = paused_until()
        assert shown is not None, "nobody is told of the pause"
        left = (shown - self.clock.now()).total_seconds()
        assert abs(left - (self.quiet_until - self.clock.passed)) < 1e-3

    @rule(index=INDEX)
    def close(self, index):
        holder = self.holders[index]
        while holder.gates:
            holder.gates.pop().__exit__(None, None, None)
        holder.slots.close()
        assert not RequestSlot.objects.filter(holder=holder.name).exists()
        self.holders[index] = self._new()

    @rule(index=INDEX)
    def die(self, index):
        """Its slots are free when the lease ends, and not before."""
        holder = self.holders[index]
        rows = RequestSlot.objects.filter(holder=holder.name)
        self.dead += [self.clock.passed + spec.SLOT_LEASE_S for _ in rows]
        self.holders[index] = self._new()

    def teardown(self):
        try:
            for index in range(HOLDERS):
                self.close(index)
            self.clock.advance(4000.0)
            last = self._new()
            for _ in range(LIMIT):
                last.take()
            assert len(last.gates) == LIMIT
        finally:
            self._in_use.__exit__(None, None, None)


def test_requests_at_once_stay_within_the_limit():
    run_machine(SlotMachine, examples=max(20, min(300, TRANSITIONS // 10)), steps=30)


def test_who_is_alone_may_use_every_slot():
    machine = SlotMachine()
    try:
        alone = machine.holders[0]
        for _ in range(LIMIT):
            machine._tend(alone)
            alone.take()
        assert len(alone.gates) == LIMIT
    finally:
        machine.teardown()
