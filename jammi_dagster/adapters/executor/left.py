"""The steps that are left to the wrapped executor, by what Dagster knows of them before anything is decided."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.step import ExecutionStep

from jammi_dagster.adapters.assets.declaration import is_graph
from jammi_dagster.adapters.assets.spec import spec_of
from jammi_dagster.adapters.metadata_keys import DEFERRED_TAG, RESUME_TAGS
from jammi_dagster.planning.siblings import in_order

_SURROUNDINGS = frozenset(
    {"env", "environment", "image", "mount", "mounts", "queue", "secret", "secrets", "volume", "volumes"}
)
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+")


def why_run_is_left(run: dg.DagsterRun, plan: ExecutionPlan, is_here: bool) -> str | None:
    """Return why no step of a run is decided before it is launched; None if steps may be.

    `is_here` says that steps run where the worker does. Elsewhere config in the run's tags is that of the worker alone.
    """
    if run.tags.get(DEFERRED_TAG):
        return "another system tells Dagster of its assets"
    if not is_here and any(map(names_surroundings, run.tags.values())):
        return "its tags give the worker an environment of its own"
    is_named = run.step_keys_to_execute and len(run.step_keys_to_execute) < len(plan.steps)
    if run.parent_run_id and is_named and not any(run.tags.get(tag) == "true" for tag in RESUME_TAGS):
        return "a re-execution names its steps"
    return None


def why_left(step: Any, job: Any, attempts: Mapping[str, int], *, in_graph: bool = False) -> str | None:
    """Return why a step is left to the wrapped executor; None if it may be decided for it. `attempts` came before.

    A step of a graph, which is decided as a whole, may be dynamic and make no asset.
    """
    if not in_graph:
        if not isinstance(step, ExecutionStep) or any(output.is_dynamic for output in step.step_outputs):
            return "it has dynamic inputs or outputs"
        if not assets_of_step(step, job):
            return "it makes no single asset, and is not under @result_tables"
    if job.get_all_hooks_for_handle(step.node_handle):
        return "it has hooks"
    if attempts.get(step.key):
        return "it is tried again"
    if names_surroundings(dict(step.tags or {})):
        return "its tags give it an environment of its own"
    return None


def assets_of_step(step: ExecutionStep, job: Any) -> list[dg.AssetKey]:
    """Return the assets that a step makes, each after its siblings; none where they are not to be decided.

    That is one asset alone, or the assets of `@result_tables`, with checks of these at most.
    """
    outputs = [output.properties for output in step.step_outputs]
    found = [one.asset_key for one in outputs if one.asset_check_key is None]
    keys = [key for key in found if key is not None]
    checked = {one.asset_check_key.asset_key for one in outputs if one.asset_check_key is not None}
    definition = job.asset_layer.get_assets_def_for_node(step.node_handle)
    spec = None if definition is None or is_graph(definition) else spec_of(definition)
    if spec is not None and spec.is_of_many:
        selected = {key.to_user_string(): key for key in keys}  # others have no key
        above = {name: _above(definition, key) & selected.keys() for name, key in selected.items()}
        keys = [selected[name] for name in in_order(above)]
    elif len(found) != 1:
        return []
    return [] if checked - set(keys) else keys


def _above(assets_def: dg.AssetsDefinition, key: dg.AssetKey) -> set[str]:
    return {one.to_user_string() for one in assets_def.asset_deps[key] - {key}}


def names_surroundings(value: Any) -> bool:
    """Tell whether tags or config of an executor set image, env, secrets, mounts, volumes or queue, at any depth.

    >>> names_surroundings({"dagster-k8s/config": '{"container_config": {"envFrom": [{"name": "other"}]}}'})
    True
    >>> names_surroundings({"max_concurrent": 2, "job_image": None})
    False
    """
    if isinstance(value, str) and value[:1] in ("{", "["):  # a tag holds its config as a text
        try:
            value = json.loads(value)
        except ValueError:
            return True
    if isinstance(value, Mapping):
        named = (key for key, one in value.items() if one)
        return any(
            _SURROUNDINGS & {word.lower() for word in _WORDS.findall(str(key))} for key in named
        ) or any(map(names_surroundings, value.values()))
    return isinstance(value, (list, tuple)) and any(map(names_surroundings, value))
