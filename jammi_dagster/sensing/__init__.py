"""Sensing: questions about recorded tables, answered without ever writing.

Rules:

1. Nothing here writes: every question works on a read-only database and root.
2. Verdicts are the engine's (freshness.rs). One input that cannot be resolved makes a verdict `undecidable`.
3. Decisions are pure (`judge`); looking things up is apart from them (`Resolver`, `Observations`, `Rows`).

Not done here: computing the current definition (callers pass it in), and requesting runs (see `adapters/sensor`).
"""

from jammi_dagster.sensing.acceptance import acceptance_of
from jammi_dagster.sensing.difference import MaterializationDiff, RowDifference, difference
from jammi_dagster.sensing.history import At, materialization_at
from jammi_dagster.sensing.observations import DatedSurface, Observations
from jammi_dagster.sensing.pins import moves_behind, pins_behind
from jammi_dagster.sensing.probe import Wanted, has_bytes, lookup_cached, probe_cache_record, probe_tables
from jammi_dagster.sensing.rows import Rows
from jammi_dagster.sensing.staleness import Resolver, judge
from jammi_dagster.sensing.sweep import sweep, sweep_inputs
from jammi_dagster.sensing.verify import verify_materialization
from jammi_dagster.sensing.why import Why, why

__all__ = [
    "At",
    "DatedSurface",
    "MaterializationDiff",
    "Observations",
    "Resolver",
    "RowDifference",
    "Rows",
    "Wanted",
    "Why",
    "acceptance_of",
    "difference",
    "has_bytes",
    "judge",
    "lookup_cached",
    "materialization_at",
    "moves_behind",
    "pins_behind",
    "probe_cache_record",
    "probe_tables",
    "sweep",
    "sweep_inputs",
    "verify_materialization",
    "why",
]
