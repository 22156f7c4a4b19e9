"""The switches: every way in which the vendor's answers are known or feared to vary."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.columns import Options
from simulator.words import words

# name -> (meaning, default value when the switch takes one after "=")
SCENARIOS: dict[str, tuple[str, float | None]] = {
    # Access
    "token-life": ("access tokens live this many seconds", 2.0),
    "no-api-key": ("the x-api-key header is refused", None),
    "bad-token-403": ("an invalid token is refused with 403", None),
    # Lists
    "wrapped": ('lists come as {"players": […]}, {"sessions": […]} …', None),
    "offset-ignored": ("every page is the first page", None),
    "limit-clamped": ("no page is longer than this", 50.0),
    "limit-rejected": ("422 for a limit above this", 100.0),
    "list-moves": (
        "the first entry moves to the end of the list after the first page, this often",
        1.0,
    ),
    "lists-cut": ("lists end after this many entries, as if there were no more", 0.0),
    "iso-dates": ("session_date is a date-time with zone", None),
    "string-session-num": ("session_num is text", None),
    "missing-fields": ("optional fields are absent from lists and details", None),
    "session-plural": ("GET /sessions/{id} answers like /session/{id}", None),
    "comma-player-ids": ("org_player_ids may be one comma-joined value", None),
    # Export
    "export-polled": ("202 this many times, then ready", 2.0),
    "export-status": ("as export-polled, with 200 and a status word", 2.0),
    "export-location": ("as export-polled, with a Location to ask", 2.0),
    "no-energy": ("momentum-energy answers 404, no data", None),
    "export-times-out": ("504 for frames of several movements at once", None),
    "export-empty": ("download_urls is an empty list", None),
    "export-one-url": ("one URL although aggregate is false", None),
    "export-single-key": ("download_url (text) in place of download_urls", None),
    "no-movement-filter": ("org_movement_id in the body is ignored", None),
    # Links
    "link-life": ("download links live this many seconds", 1.0),
    "links-other-host": ("links name localhost where the API is 127.0.0.1", None),
    # Files
    "plain-csv": ("CSV files are not gzipped", None),
    "parquet-gz": ("Parquet files are gzipped", None),
    "content-encoding": ("gzip files are sent with Content-Encoding: gzip", None),
    "unquoted": ("CSV without quotes", None),
    "lf": ("CSV with LF line ends", None),
    "bom": ("CSV starts with a byte order mark", None),
    "nan-text": ("missing cells hold NaN instead of being empty", None),
    "na-text": ("missing cells hold n/a instead of being empty", None),
    "no-index-name": ("the first column has an empty name", None),
    "no-movement-id": ("files lack org_movement_id", None),
    "upper-points": ("point columns in capitals in CSV too", None),
    "lower-points": ("point columns in small letters in Parquet too", None),
    "degrees": ("angles in degrees", None),
    "torso-global": ("torso_rot relative to the room, not to the pelvis", None),
    "hawkeye": ("stadium layout: 26 points, degrees, _vel and _acc, no bat", None),
    "no-ik-clock": ("no time_from_max_hand in inverse kinematics", None),
    "columns-changed": ("files have a column spare_value, and no left_ankle_inv", None),
    "no-bat-columns": ("files without any bat column", None),
    "lefty-mirrored": ("left-handers' files are fully mirrored, names included", None),
    "lefty-angles": ("left-handers' four trunk angles are negated, points raw", None),
    "noise": ("white noise on joint centers, in mm", 1.0),
    "metrics-refused": ("hitting-processed-metrics answers this status", 422.0),
    "metrics-no-data": ("hitting-processed-metrics answers 404, no data", None),
    "metrics-shifted": (
        "events of hitting-processed-metrics are off by this many frames",
        60.0,
    ),
    "metrics-no-impact": ("hitting-processed-metrics without impact_event", None),
    # Damaged files
    "bad-truncated": ("files are cut short, with the length to match", None),
    "bad-html": ("files are a page of HTML", None),
    "bad-out-of-order": ("frames are shuffled", None),
    "bad-same-id": ("two movements have the same id", None),
    "bad-missing-columns": ("no time column", None),
    "bad-duplicate-columns": ("one column twice (CSV)", None),
    "bad-text-column": ("text where a number belongs", None),
    "bad-one-swing": ("the first movement has one instant twice", None),
    "bad-bomb": ("a small gzip that unpacks to 2 GB", None),
    # Data
    "plain": (
        "every session: processed, hitting, one athlete, exactly --swings swings",
        None,
    ),
}
SHORTHAND = {"token-2s": "token-life=2", "links-1s": "link-life=1"}


class ScenarioError(ValueError):
    """A switch that does not exist, or a value that it cannot take."""


#: What `files.write` looks at; all else changes answers, lists, times, or the columns
#: themselves (`Scenario.options`).
OF_TABLES = frozenset(
    words(
        "bom columns-changed lf lower-points na-text nan-text no-index-name "
        "no-movement-id unquoted upper-points"
    )
)


@dataclass(frozen=True)
class Scenario:
    """The switches that are on."""

    values: dict[str, float | None] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Scenario:
        """Return the switches that a text names; `ScenarioError` for others."""
        values: dict[str, float | None] = {}
        for item in filter(None, (part.strip() for part in text.split(","))):
            name, _, number = SHORTHAND.get(item, item).partition("=")
            if name not in SCENARIOS:
                raise ScenarioError(
                    f"There is no scenario {name!r}. Take one of these: "
                    f"{', '.join(SCENARIOS)}."
                )
            default = SCENARIOS[name][1]
            if default is None and number:
                raise ScenarioError(f"The scenario {name!r} takes no value.")
            try:
                values[name] = float(number) if number else default
            except ValueError:
                raise ScenarioError(
                    f"The scenario {name!r} takes a number, not {number!r}."
                ) from None
        return cls(values)

    def __contains__(self, name: str) -> bool:
        if name not in SCENARIOS:
            raise KeyError(name)
        return name in self.values

    def value(self, name: str, default: float) -> float:
        """Return the number that was given with a switch, else `default`."""
        found = self.values.get(name)
        return default if found is None else found

    @property
    def text(self) -> str:
        """Return the switches as the text that sets them."""
        return ",".join(
            name if value is None else f"{name}={value:g}"
            for name, value in self.values.items()
        )

    def of_tables(self) -> Scenario:
        """Return the switches alone that decide how a table is written."""
        return Scenario({k: v for k, v in self.values.items() if k in OF_TABLES})

    def options(self, noise_mm: float) -> Options:
        """Return what the switches mean for the content of files."""
        lefty = "raw"
        if "lefty-mirrored" in self:
            lefty = "mirrored"
        elif "lefty-angles" in self:
            lefty = "angles"
        return Options(
            degrees="degrees" in self,
            torso_global="torso-global" in self,
            lefty=lefty,
            layout="hawkeye" if "hawkeye" in self else "single-camera",
            ik_clock="no-ik-clock" not in self,
            bat_columns="no-bat-columns" not in self,
            noise_mm=self.value("noise", noise_mm),
            metrics_shifted=int(self.value("metrics-shifted", 0)),
            impact="metrics-no-impact" not in self,
        )


def help_text() -> str:
    """Return a line for each switch: its name and what it does."""
    lines = []
    for name, (meaning, default) in SCENARIOS.items():
        shown = name if default is None else f"{name}[={default:g}]"
        lines.append(f"  {shown:24} {meaning}")
    return "\n".join(lines)
