"""Dashboard and alert rules in deploy/ ask only for what /metrics emits."""

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from syncing.choices import JobState
from tests.reboot_site.emitted_metrics import EMITTED
from tests.test_architecture import ROOT

DEPLOY = ROOT / "deploy"
ALERTS = yaml.safe_load((DEPLOY / "prometheus-alerts.yml").read_text("utf-8"))
RULES = {rule["alert"]: rule for group in ALERTS["groups"] for rule in group["rules"]}
DASHBOARD = json.loads((DEPLOY / "grafana-dashboard.json").read_text("utf-8"))
# Prometheus itself has `up` of each host that it asks.
KNOWN = EMITTED | {"up": {"job", "instance"}}


def panel_queries():
    return {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    }


QUERIES = panel_queries() | {name: rule["expr"] for name, rule in RULES.items()}


def selectors(query):
    """(metric, its labels with the values asked for) of each selector in a query."""
    for name, _, labels in re.findall(r"\b(dashboard_\w+|up\b)(\{([^}]*)\})?", query):
        pairs = re.findall(r'(\w+)\s*(?:=~|!=|!~|=)\s*"([^"]*)"', labels)
        yield name, dict(pairs)


def grouped_by(query):
    """Labels by which a query keeps values apart."""
    found = re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", query)
    return {label.strip() for text in found for label in text.split(",") if label}


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_query_asks_for_metrics_and_labels_that_are_emitted(name):
    query = QUERIES[name]
    asked = list(selectors(query))
    assert asked
    known = set()
    for metric, labels in asked:
        assert metric in KNOWN
        assert set(labels) <= KNOWN[metric]
        known |= KNOWN[metric]
        if metric == "dashboard_export_jobs" and "state" in labels:
            assert set(labels["state"].split("|")) <= set(JobState.values)
    assert grouped_by(query) <= known


def test_legends_name_labels_that_their_query_keeps():
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert named <= grouped_by(target["expr"])


def test_every_metric_of_the_page_has_a_panel_and_an_alert():
    page = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    named = {*re.findall(r"^\| `(dashboard_\w+)", page, re.MULTILINE)}
    own = {re.sub("_(bucket|count|sum)$", "", name) for name in EMITTED}
    assert named == own
    for queries in (panel_queries(), {n: r["expr"] for n, r in RULES.items()}):
        asked = {m for query in queries.values() for m, _ in selectors(query)}
        assert named <= {re.sub("_(bucket|count|sum)$", "", name) for name in asked}


def test_panels_have_numbers_and_places_of_their_own():
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


#: Samples a minute apart, what they mean, and when it has to be told.
CASES = [
    ("DashboardDown", 'up{job="dashboard", instance="a:80"}', "0x20", "10m"),
    (
        "DashboardSyncOld",
        "dashboard_last_sync_success_age_seconds",
        "93000+60x20",
        "15m",
    ),
    ("DashboardNeverSynced", 'up{job="dashboard", instance="a:80"}', "1x1700", "27h"),
    ("DashboardNoWorker", 'up{job="dashboard", instance="a:80"}', "1x20", "15m"),
    (
        "DashboardWorkerSilent",
        'dashboard_worker_heartbeat_age_seconds{host="one"}',
        "200+60x20",
        "10m",
    ),
    ("DashboardQueueGrows", "dashboard_queue_length", "30+2x120", "90m"),
    (
        "DashboardExportsFail",
        'dashboard_export_jobs{state="given_up"}',
        "0x30 3x30",
        "45m",
    ),
    (
        "DashboardErrors",
        'dashboard_requests_total{method="GET", route="/", status="500"}',
        "0+60x60",
        "40m",
    ),
    (
        "DashboardSlow",
        'dashboard_request_seconds_bucket{route="/", le="5.0"}',
        "0+60x60",
        "45m",
    ),
]


def promtool(*arguments):
    program = shutil.which("promtool")
    if program is None and os.environ.get("CI") != "true":
        pytest.skip("no promtool")
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.processes
def test_prometheus_understands_the_queries_and_every_alert_goes_off(tmp_path):
    """Each alert is silent at the beginning of its case, and goes off in it."""
    assert {name for name, *_ in CASES} == set(RULES)
    panels = tmp_path / "panels.yml"
    panels.write_text(
        yaml.safe_dump(
            {
                "groups": [
                    {
                        "name": "panels",
                        "rules": [
                            {
                                "record": f"panel_{number}",
                                "expr": query.replace("$__rate_interval", "5m"),
                            }
                            for number, query in enumerate(panel_queries().values())
                        ],
                    }
                ]
            }
        ),
        "utf-8",
    )
    done = promtool(
        "check", "rules", str(panels), str(DEPLOY / "prometheus-alerts.yml")
    )
    assert done.returncode == 0, done.stdout + done.stderr

    tests = []
    for alert, series, values, at in CASES:
        given = [{"series": series, "values": values}]
        if alert == "DashboardSlow":
            given += [
                {"series": series.replace("5.0", le), "values": other}
                for le, other in (("+Inf", "0+60x60"), ("2.5", "0+6x60"))
            ]
        firing = f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})'
        one = [{"labels": "{}", "value": 1}]
        tests.append(
            {
                "interval": "1m",
                "input_series": given,
                "promql_expr_test": [
                    {"expr": firing, "eval_time": "0m", "exp_samples": []},
                    {"expr": firing, "eval_time": at, "exp_samples": one},
                ],
            }
        )
    cases = tmp_path / "cases.yml"
    cases.write_text(
        yaml.safe_dump(
            {
                "rule_files": [str(DEPLOY / "prometheus-alerts.yml")],
                "evaluation_interval": "1m",
                "tests": tests,
            }
        ),
        "utf-8",
    )
    done = promtool("test", "rules", str(cases))
    assert done.returncode == 0, done.stdout + done.stderr
