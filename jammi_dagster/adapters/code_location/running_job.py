"""The code location that a run belongs to, for jobs and checks that ask about tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters.code_location.location import Definitions, Location

DefinitionsOf = Callable[[], Definitions]


def location_of(context: Any, defs: DefinitionsOf | None = None) -> Location:
    """Return the location of a running op or check: of `defs` if given, else Dagster's, else of its job alone.

    Dagster knows the location in every run that it launches, not in one within a test's own process.
    """
    if defs is not None:
        return Location.of(defs(), context.instance)
    try:
        return Location(context.repository_def, context.instance)
    except Exception:  # Dagster's check error has no public name
        # as much of a repository as a Location asks of one
        return Location(_OfJob(context.job_def), context.instance)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class _OfJob:
    """As much of a repository as one asset job shows."""

    job: Any

    @property
    def asset_graph(self) -> Any:
        return self.job.asset_layer.asset_graph

    @property
    def assets_defs_by_key(self) -> Mapping[dg.AssetKey, dg.AssetsDefinition]:
        return {node.key: node.assets_def for node in self.asset_graph.asset_nodes}

    def get_top_level_resources(self) -> Mapping[str, Any]:
        return dict(self.job.resource_defs)

    def get_implicit_global_asset_job_def(self) -> Any:
        return self.job

    def has_job(self, name: str) -> bool:
        return bool(name == self.job.name)

    def get_job(self, name: str) -> Any:
        return self.job
