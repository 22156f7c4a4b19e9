"""Collect the values of one swing, each checked against its definition."""

import math
import re
from dataclasses import replace
from functools import lru_cache

from biomechanics.analysis_types import MetricValue
from biomechanics.basis import Part, basis_of
from biomechanics.definitions import METRICS
from biomechanics.ranges import in_words, within

EVENT_WORDS = {
    "load": "load",
    "first_move": "first move",
    "foot_down": "foot down",
    "reference": "contact",
    "peak_hand_speed": "peak hand speed",
}
REFERENCE_WORDS = {
    "contact": "contact",
    "bat_impact": "contact, seen in the bat",
    "bat_peak": "contact (est.)",
    "hand_peak": "peak hand speed",
    "manual": "contact set by a coach",
}
FOOT_DOWN_WORDS = {
    "vendor_norm_time": "Reboot Motion's",
    "ankle_settles": "lead ankle at rest",
    "manual": "set by a coach",
}
CONTACT_WORDS = {
    "contact": "from Reboot Motion",
    "bat_impact": "seen in the bat",
    "manual": "set by a coach",
}
"""Where a contact that was measured comes from."""

_STAND_INS = {"bat_peak": "contact (est.)", "hand_peak": "peak hand speed"}
_CONTACT = re.compile(r"\bcontact\b(?! \(est\.\))")
# "(+10 ms where peak bat speed stands in, +30 ms where peak hand speed does)".
_LONGER = re.compile(r" \(\+[^)]*\)")
_LONGER_BY = re.compile(r"\+(\d+) ms where peak (bat|hand) speed")


def said_of(text: str, rule: str | None) -> str:
    """Return a text about contact as it is true of a swing with this rule.

    Contact that peak bat speed stands in for is estimated, and peak hand speed is
    never called contact: `Bat speed at contact (est.)`, `Time to peak hand speed`.
    """
    instead = _STAND_INS.get(rule or "")
    if instead is None:
        return text
    return _CONTACT.sub(instead, text)


# Few metrics, fewer rules: the same texts from swing to swing.
@lru_cache(maxsize=4096)
def window_text(metric_id: str, rule: str | None, foot_down: str | None) -> str:
    """Return a metric's window, saying what stands in for contact and foot down's rule.

    Values taken at another event are other numbers, however alike their names.
    """
    text = METRICS[metric_id].window
    if rule is not None:
        longer = {f"{kind}_peak": ms for ms, kind in _LONGER_BY.findall(text)}
        more = f" + {longer[rule]} ms" if rule in longer else ""
        text = said_of(_LONGER.sub("", text), rule) + more
        if rule not in _STAND_INS and "contact" in text:
            text = f"{text} (contact: {CONTACT_WORDS[rule]})"
    if foot_down is not None and "foot down" in text:
        text = f"{text} (foot down: {FOOT_DOWN_WORDS[foot_down]})"
    return text


class MetricValues:
    """The values of one swing, each checked against its definition.

    Attributes
    ----------
    by_id : dict of str to MetricValue
        Set so far.
    variance : dict of str to float
        What is known of the variance of each number beside the constants of
        `measurement_error`: of its events, and of a fitted motion.
    rule, foot_down : str or None
        The rules behind the reference and foot down.
    found : tuple of (str, str)
        What each part of a basis is in this file (`basis.basis_of`).
    """

    def __init__(
        self,
        rule: str | None,
        foot_down: str | None,
        found: tuple[tuple[Part, str], ...] = (),
    ) -> None:
        self.rule = rule
        self.foot_down = foot_down
        self.found = found
        self.by_id: dict[str, MetricValue] = {}
        self.variance: dict[str, float] = {}

    def put(
        self,
        metric_id: str,
        value: float | str | None,
        reason: str | None = None,
        *,
        flagged: bool = False,
    ) -> None:
        """Set one metric; a number outside its plausible range is flagged, not cut.

        One outside its usual range is counted, and its reason says that it is unusual.
        """
        definition = METRICS[metric_id]
        if value is not None and not isinstance(value, str):
            value = float(value)
            if not math.isfinite(value):
                value, reason = None, reason or "could not be computed"
        if value is None:
            reason = reason or "could not be computed"
        elif isinstance(value, float) and not within(value, definition.plausible):
            flagged = True
            limits = in_words(definition.plausible, definition.unit)
            fault = f"outside {limits}: probably a tracking error"
            reason = f"{fault}; {reason}" if reason else fault
        elif isinstance(value, float) and not within(value, definition.usual):
            unusual = f"unusual: outside {in_words(definition.usual, definition.unit)}"
            reason = f"{unusual}; {reason}" if reason else unusual
        self.by_id[metric_id] = MetricValue(
            value=value,
            unit=definition.unit,
            reason=reason,
            flagged=flagged and value is not None,
            window=window_text(metric_id, self.rule, self.foot_down),
            basis="" if value is None else basis_of(metric_id, self.found),
        )

    def add_variance(self, metric_id: str, *standard_deviations: float) -> None:
        """Add independent errors of a number, each as a standard deviation."""
        known = self.variance.get(metric_id, 0.0)
        self.variance[metric_id] = known + sum(one**2 for one in standard_deviations)

    def set_uncertainty(self, metric_id: str, error: float) -> None:
        """Set one standard deviation of a number that is there."""
        known = self.by_id[metric_id]
        # Field by field: `replace` takes five times as long, for every number.
        self.by_id[metric_id] = MetricValue(
            value=known.value,
            unit=known.unit,
            reason=known.reason,
            flagged=known.flagged,
            window=known.window,
            uncertainty=error,
            basis=known.basis,
        )

    def flag(self, metric_id: str, reason: str) -> None:
        """Flag a value that is there; one flagged before keeps its own reason."""
        value = self.by_id[metric_id]
        if value.value is not None and not value.flagged:
            self.by_id[metric_id] = replace(value, flagged=True, reason=reason)

    def number(self, metric_id: str) -> float | None:
        """Return a number that was set before, ``None`` if it is missing."""
        value = self.by_id.get(metric_id)
        return value.value if value and isinstance(value.value, float) else None

    def reason(self, *metric_ids: str) -> str | None:
        """Return the reason of the first of these metrics that is missing, if any."""
        for metric_id in metric_ids:
            value = self.by_id.get(metric_id)
            if value is not None and value.value is None:
                return value.reason
        return None


def empty_metrics(reason: str) -> dict[str, MetricValue]:
    """Return every metric as missing for one reason."""
    return {
        metric_id: MetricValue(None, item.unit, reason, False, item.window)
        for metric_id, item in METRICS.items()
    }
