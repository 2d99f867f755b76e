"""One asset of a code location: the definitions that its tables would have now, with no step running (DESIGN 5)."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import dagster as dg

from jammi_dagster.adapters.assets.cache_policy import effective_policy
from jammi_dagster.adapters.assets.declaration import Dependency, is_graph, most_at_once
from jammi_dagster.adapters.assets.graph import undecorated_spec
from jammi_dagster.adapters.assets.partitions import PartitionsGone
from jammi_dagster.adapters.assets.spec import TableSpec, spec_of
from jammi_dagster.adapters.code_location.dry_step import DryStep, first_line
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.code_location.upstream import Upstream
from jammi_dagster.adapters.handoff.references import NoReference
from jammi_dagster.adapters.recipe.config import config_of
from jammi_dagster.adapters.recipe.draft import facts_over, snapshot_of, undeclared_of
from jammi_dagster.adapters.recipe.inputs import DeclaredInput, Inputs, Role, resolve, role_of
from jammi_dagster.adapters.recipe.recipe import DefinitionHashes, Recipe, TableDefinition, recipe_of
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.contract import CachePolicy
from jammi_dagster.contract.tables import asset_of, table_names
from jammi_dagster.errors import JammiError
from jammi_dagster.planning.step_plan import GRAPH, GRAPH_CHECKS, PLAIN, TableFacts
from jammi_dagster.store import ResultStore
from jammi_dagster.surfaces import VersionSurface

_MOST_SAID = 3
_PLAIN = f"{PLAIN}; decorate it with @result_table to reuse its table"
_GRAPH_CHECKS = f"{GRAPH_CHECKS}; make each a function of its own under @dg.asset_check to reuse the table"
_GRAPH = f"{GRAPH}; give the definitions one with finalize(defs, reuse_first=True)"


class Unknowable(Exception):
    """A definition that cannot be known outside of a step; the message is the reason."""


class Outdated(Unknowable):
    """A definition that cannot be known because the code on disk differs from the loaded code."""


class NotReplayable(Exception):
    """A recorded config or range that the asset no longer takes; the message is the reason."""


class _Known(NamedTuple):
    """A recipe, the definition hashes of its tables, and the reasons why none of them can be pinned."""

    recipe: Recipe
    hashes: DefinitionHashes
    undeclared: Sequence[str]


class CurrentAsset:
    """One asset on a result store: its tables by partition, and the definition that each would have now.

    Keep one for many presents: its definitions hold for as long as this process runs the same code.
    """

    def __init__(self, location: Location, key: dg.AssetKey, store: ResultStore) -> None:
        """Open the asset. Raises as `undecorated_spec` does."""
        self.key, self.store, self._location = key, store, location
        self.shown = key.to_user_string()
        self._declared = DryStep(location, key)
        self.assets_def = self._declared.assets_def
        declared = spec_of(self.assets_def, key)
        self.is_plain = declared is None
        self.spec: TableSpec = declared or undecorated_spec(self._declared)
        self.check_names = self._declared.check_names
        self.upstreams = [self._upstream(dependency) for dependency in self._declared.dependencies]
        self.reads_itself = any(upstream.dependency.asset_key == key for upstream in self.upstreams)
        self._names: dict[str | None, str] = {}
        self._recipes: dict[bytes, _Known | Exception] = {}
        self._hashes: dict[Any, tuple[Inputs, str, int]] = {}
        self._tables: tuple[tuple[str, ...] | None, dict[str, str | None]] | None = None
        self._settled = 0
        self._edits = location.edits
        self._own: dict[str, str | None] | None = None
        self._disk: str | None = None

    @property
    def name(self) -> str:
        """The name of its table, with which the names of its partitions' tables begin."""
        return self.table(None)

    @property
    def why_run(self) -> str | None:
        """The reason why a run makes its tables in any case; None where it may reuse them."""
        if not self.is_plain:
            return None
        if not is_graph(self.assets_def):
            return _PLAIN
        if self.check_names:
            return _GRAPH_CHECKS
        return None if self._location.reuses_first else _GRAPH

    @property
    def partitions_def(self) -> dg.PartitionsDefinition[Any] | None:
        return self.assets_def.partitions_def

    @property
    def most_at_once(self) -> int | None:
        """The number of neighbouring partitions that one run of it makes at most; None for any number."""
        return most_at_once(self.assets_def)

    def tables(self) -> dict[str, str | None]:
        """Return the partition of each table that the asset can have now, by name, in the order of the partitions."""
        partitions_def = self.partitions_def
        keys = None if partitions_def is None else self._location.keys_of(partitions_def)
        if self._tables is None or self._tables[0] is not keys:
            partitions: Sequence[str | None] = [None] if keys is None else keys
            names = table_names(self.key.path, partitions)
            self._tables = keys, dict(zip(names, partitions, strict=True))
        return self._tables[1]

    def table(self, partition: str | None) -> str:
        """Return the name of the table of a partition."""
        found = self._names.get(partition)
        if found is None:
            found = self._names[partition] = table_names(self.key.path, [partition])[0]
        return found

    def definition(self, partition: str | None, replay: Replay, present: Present) -> tuple[str, Inputs]:
        """Return the definition hash that a step with this replay would record now, and its inputs without states.

        Raises `Unknowable` and `NotReplayable`.
        """
        self._forget_edited()
        key = partition, replay.key
        known = self._hashes.get(key)
        if known is not None and 0 < known[2] == self._settled:
            return known[1], known[0]
        hashes = self._known(replay).hashes
        span = self.group(partition, replay)
        inputs = self.inputs(span, present)
        inputs.pins = None
        if known is not None and known[0].names == inputs.names and known[0].orders == inputs.orders:
            found = known[1]
        else:
            found = hashes.of(partition, span or (), inputs.names, inputs.orders)
        self._hashes[key] = inputs, found, self._settled
        return found, inputs

    def settle(self, changed: Collection[str]) -> None:
        """Invalidate kept inputs if one of the changed tables is upstream: call it with all that came or went since."""
        self._read_disk()
        own, self._own = self._own, self.tables()
        is_same = own is self._own and False not in [
            upstream.refresh() for upstream in self.upstreams
        ]  # each of them, always
        only_tables = not self.spec.has_surfaces
        names = {upstream.name for upstream in self.upstreams}
        is_as_it_was = (
            is_same
            and only_tables
            and all(u.store is not None and u.store.identity == self.store.identity for u in self.upstreams)
            and not any(asset_of(table) in names for table in changed)
        )
        self._settled += not is_as_it_was  # what was found before is looked at again

    def forget_inputs(self) -> None:
        """Invalidate kept inputs: nobody knows which tables came or went since."""
        self._settled += 1

    def described(self, partition: str | None, replay: Replay, inputs: Inputs) -> TableDefinition:
        """Return the descriptor and environment behind the hash of `definition`. Raises as that does."""
        recipe, span = self.recipe(replay), self.group(partition, replay)
        return recipe.definition(partition, span or (), inputs.names, inputs.orders)

    def recipe(self, replay: Replay) -> Recipe:
        """Return the recipe of a step with this replay. Raises `Unknowable` and `NotReplayable`."""
        return self._known(replay).recipe

    def code_version(self, replay: Replay) -> str:
        """Return the code version that Dagster gets: the author's own, else the digest of the code.

        Raises as `recipe` does.
        """
        return self.spec.code_version or self.recipe(replay).code.digest

    def is_blocked_by(self, failed: Collection[str]) -> bool:
        """Tell whether a failed check keeps Dagster from everything below: one of the asset's own that blocks."""
        own = (spec for spec in self.assets_def.check_specs if spec.asset_key == self.key)
        return any(spec.blocking and spec.name in failed for spec in own)

    def inputs(self, partitions: tuple[str, ...] | None, present: Present) -> Inputs:
        """Resolve the inputs of a step that would make these partitions now, or the whole under None.

        Raises `NotReplayable` and `Unknowable`.
        """
        try:
            declared = [(up.declared, up.tables(partitions)) for up in self.upstreams]
        except PartitionsGone as error:
            raise NotReplayable(str(error)) from error
        surfaces, written = self._surfaces(partitions) if self.spec.has_surfaces else ((), ())
        return resolve(declared, surfaces, present, allow_missing=self.spec.allow_missing, written=written)

    def facts(self, partitions: tuple[str, ...] | None, replay: Replay, inputs: Inputs) -> list[TableFacts]:
        """Return the facts of the tables that a step with this config would make, as its own draft has them.

        Raises as `recipe` and `snapshot_of` do.
        """
        known = self._known(replay)
        snapshot = snapshot_of(inputs, self.key, known.undeclared)
        group, names, orders = partitions or (), snapshot.names, snapshot.orders
        return facts_over(
            snapshot,
            [(self.table(one), known.hashes.of(one, group, names, orders)) for one in partitions or (None,)],
        )

    def undeclared(self, replay: Replay) -> Sequence[str]:
        """List the reasons why the definition of now, asked for in this way, cannot be pinned.

        Raises `NotReplayable` and `Unknowable`.
        """
        return self._known(replay).undeclared

    def policy(self, tags: Mapping[str, str] | None = None) -> CachePolicy:
        """Return the cache policy of a run with these tags. Raises `InvalidPolicy`."""
        manager = self._location.manager(self.assets_def, self._declared.io_manager_key)
        assert manager is not None, "the asset is on a result store"
        return effective_policy(
            self.key, tags=tags or {}, decorator=self.spec.cache, io_manager=manager.policy
        )

    def outside(self, present: Present) -> list[Any]:
        """Ask for everything besides the store's own tables that the asset's tables depend on.

        `present` keeps the answers; returned is the state of the partitions.
        """
        for upstream in self.upstreams:
            if upstream.declared.role is Role.EVENTS:
                present.events(upstream.declared, upstream.every())
            elif upstream.store is not None and upstream.store.identity != self.store.identity:
                present.references(upstream.declared, upstream.every())
        for surface in self._every_surface(present):
            with contextlib.suppress(JammiError):  # `present.failed` tells
                present.observe(surface)
        partitions = [self.partitions_def, *(upstream.partitions_def for upstream in self.upstreams)]
        return [self._read_disk(), *(repr(self._location.state_of(d)) for d in partitions if d is not None)]

    def _read_disk(self) -> str:
        """Digest the files that the code's identity depends on, and forget definitions from before they changed.

        Definitions under a draft of the store's key do not outlive it either.
        """
        now = f"{self.spec.disk_state()} draft of the key: {self.store.key.draft_state}"
        if now != self._disk:
            self._recipes.clear()
            self._hashes.clear()
            self._disk = now
        return now

    def _every_surface(self, present: Present) -> Iterator[VersionSurface]:
        """Yield the surfaces of all tables that are there; `present.absent` are those that other tables wait for."""
        partitions: list[str | None] = [None]
        if callable(self.spec.reads) or callable(self.spec.writes):
            partitions = [partition for table, partition in self.tables().items() if table in present.digests]
        for partition in partitions:
            with contextlib.suppress(Unknowable):  # a table's own state tells
                yield from itertools.chain(*self._surfaces(None if partition is None else (partition,)))

    def _surfaces(
        self, partitions: tuple[str, ...] | None
    ) -> tuple[Sequence[VersionSurface], Sequence[VersionSurface]]:
        """Return the surfaces that these partitions read, and the surfaces that they write."""
        keys = partitions or (None,)
        try:
            return self.spec.surfaces(keys), self.spec.written(keys)
        except Exception as error:  # the author's function of the partition
            of = "reads= or writes=" if self.spec.writes else "reads="
            raise Unknowable(f"{of} cannot be asked: {first_line(error)}") from error

    def _forget_edited(self) -> None:
        """Forget definitions where a file of code was edited, or edited back, since they were found."""
        if self._edits != self._location.edits:
            self._edits = self._location.edits
            self._recipes.clear()
            self._hashes.clear()

    def _known(self, replay: Replay) -> _Known:
        self._forget_edited()
        key, _ = replay.key
        if key not in self._recipes:
            try:
                self._recipes[key] = self._make(replay.config)
            except (Unknowable, NotReplayable) as error:
                self._recipes[key] = error
        found = self._recipes[key]
        if isinstance(found, Exception):
            raise found
        return found

    def _make(self, raw: Any) -> _Known:
        try:
            validated = self._location.validated(self.key, raw)
            config = config_of(self.spec, validated)
        except (dg.DagsterInvalidConfigError, ValueError) as error:
            why = "its recorded config is not valid any more" if raw else "it needs config, and none is given"
            raise NotReplayable(f"{why}: {first_line(error)}") from error
        asset = DryStep(self._location, self.key, raw, validated)
        loaded = {
            str(up.dependency.input_name): NoReference() for up in self.upstreams if up.store is not None
        }
        try:
            recipe = recipe_of(self.spec, asset, self.store, config=config, loaded=loaded)
            outdated = self.spec.outdated(recipe.code, has_edits=bool(self._edits))
            known = _Known(recipe, DefinitionHashes(recipe), undeclared_of(recipe, self.spec, self._declared))
        except Exception as error:  # a resource may raise anything as it is made
            raise Unknowable(
                f"its definition cannot be known outside of a run: {first_line(error)}"
            ) from error
        if outdated:
            raise Outdated("; ".join(outdated[:_MOST_SAID]))
        return known

    def group(self, partition: str | None, replay: Replay) -> tuple[str, ...] | None:
        """Return the partitions that a replay makes together with `partition`. Raises `NotReplayable`."""
        if partition is None:
            return None
        if replay.span is None or self.partitions_def is None:
            return (partition,)
        span = self._location.span(self.partitions_def, *replay.span)
        if partition not in span:
            raise NotReplayable(f"the range {replay.span[0]} to {replay.span[1]} that made it is gone")
        return span

    def _store_of(self, dependency: Dependency) -> ResultStore | None:
        """Return the store from which a parameter gets references; None where it gets none of ours."""
        if dependency.input_name not in self.spec.shape.inputs:
            return None
        key, _ = self._declared.loader_of(dependency)
        manager = None if key is None else self._location.manager(self.assets_def, key)
        if manager is None:
            return None
        store = self._location.store(manager)
        if self.is_plain and store.identity != self.store.identity:
            return None  # a plain asset keeps no references but those of its own store
        return store

    def _upstream(self, dependency: Dependency) -> Upstream:
        store = self._store_of(dependency)
        is_parameter = dependency.input_name in self.spec.shape.inputs
        role = role_of(
            dependency,
            self._declared.io_manager_key,
            has_references=store is not None,
            # a step of a plain asset does not see values that another IO manager loaded
            is_handed_over=is_parameter and not self.is_plain,
        )
        parameter = dependency.input_name if is_parameter else None
        declared = DeclaredInput(
            dependency=dependency,
            role=role,
            store=store,
            parameter=parameter,
            may_miss=self._declared.may_miss(dependency),
        )
        return Upstream(self._location, self.key, declared)
