"""The code location that a run belongs to, for jobs and checks that ask about tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import is_graph, ops_config
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
        return Location(_of_job(context.job_def), context.instance)


class RunLocation(Location):
    """The location of one run: its job alone, with the config that the run was launched with.

    `ops` are Dagster's validated configs by op.
    """

    def __init__(
        self,
        job: Any,
        instance: dg.DagsterInstance,
        *,
        ops: Mapping[str, Any],
        resource_config: Mapping[str, Any],
    ) -> None:
        super().__init__(_of_job(job), instance, resource_config=resource_config)
        self._ops, self._layer = ops, job.asset_layer
        self.reuses_first = True  # whoever asks about a run before its steps does so for this

    def validated(self, key: dg.AssetKey, raw: Any) -> Any:
        """Return the op config that Dagster made for the run."""
        # of two assets that one op or graph makes, the second has a node under another name
        node = self._layer.get_op_output_handle(key).node_handle.path[0]
        if is_graph(self.graph.get(key).assets_def):
            return ops_config(self._ops, node)
        op = self._ops.get(node)
        return None if op is None else op.config


def _of_job(job: Any) -> Any:
    """Return a job in the place of its repository: as much of one as a Location asks for."""
    return _OfJob(job)


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
