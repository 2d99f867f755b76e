"""Sensing: questions about what is recorded, answered without ever writing."""

from jammi_dagster.sensing.probe import lookup_cached, probe_cache_record

__all__ = ["lookup_cached", "probe_cache_record"]
