"""A dry step: an asset as a step with a recorded config would see it, with no step running."""

from __future__ import annotations

import functools
import re
from typing import Any

import dagster as dg
from pydantic import ValidationError

from jammi_dagster.adapters.assets.declaration import DeclaredAsset
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.errors import JammiError

_UNSET = re.compile(r'environment variable "([^"]+)" which is not set')


class DryStep(DeclaredAsset):
    """The view of an asset that a step with a recorded config would have."""

    def __init__(self, location: Location, key: dg.AssetKey, raw: Any = None, validated: Any = None) -> None:
        self.asset_key, self.instance, self._location = key, location.instance, location
        self._raw, self._validated = raw, validated

    @functools.cached_property
    def assets_def(self) -> dg.AssetsDefinition:
        found = self._location.assets_def(self.asset_key)
        assert found is not None, "somebody found the asset here"
        return found

    def node(self, key: dg.AssetKey) -> Any:
        return self._location.graph.get(key)

    def declared_node(self, key: dg.AssetKey) -> Any:
        graph = self._location.graph
        # that of a job knows assets of other jobs by name alone
        return getattr(graph, "source_asset_graph", graph).get(key)

    def upstream_partitions(self, key: dg.AssetKey, input_name: str | None) -> tuple[str, ...] | None:
        return None  # which they are is asked for each table

    def resource(self, key: str) -> Any:
        return self._location.resource(self.assets_def, key)

    @property
    def op_config(self) -> Any:
        return self._validated

    @property
    def raw_op_config(self) -> Any:
        return self._raw


def first_line(error: BaseException) -> str:
    """Return an error's text in one line; only the type of an error of other people's code, which may hold a secret."""
    # Dagster wraps what a resource raises
    while error.__cause__ is not None and not isinstance(error, JammiError):
        error = error.__cause__
    text = type(error).__name__
    if isinstance(error, (JammiError, dg.DagsterInvalidConfigError)):
        text = str(error)
        if unset := _UNSET.findall(text):  # of Dagster, at the end of a text that says where
            return f"the environment variable {', '.join(dict.fromkeys(unset))} is not set; set it for this process"
    elif isinstance(error, ValidationError):
        found = error.errors(include_input=False, include_url=False, include_context=False)
        text = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in found)
    return " ".join(text.split())[:300]
