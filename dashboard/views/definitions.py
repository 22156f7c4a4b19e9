"""What every number and curve means."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from athletes.analysis import percentiles
from athletes.http import PageRequest, page_or_fragment
from athletes.phrases import EVENTS
from biomechanics.definitions import GROUPS, METRICS, ROBUSTNESS, SERIES, SHOWN_METRICS
from dashboard.selectors.measured_accuracy import measured_accuracy


@require_safe
def definitions(request: PageRequest) -> HttpResponse:
    """All definitions, by group."""
    groups = [
        {
            "key": key,
            "name": name,
            "metrics": [item for item in SHOWN_METRICS if item.group == key],
            "series": [item for item in SERIES.values() if item.group == key],
        }
        for key, name in GROUPS.items()
    ]
    context = {"groups": groups, "events": EVENTS, "term": percentiles.DEFINITION}
    return page_or_fragment(
        request,
        "dashboard/definitions.html",
        "dashboard/_definitions.html",
        context,
    )


@require_safe
def definition(request: PageRequest, name: str) -> HttpResponse:
    """One definition, as a page or as what opens beside a number."""
    if name == percentiles.DEFINITION.id:
        return _term(request, percentiles.DEFINITION)
    metric = METRICS.get(name)
    if metric is None:
        raise Http404("There is no metric with this name.")
    context = {
        "metric": metric,
        "accuracy": measured_accuracy(metric),
        "needs": [ROBUSTNESS[letter] for letter in metric.robustness],
        "group_name": GROUPS[metric.group],
        "crumbs": [
            ("Definitions", reverse("dashboard:definitions")),
            (metric.name, ""),
        ],
    }
    return page_or_fragment(
        request, "dashboard/definition.html", "dashboard/_definition.html", context
    )


def _term(request: PageRequest, term: percentiles.Term) -> HttpResponse:
    """The definition of a word that is no metric."""
    crumbs = [("Definitions", reverse("dashboard:definitions")), (term.name, "")]
    return page_or_fragment(
        request,
        "dashboard/term.html",
        "dashboard/_term.html",
        {"term": term, "crumbs": crumbs},
    )
