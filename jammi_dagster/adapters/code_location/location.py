"""A code location as it is now: its assets, partitions, config schemas and resources, with no step running."""

from __future__ import annotations

import contextlib
import difflib
import functools
import operator
import os
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.built_resources import built_resource
from jammi_dagster.adapters.assets.declaration import (
    entry_of,
    is_graph,
    op_name,
    ops_config,
    reuses_first,
    takes_entry,
)
from jammi_dagster.adapters.handoff.store_resource import StoreBacked, is_store_backed
from jammi_dagster.adapters.recipe.graph_config import assets_made_along, own_config
from jammi_dagster.contract.redaction import redacted_text
from jammi_dagster.errors import InstanceNotOpened, InvalidField, InvalidTarget
from jammi_dagster.fingerprint import edited_files
from jammi_dagster.store import ResultStore, StoreIdentity

Definitions = dg.Definitions | dg.RepositoryDefinition | Callable[[], Any]
"""The complete definitions of a code location, as author or Dagster have them, or a function that returns them."""

Target = Any
"""The target of sensors, schedules and checks: selections, strings that select, assets or keys, one or many."""


class Location:
    """The assets, partitions and resources of one repository on one instance; answers are kept.

    Keep one for many looks: `refresh` says that time has passed, which only partitions and `edits` can tell by. `edits`
    are the files of code that differ from the loaded code. `deployment` takes the place of the one that the stores'
    resources name, and `parent` of its parent; `resource_config` is that of a launch.
    """

    def __init__(
        self,
        repository: dg.RepositoryDefinition,
        instance: dg.DagsterInstance,
        *,
        deployment: str | None = None,
        parent: str | None = None,
        resource_config: Mapping[str, Any] | None = None,
    ) -> None:
        self.repository, self.instance = repository, instance
        self._deployment, self._parent = deployment, parent
        self._resource_config = dict(resource_config or {})
        self._stores: dict[StoreIdentity, ResultStore] = {}
        self._resources: dict[tuple[int, str], Any] = {}
        # by the definition's id, which is kept beside: to hash one of many keys takes milliseconds
        self._keys: dict[int, tuple[Any, Hashable, tuple[str, ...]]] = {}
        self._seen: set[int] = set()
        self.edits = edited_files()

    @classmethod
    def of(cls, defs: Definitions, instance: dg.DagsterInstance) -> Location:
        """Return the location of complete definitions."""
        return cls(repository_of(defs), instance)

    def is_on(self, instance: dg.DagsterInstance) -> bool:
        """Tell whether it is on this instance: Dagster opens one anew for each tick."""
        self.instance = instance if instance.root_directory == self.instance.root_directory else self.instance
        return self.instance is instance

    def refresh(self) -> None:
        """Ask for partitions again from now on, and for edited files."""
        self._seen.clear()
        self.edits = edited_files()

    # --- assets ---------------------------------------------------------------------------------------

    @property
    def graph(self) -> Any:
        """Dagster's asset graph."""
        return self.repository.asset_graph

    def assets_def(self, key: dg.AssetKey) -> dg.AssetsDefinition | None:
        """Return the definition that makes an asset, its dependencies resolved; None where nothing does."""
        return self.graph.get(key).assets_def if _is_made(self.graph, key) else None

    def select(self, target: Target) -> list[dg.AssetKey]:
        """List the assets of a target as `select` does."""
        return select(target, self.graph)

    # --- partitions -----------------------------------------------------------------------------------

    def keys_of(self, partitions_def: dg.PartitionsDefinition[Any]) -> tuple[str, ...]:
        """Return the partition keys of now, in their order: the same tuple for as long as they are the same."""
        place = id(partitions_def)
        if place not in self._seen:
            self._seen.add(place)
            state, known = self.state_of(partitions_def), self._keys.get(place)
            if known is None or known[1] != state:
                keys = partitions_def.get_partition_keys(dynamic_partitions_store=self.instance)
                self._keys[place] = partitions_def, state, tuple(map(str, keys))
        return self._keys[place][2]

    def state_of(self, partitions_def: Any) -> Hashable:
        """Return a value that changes whenever a key comes or goes, and costs little."""
        if isinstance(partitions_def, dg.MultiPartitionsDefinition):
            return tuple(
                self.state_of(dimension.partitions_def) for dimension in partitions_def.partitions_defs
            )
        if isinstance(partitions_def, dg.TimeWindowPartitionsDefinition):
            return partitions_def.get_last_partition_key()
        if isinstance(partitions_def, dg.StaticPartitionsDefinition):
            return None
        return tuple(partitions_def.get_partition_keys(dynamic_partitions_store=self.instance))

    def span(self, partitions_def: dg.PartitionsDefinition[Any], first: str, last: str) -> tuple[str, ...]:
        """Return the keys from the first to the last of a range; none where either is gone."""
        keys = self.keys_of(partitions_def)
        try:
            return keys[keys.index(first) : keys.index(last) + 1]
        except ValueError:
            return ()

    # --- config and resources -------------------------------------------------------------------------

    def validated(self, key: dg.AssetKey, raw: Any) -> Any:
        """Return the op config that Dagster makes of a raw one. Raises `dg.DagsterInvalidConfigError`."""
        assets_def = self.graph.get(key).assets_def
        keys, raw = assets_made_along(assets_def, key), own_config(assets_def, key, raw)
        job = self.repository.get_implicit_global_asset_job_def().get_subset(
            asset_selection=keys,
            # not those of a check over several assets: it may not be cut
            asset_check_selection={check for check in assets_def.check_keys if check.asset_key in keys},
        )
        name = op_name(assets_def)
        given: dict[str, Any] = (
            {} if raw is None else {"ops": {name: entry_of(raw, is_whole=takes_entry(assets_def))}}
        )
        resources = {k: value for k, value in self._resource_config.items() if k in job.resource_defs}
        given |= {"resources": resources} if resources else {}
        ops = dg.validate_run_config(job, given)["ops"]
        return ops_config(ops, name) if is_graph(assets_def) else ops.get(name, {}).get("config")

    def config_of_run(
        self, given: Mapping[str, Any], keys: Iterable[dg.AssetKey], ops: Collection[str]
    ) -> dict[str, Any]:
        """Return the run config of a run of some assets: that of these ops, and of the resources that the run needs."""
        config = dict(given)
        config["ops"] = {name: value for name, value in (config.get("ops") or {}).items() if name in ops}
        if "resources" in config:
            whole = self.repository.get_implicit_global_asset_job_def()
            needed = whole.get_subset(asset_selection=set(keys)).resource_defs
            config["resources"] = {k: value for k, value in config["resources"].items() if k in needed}
        return config

    def manager(self, assets_def: dg.AssetsDefinition, key: str) -> StoreBacked | None:
        """Return the IO manager under a key of the asset, if it is ours. Raises any error of making it."""
        manager = self.resource(assets_def, key)
        return manager if is_store_backed(manager) else None

    def store(self, manager: StoreBacked) -> ResultStore:
        """Return the store of an IO manager, from the deployment that is asked about."""
        store = manager.result_store
        deployment = self._deployment or store.scope.deployment
        if deployment == store.scope.deployment and self._parent in (None, store.scope.parent):
            return store
        identity = store.identity
        if identity not in self._stores:
            self._stores[identity] = store.of_deployment(deployment, self._parent)
        return self._stores[identity]

    def resource(self, assets_def: dg.AssetsDefinition, key: str) -> Any:
        """Return a resource as a step would get it, set up and closed again. Raises any error of its own."""
        defs: Mapping[str, Any] = {**self.every_resource, **assets_def.resource_defs}
        if key not in defs:
            return None
        place = id(defs[key]), key
        if place not in self._resources:
            config = self._resource_config
            self._resources[place] = built_resource(defs, key, instance=self.instance, config=config)
        return self._resources[place]

    @functools.cached_property
    def reuses_first(self) -> bool:
        """True if the executor of the location's jobs reuses whole steps before any of them runs."""
        return reuses_first(self.repository.get_implicit_global_asset_job_def())

    @functools.cached_property
    def every_resource(self) -> dict[str, Any]:
        """The resources of all assets, as in a run of them: an inline IO manager is bound to its own asset alone."""
        of_assets = (asset.resource_defs for asset in self.repository.assets_defs_by_key.values())
        bound = {key: resource for resources in of_assets for key, resource in resources.items()}
        return {**bound, **self.repository.get_top_level_resources()}


