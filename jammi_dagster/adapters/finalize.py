"""`finalize`: gives Dagster's asset graph the code identities, once all modules are loaded."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.bound_resources import bind
from jammi_dagster.adapters.assets.declaration import function_of, is_graph
from jammi_dagster.adapters.assets.graph import functions_of
from jammi_dagster.adapters.assets.graph_checks import check_graph
from jammi_dagster.adapters.assets.spec import spec_of
from jammi_dagster.adapters.code_identity import identity_of_table
from jammi_dagster.adapters.executor.definitions import with_reuse_first
from jammi_dagster.adapters.handoff.store_resource import is_store_backed
from jammi_dagster.adapters.metadata_keys import FINALIZED
from jammi_dagster.contract import CachePolicy
from jammi_dagster.errors import InvalidField
from jammi_dagster.fingerprint import fix_location, identify

_log = logging.getLogger("jammi_dagster")
_warned: set[dg.AssetKey] = set()


def finalize(
    defs: dg.Definitions | Callable[[], dg.Definitions], *, reuse_first: bool = False
) -> dg.Definitions:
    """Return the same definitions, with the code identity of each result table as its code version.

    Assets under `@result_table` and plain assets on a `ResultTableIOManager` get one, unless their author gave a code
    version; all others stay as they are. Call `finalize` on the complete definitions: an identity counts helpers that
    are defined below an asset, and modules that import each other. A result table under `use` that can never be reused
    is logged as a warning, with the declaration to add.

    With `reuse_first` the executor of the definitions, or Dagster's default one, and that of each job stand under
    `reuse_first`. Call it outermost then: Dagster merges no definitions with different executors.

        defs = finalize(dg.Definitions(assets=[orders], resources={"io_manager": manager}))
    """
    if not isinstance(defs, dg.Definitions):
        if not callable(defs) or isinstance(defs, dg.AssetsDefinition):
            expected = "dagster.Definitions, or a function that returns them"
            raise InvalidField(what="finalize", path="defs", value=defs, expected=expected)
        return finalize(defs(), reuse_first=reuse_first)
    if reuse_first:
        defs = with_reuse_first(defs)
    _fix(defs, sys._getframe(1))
    for asset in defs.assets or ():
        if isinstance(asset, dg.AssetsDefinition):
            bind(asset, defs.resources or {})
    versions = {
        key: digest
        for asset in defs.assets or ()
        if isinstance(asset, dg.AssetsDefinition)
        for key, digest in _identities(asset, defs).items()
    }

    def identified(spec: dg.AssetSpec) -> dg.AssetSpec:
        digest = versions.get(spec.key)
        if digest is None:
            return spec
        return spec.replace_attributes(code_version=digest).merge_attributes(metadata={FINALIZED: digest})

    with warnings.catch_warnings():
        # no stable method reaches the asset graph; a test pins this preview, so users need no warning
        warnings.simplefilter("ignore", dg.PreviewWarning)
        if all(isinstance(asset, (dg.AssetsDefinition, dg.AssetSpec)) for asset in defs.assets or ()):
            return defs.map_resolved_asset_specs(func=identified)
        return defs.permissive_map_resolved_asset_specs(func=identified, selection=None)  # with source assets


def _fix(defs: dg.Definitions, caller: FrameType) -> None:
    """Fix the modules of the code location: those that build the definitions, and those that hold their assets."""
    made = [asset for asset in defs.assets or () if isinstance(asset, dg.AssetsDefinition)]
    functions = [function for asset in made if asset.is_executable for function in _functions(asset)]
    fix_location(functions, made, caller)


def _functions(asset: dg.AssetsDefinition) -> list[Callable[..., Any]]:
    if is_graph(asset):
        return functions_of(asset.node_def)
    declared = spec_of(asset)
    return [declared.function if declared else function_of(asset)]


def _identities(asset: dg.AssetsDefinition, defs: dg.Definitions) -> dict[dg.AssetKey, str]:
    if not asset.is_executable or not asset.is_materializable:
        return {}
    declared = spec_of(asset)
    for key in sorted(asset.keys) if declared is not None else ():
        _warn_if_never_reused(asset, key, defs)
    if declared is not None:
        specs = {key: spec_of(asset, key) or declared for key in asset.keys}
        return {key: spec.code().digest for key, spec in specs.items() if spec.code_version is None}
    ours = [
        spec.key
        for spec in asset.specs
        if is_store_backed((defs.resources or {}).get(asset.get_io_manager_key_for_asset_key(spec.key)))
    ]
    if is_graph(asset):
        checked = check_graph(asset, ours, defs.resources or {})
        return {key: spec.code().digest for key, spec in checked.items() if spec.code_version is None}
    ours = [key for key in ours if asset.specs_by_key[key].code_version is None]
    return dict.fromkeys(ours, identify(function_of(asset)).digest) if ours else {}


def _warn_if_never_reused(asset: dg.AssetsDefinition, key: dg.AssetKey, defs: dg.Definitions) -> None:
    """Log a warning for an asset under `use` whose tables can never be reused; once in a process."""
    spec = spec_of(asset)
    if spec is None or key in _warned:
        return
    manager = (defs.resources or {}).get(asset.get_io_manager_key_for_asset_key(key))
    policy = spec.cache or (manager.policy if is_store_backed(manager) else None)
    if policy is not CachePolicy.USE:
        return
    reasons = identity_of_table(asset, key).reasons
    if reasons:
        _warned.add(key)
        more = f" (and {len(reasons) - 1} more: see jammi-dagster explain)" if len(reasons) > 1 else ""
        text = "asset %s: its cache policy is `use`, but it can never be reused: %s%s"
        _log.warning(text, key.to_user_string(), reasons[0], more)
