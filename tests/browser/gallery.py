"""Pages of the components alone, with invented data: an URLconf for the tests."""

from __future__ import annotations

import base64
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.urls import include, path

from athletes.analysis.changes import MetricChange
from athletes.analysis.metric_reading import MetricReading
from biomechanics.definitions import METRICS
from dashboard import charts
from dashboard.selectors.freshness import Freshness

X0_MS, DX_MS, COUNT = -600.0, 1000 / 240, 193
ZERO_S = 1.2
PEAKS = {  # part: time of the peak in ms, width, height in °/s
    "pelvis": (-95.0, 80.0, 640.0),
    "torso": (-62.0, 70.0, 980.0),
    "lead_arm": (-40.0, 60.0, 1150.0),
    "hands": (-8.0, 50.0, 1750.0),
}


def typed(values: Any) -> dict[str, str]:
    data = np.ascontiguousarray(values, dtype="<f4").tobytes()
    return {"dtype": "f4", "bdata": base64.b64encode(data).decode()}


def pulse(part: str) -> np.ndarray:
    middle, width, height = PEAKS[part]
    x = X0_MS + DX_MS * np.arange(COUNT)
    return height * np.exp(-(((x - middle) / width) ** 2))


def sequence() -> dict[str, Any]:
    data: list[dict[str, Any]] = []
    for part in PEAKS:
        y = pulse(part)
        where = {"key": part, "part": part, "x0": X0_MS, "dx": DX_MS}
        band = {"lower": typed(y - 40), "upper": typed(y + 40)}
        data.append(where | band | {"role": "band"})
        data.append(where | {"y": typed(y), "name": part, "unit": "°/s"})
    return {
        "data": data,
        "layout": {
            "xaxis": {"title": {"text": "Time from peak hand speed (ms)"}},
            "yaxis": {"title": {"text": "Rotation speed (°/s)"}},
        },
        "events": [
            {
                "name": "foot_down",
                "time": -148.0,
                "label": "FD",
                "rule": "a rule in words",
                "movable": True,
            },
            {"name": "peak_hand_speed", "time": 0.0, "label": "peak hand"},
        ],
        "legend": [{"key": part, "label": part, "part": part} for part in PEAKS],
        "meta": {
            "x_unit": "ms",
            "y_unit": "°/s",
            "time_zero_s": ZERO_S,
            "time_per_x_s": 0.001,
        },
    }


def comparison() -> dict[str, Any]:
    figure = sequence()
    figure["data"] = [
        {
            "key": side,
            "part": "pelvis",
            "side": side,
            "name": side.upper(),
            "unit": "°/s",
            "x0": X0_MS,
            "dx": DX_MS,
            "y": typed(pulse("pelvis") * share),
        }
        for side, share in (("a", 1.0), ("b", 0.9))
    ]
    figure["legend"] = [
        {"key": side, "label": side.upper(), "part": "pelvis", "side": side}
        for side in "ab"
    ]
    return figure


def stick_figure() -> dict[str, Any]:
    frames = 240
    turn = np.linspace(0, 2.2, frames)
    still = np.zeros(frames)
    points = {
        "ankle": np.c_[still + 0.3, still, still + 0.1],
        "hip": np.c_[still, still, still + 0.9],
        "shoulder": np.c_[0.2 * np.cos(turn), 0.2 * np.sin(turn), still + 1.4],
        "hand": np.c_[0.5 * np.cos(turn), 0.5 * np.sin(turn), still + 1.2],
        "tip": np.c_[1.2 * np.cos(turn), 1.2 * np.sin(turn), still + 1.5],
        "head": np.c_[still, still, still + 1.7],
        "lost": np.full((frames, 3), np.nan),
    }
    names = list(points)
    return {
        "points": charts.millimeters(np.stack(list(points.values()), axis=1)),
        "n_frames": frames,
        "n_points": len(names),
        "start_s": 0.6,
        "dt_s": 1 / 240,
        "names": names,
        "bones": [
            [0, 1, "legs"],
            [1, 2, "body"],
            [2, 3, "lead_arm"],
            [3, 4, "bat"],
            [2, 6, "torso"],
        ],
        "trails": [{"point": 4, "part": "bat"}],
        "head": 5,
        "side": "right",
        "events": [
            {"name": "load", "time_s": 0.8, "label": "Load"},
            {"name": "foot_down", "time_s": 1.052, "label": "Foot down"},
            {"name": "reference", "time_s": ZERO_S, "label": "Peak hand"},
        ],
        "zero_s": ZERO_S,
        "first_s": 0.8,
        "unit": "ms",
        "per_s": 1000,
        "reference_label": "peak hand speed",
        "has_forward": True,
        "plate": {"x": 0.8, "y": -0.7, "by": "bat"},
        "chest": [None, None, None, None],
        "front_foot": [0],
    }


