"""The steps that are left to the wrapped executor, by what Dagster knows of them before anything is decided."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.step import ExecutionStep

from jammi_dagster.adapters.metadata_keys import DEFERRED_TAG, RESUME_TAGS

_SURROUNDINGS = frozenset({"env", "environment", "image", "queue", "volume", "volumes"})
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+")


def why_run_is_left(run: dg.DagsterRun, plan: ExecutionPlan) -> str | None:
    """Return why no step of a run is decided before it is launched; None if steps may be."""
    if run.tags.get(DEFERRED_TAG):
        return "another system tells Dagster of its assets"
    is_named = run.step_keys_to_execute and len(run.step_keys_to_execute) < len(plan.steps)
    if run.parent_run_id and is_named and not any(run.tags.get(tag) == "true" for tag in RESUME_TAGS):
        return "a re-execution names its steps"
    return None


def why_left(step: Any, job: Any, attempts: Mapping[str, int]) -> str | None:
    """Return why a step is left to the wrapped executor; None if it may be decided for it. `attempts` came before."""
    if not isinstance(step, ExecutionStep) or any(output.is_dynamic for output in step.step_outputs):
        return "it has dynamic inputs or outputs"
    if asset_of_step(step) is None:
        return "it makes no single asset"
    if job.get_all_hooks_for_handle(step.node_handle):
        return "it has hooks"
    if attempts.get(step.key):
        return "it is tried again"
    if names_surroundings(dict(step.tags or {})):
        return "its tags give it an environment of its own"
    return None


def asset_of_step(step: ExecutionStep) -> dg.AssetKey | None:
    """Return the asset that a step makes alone, with checks of that asset at most."""
    keys, checks = [], []
    for output in step.step_outputs:
        if output.properties.asset_check_key is not None:
            checks.append(output.properties.asset_check_key.asset_key)
        else:
            keys.append(output.properties.asset_key)
    if len(keys) != 1 or keys[0] is None or set(checks) - set(keys):
        return None
    key: dg.AssetKey = keys[0]
    return key


def names_surroundings(value: Any) -> bool:
    """Tell whether tags or config of an executor set image, env, volumes or queue, at any depth.

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
