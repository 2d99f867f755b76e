"""The code location that a run belongs to, for jobs and checks that ask about tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import op_name
from jammi_dagster.adapters.code_location.location import Definitions, Location

DefinitionsOf = Definitions


def location_of(context: Any, defs: DefinitionsOf | None = None) -> Location:
    """Return the location of a running op or check: of `defs` if given, else Dagster's, else of its job alone.

    Dagster knows the location in every run that it launches, not in one within a test's own process.
    """
    if defs is not None:
        return Location.of(defs, context.instance)
    try:
        return Location(context.repository_def, context.instance)
    except Exception:  # Dagster's check error has no public name
        # as much of a repository as a Location asks of one
        return Location(_OfJob(context.job_def), context.instance)  # type: ignore[arg-type]


class RunLocation(Location):
    """The location of one run: its job alone, with the config that the run was launched with.

    `op_configs` are Dagster's validated configs by op.
    """

    def __init__(
        self,
        job: Any,
        instance: dg.DagsterInstance,
        *,
        op_configs: Mapping[str, Any],
        resource_config: Mapping[str, Any],
    ) -> None:
        # as much of a repository as a Location asks of one
        super().__init__(_OfJob(job), instance, resource_config=resource_config)  # type: ignore[arg-type]
        self._op_configs = op_configs

    def validated(self, key: dg.AssetKey, raw: Any) -> Any:
        """Return the op config that Dagster made for the run."""
        return self._op_configs.get(op_name(self.graph.get(key).assets_def))


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