PAGES = Path(__file__).parent / "pages"


def answer(name: str, request: Any, context: dict[str, Any] | None = None) -> Any:
    source = (PAGES / f"{name}.html").read_text(encoding="utf-8")
    page = engines["django"].from_string(source)
    return HttpResponse(page.render(context or {}, request))


def swing(request: Any) -> Any:
    return answer("swing", request, {"chart": sequence(), "figure": stick_figure()})


def parts(request: Any) -> Any:
    heads = sorted(
        (m for m in METRICS.values() if m.headline), key=lambda m: m.headline
    )
    speed = METRICS["bat_speed_max"]
    real = MetricChange(
        speed, "real", 30.0, 5, before=32.0, n_before=6, sessions_before=2,
        delta=-2.0, needed=1.5, reason="The difference is more than usual.",
    )  # fmt: skip
    inside = MetricChange(
        speed, "no_clear_change", 32.1, 5, before=32.0, n_before=6, sessions_before=2,
        delta=0.1, needed=1.5,
    )  # fmt: skip
    unknown = MetricChange(
        speed, "unknown", 32.1, 5, reason="Needs 1 more session.",
        reason_code="not_enough",
    )  # fmt: skip
    tiles = [
        SimpleNamespace(
            reading=MetricReading(
                metric, None if metric.unit == "text" else 42.0, n=5, sd=1.0
            ),
            change=(real, inside, unknown)[place % 3],
            history=[1.0, 3.0, 2.0],
            band=(0.5, 3.5) if place % 2 else None,
            href=f"?m={metric.id}",
            current=place == 0,
        )
        for place, metric in enumerate(heads)
    ]
    return answer(
        "parts",
        request,
        {
            "tiles": tiles,
            "mini": [{"part": p, "values": list(pulse(p)[::4])} for p in PEAKS],
            "ages": list(Freshness),
            "states": ["complete", "partial", "waiting", "no_data", "failed", "none"],
            "kinds": ["info", "success", "notice", "error"],
            "tabs": [
                {"label": "Angles", "url": "?t=a", "current": True},
                {"label": "Energy", "url": "?t=e"},
            ],
            "crumbs": [("Athletes", "/athletes/"), ("Invented Athlete", "")],
            "missing": None,
        },
    )


def definition(request: Any, name: str) -> Any:
    return answer("definition", request, {"plain": METRICS[name].plain})


def freshness(request: Any) -> Any:
    return answer("freshness", request)


def fragment(request: Any) -> Any:
    return answer("fragment", request, {"figure": comparison()})


urlpatterns = [
    path("", parts, name="home"),
    path("swing/", swing),
    path("syncing/freshness/", freshness),
    path("fragment/", fragment),
    path("health/live", login_not_required(lambda request: HttpResponse("ok"))),
    path("empty/", lambda request: HttpResponse("")),
    path("invalid/", lambda request: HttpResponse("<b>Not a date</b>", status=422)),
    path("broken/", lambda request: HttpResponse("<h1>Trace</h1>", status=500)),
    path("expired/", lambda request: redirect("/accounts/login/?next=/expired/")),
    path("athletes/definitions/<str:name>/", definition),
    path("athletes/", include("dashboard.urls")),
    path("syncing/", include("syncing.urls")),
    path("accounts/", include("accounts.urls")),
    path("admin/", admin.site.urls),
]
