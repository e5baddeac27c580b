"""The catalogue of metrics: every record by id, and the page that documents them."""

from __future__ import annotations

from functools import cache

from revops_helpers.metrics.metric import FAMILIES, Metric


@cache
def catalogue() -> dict[str, Metric]:
    """Every metric by id, family by family. ValueError when an id is defined twice."""
    from revops_helpers.metrics import (
        acquisition,
        currency,
        customer,
        data_and_stack,
        efficiency,
        forecasts,
        lifecycle,
        marketing,
        predictability,
        process,
        promises,
        quality,
        revenue,
        spending,
        stays,
        team,
        voice,
        waiting,
        work,
    )

    found: dict[str, Metric] = {}
    families = (
        revenue,
        currency,
        efficiency,
        acquisition,
        process,
        waiting,
        stays,
        lifecycle,
        marketing,
        spending,
        work,
        team,
        customer,
        voice,
        predictability,
        promises,
    )
    for family in (*families, forecasts, data_and_stack, quality):
        for metric in family.METRICS:
            if metric.id in found:
                raise ValueError(f"metric {metric.id} is defined twice")
            found[metric.id] = metric
    return found


HOW = {
    "sum": "exact count or sum",
    "proportion": "Wilson",
    "ratio": "delta method over independent clusters",
    "share": "Wilson, for as many records as the unequal ones are worth",
    "mean": "Student's t",
    "exact": "booked totals, no sampling error claimed",
    "per_fixed": "random sum over a known amount",
    "per_count": "exact Poisson",
    "fixed_per": "known amount over a random sum",
    "median": "Kaplan-Meier quantile, Brookmeyer-Crowley interval",
    "won_median": "Aalen-Johansen, sign-test interval",
    "lifetime": "Kaplan-Meier with delayed entry, Greenwood",
    "explained": "delta method over independent clusters",
    "derived": "from the intervals of its parts",
}


def catalogue_page() -> str:
    """docs/metrics.md: every metric with all that its record says."""
    lines = [
        "# Metrics",
        "",
        "Generated from the records in `revops_helpers/metrics/` by `make docs`. Money is in the reporting currency at plan",
        "rates, intervals are 95%, days are the company's own. Benchmarks are dated context, never pass or fail.",
    ]
    for family in FAMILIES:
        metrics = [m for m in catalogue().values() if m.family == family]
        if metrics:
            lines += ["", f"## {family.replace('_', ' ').capitalize()}"]
        for metric in metrics:
            lines += ["", *_entry(metric)]
    return "\n".join(lines) + "\n"


def _entry(metric: Metric) -> list[str]:
    better = {"higher": "higher is better", "lower": "lower is better", "neither": "neither is better"}[metric.direction]
    needs = metric.needs or ("nothing",)
    rows = [
        f"### {metric.label} (`{metric.id}`)",
        "",
        metric.definition,
        "",
        f"- **Formula:** {metric.formula}",
        f"- **Grain, unit:** {metric.grain}; {metric.unit}; {better}",
        f"- **Timing:** {metric.timing}",
        f"- **Edge cases:** {metric.edge_cases}",
        f"- **Interval:** {HOW[metric.estimator]}",
        f"- **Owner:** {metric.owner}",
        f"- **Source:** {metric.source}",
        f"- **Needs:** {', '.join(f'`{need}`' for need in needs)}",
    ]
    if metric.parts:
        rows.append(f"- **Computed from:** {', '.join(f'`{part}`' for part in metric.parts)}")
    if metric.dimensions:
        rows.append(f"- **Cut by:** {', '.join(metric.dimensions)}")
    rows += [f"- **Benchmark:** {b.text} ({b.source}, {b.year})" for b in metric.benchmarks]
    return rows