@contextlib.contextmanager
def instance_at_hand(given: dg.DagsterInstance | None = None) -> Iterator[dg.DagsterInstance]:
    """Give the instance; without one that of `DAGSTER_HOME`, else an empty one. One that was opened here is closed.

    Raises `InstanceNotOpened`.
    """
    if given is not None:
        yield given
        return
    with _own_instance() as own:
        yield own


def _own_instance() -> dg.DagsterInstance:
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        return dg.DagsterInstance.ephemeral()
    try:
        return dg.DagsterInstance.get()
    except Exception as error:  # its configuration may name any class, which raises anything
        first = next(iter(redacted_text(str(error)).splitlines()), "")
        raise InstanceNotOpened(home=home, why=f"{type(error).__name__}: {first}") from error


def repository_of(defs: Definitions) -> dg.RepositoryDefinition:
    """Return the repository that Dagster makes of complete definitions. Raises `InvalidField` for anything else."""
    if isinstance(defs, dg.RepositoryDefinition):
        return defs
    if isinstance(defs, dg.Definitions):
        return defs.get_repository_def()
    if callable(defs) and not isinstance(
        defs, dg.AssetsDefinition
    ):  # a function, or one under `@dg.definitions`
        return repository_of(defs())
    expected = "dagster.Definitions, a repository, or a function that returns one"
    raise InvalidField(what="definitions", path="defs", value=defs, expected=expected)


