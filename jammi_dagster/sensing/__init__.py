"""Sensing: questions about what is recorded, answered without ever writing."""

from jammi_dagster.sensing.observations import Dated, Observations
from jammi_dagster.sensing.probe import lookup_cached, probe_cache_record
from jammi_dagster.sensing.rows import Rows
from jammi_dagster.sensing.staleness import Resolver, judge
from jammi_dagster.sensing.sweep import sweep
from jammi_dagster.sensing.verify import verify_materialization

__all__ = [
    "Dated",
    "Observations",
    "Resolver",
    "Rows",
    "judge",
    "lookup_cached",
    "probe_cache_record",
    "sweep",
    "verify_materialization",
]