def select(target: Target, graph: Any) -> list[dg.AssetKey]:
    """List the assets of a target that Dagster can make, each after its upstream assets. Raises `InvalidTarget`."""
    try:
        keys = selection_of(target).resolve(graph)
    except NotImplementedError as error:
        why = "Dagster resolves this kind of selection only in its own services"
        raise InvalidTarget(target=target, why=why) from error
    except dg.DagsterError as error:
        first = next(iter(str(error).splitlines()), "").rstrip(".")
        raise InvalidTarget(target=target, why=_unknown(target, graph) or first) from error
    return [key for key in graph.toposorted_asset_keys if key in keys and _is_made(graph, key)]


def _unknown(target: Target, graph: Any) -> str:
    """Name an asset of a target that is not there, with near names; empty where each of them is."""
    for key in named_keys(selection_of(target)) or ():
        if not graph.has(key):
            name = key.to_user_string()
            names = [one.to_user_string() for one in graph.get_all_asset_keys()]
            close = difflib.get_close_matches(name, names, n=3)
            near = f" (near names: {', '.join(close)})" if close else ""
            return f"no asset is named {name}{near}"
    return ""


def selection_of(target: Target) -> dg.AssetSelection:
    """Return the asset selection that a target means. Raises `InvalidTarget`."""
    many = isinstance(target, Iterable) and not isinstance(target, (str, bytes, Mapping))
    parts = [_selection(item) for item in (target if many and not is_record(target) else [target])]
    named = [named_keys(part) for part in parts]
    if None in named:
        return functools.reduce(operator.or_, parts)
    return dg.AssetSelection.assets(*(key for keys in named for key in keys or ()))


def named_keys(selection: dg.AssetSelection) -> Sequence[dg.AssetKey] | None:
    """Return the keys that a selection lists; None for a selection that only an asset graph can resolve."""
    keys: Sequence[dg.AssetKey] | None = getattr(selection, "selected_keys", None)
    return keys


def _selection(item: Any) -> dg.AssetSelection:
    """Return the selection that one item of a target means; a list of strings in a list is the path of a key."""
    if isinstance(item, str) and item == "*":  # Dagster would parse it with an argument that is in beta
        return dg.AssetSelection.all()
    if isinstance(item, (dg.AssetSpec, dg.SourceAsset)):
        item = item.key
    elif isinstance(item, dg.AssetDep):
        item = item.asset_key
    elif isinstance(getattr(item, "selection", None), dg.AssetSelection):  # of `define_asset_job`
        item = item.selection
    elif isinstance(item, dg.JobDefinition):
        return dg.AssetSelection.assets(*sorted(item.asset_layer.executable_asset_keys))
    elif isinstance(item, (list, tuple)) and not is_record(item) and item:
        item = dg.AssetKey(item) if all(isinstance(part, str) for part in item) else item
    if isinstance(item, dg.AssetKey):
        return dg.AssetSelection.assets(item)
    if isinstance(item, dg.AssetsDefinition):
        return dg.AssetSelection.assets(*sorted(item.keys))
    try:
        if not isinstance(item, (str, dg.AssetSelection)):
            raise TypeError(f"{type(item).__name__} is no asset and no selection")
        return dg.AssetSelection.from_coercible(item)
    except (dg.DagsterError, TypeError, ValueError) as error:
        raise InvalidTarget(target=item, why=str(error)) from error


def is_record(value: Any) -> bool:
    """Tell a record of Dagster's, which is a named tuple and refuses to be iterated, from a plain tuple."""
    return isinstance(value, tuple) and type(value) is not tuple


def _is_made(graph: Any, key: dg.AssetKey) -> bool:
    """Tell an asset that a definition here can make from an external or unknown one."""
    return bool(graph.has(key) and graph.get(key).is_materializable and graph.get(key).is_executable)


def is_identity(mapping: dg.PartitionMapping) -> bool:
    """Tell whether a mapping between equal partitions gives each partition itself."""
    return isinstance(mapping, dg.IdentityPartitionMapping) or mapping == dg.TimeWindowPartitionMapping()
