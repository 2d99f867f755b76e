"""How the tables of an asset would be made now, with no step running: by the code that a step uses (DESIGN 5)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.declaration import Dependency
from jammi_dagster.adapters.assets.spec import TableSpec, plain_spec, spec_of
from jammi_dagster.adapters.code_location.dry_step import Replayed, config_of, first_line
from jammi_dagster.adapters.code_location.location import Location, PartitionsGone
from jammi_dagster.adapters.code_location.present import Look
from jammi_dagster.adapters.code_location.upstream import Upstream
from jammi_dagster.adapters.handoff.references import NoReference
from jammi_dagster.adapters.recipe.recipe import DefinitionHashes, Making, existing, recipe_of
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.contract import MaterializationEnv, ProducingDescriptor, TableName
from jammi_dagster.contract.tables import table_names
from jammi_dagster.store import ResultStore
from jammi_dagster.surfaces import VersionSurface

_NO_REPLAY = Replay()


class Unknowable(Exception):
    """A definition that cannot be known outside of a step; the message is the reason."""


class NotReplayable(Exception):
    """A recorded config or range that the asset no longer takes; the message is the reason."""


@dataclass(slots=True, kw_only=True)
class Inputs:
    """What one table would read now.

    `names` are the sources that exist, `orders` the tables behind each parameter that gets several, in their order,
    `missing` what a step would refuse to begin without, and `upstream` the upstream tables by name, there or not.
    """

    names: tuple[str, ...] = ()
    orders: dict[str, Sequence[str]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()


class CurrentAsset:
    """One asset on a result store: its tables by partition, and the definition that each would have now.

    Kept from one look to the next: what it has computed holds for as long as this process runs the same code.
    """

    def __init__(self, location: Location, key: dg.AssetKey, store: ResultStore) -> None:
        """Raises `InvalidOutput` for an asset that a graph makes."""
        self.key, self.store, self._location = key, store, location
        self._declared = Replayed(location, key)
        self.assets_def = self._declared.assets_def
        self.spec: TableSpec = spec_of(self.assets_def) or plain_spec(self._declared)
        self.has_checks = bool(self._declared.check_names)
        self.upstreams = [self._upstream(dependency) for dependency in self._declared.dependencies]
        self._made: dict[bytes, tuple[Making, DefinitionHashes] | Exception] = {}
        self._hashes: dict[Any, tuple[Inputs, str, int]] = {}
        self._tables: tuple[tuple[str, ...] | None, dict[str, str | None]] | None = None
        self._settled = 0
        self._own: dict[str, str | None] | None = None
        self._disk: str | None = None

    @property
    def name(self) -> str:
        """The name of its table, or what the names of its partitions' tables begin with."""
        return self.table(None)

    @property
    def partitions_def(self) -> dg.PartitionsDefinition[Any] | None:
        return self.assets_def.partitions_def

    @property
    def can_range(self) -> bool:
        """Whether one run of it makes a range of partitions."""
        policy = self.assets_def.backfill_policy
        return policy is not None and policy.policy_type is dg.BackfillPolicy.single_run().policy_type

    def tables(self) -> dict[str, str | None]:
        """The partition of each table that the asset can have now, by name, in the order of the partitions."""
        partitions_def = self.partitions_def
        keys = None if partitions_def is None else self._location.keys_of(partitions_def)
        if self._tables is None or self._tables[0] is not keys:
            partitions: Sequence[str | None] = [None] if keys is None else keys
            names = table_names(self.key.path, partitions)
            self._tables = keys, dict(zip(names, partitions, strict=True))
        return self._tables[1]

    def table(self, partition: str | None) -> str:
        """The name of the table of a partition."""
        return str(TableName.of(self.key.path, partition))

    def definition(self, partition: str | None, replay: Replay, look: Look) -> tuple[str, Inputs]:
        """The definition hash that a step with this replay would have now, and what it would read.

        Raises `Unknowable` and `NotReplayable`.
        """
        key = partition, replay.key
        known = self._hashes.get(key)
        if known is not None and 0 < known[2] == self._settled:
            return known[1], known[0]
        hashes = self._making(replay)[1]
        span = self._span(partition, replay)
        inputs = self.inputs(span, look)
        if known is not None and known[0].names == inputs.names and known[0].orders == inputs.orders:
            found = known[1]
        else:
            found = hashes.of(partition, span or (), inputs.names, inputs.orders)
        self._hashes[key] = inputs, found, self._settled
        return found, inputs

    def settle(self, changed: Collection[str]) -> None:
        """Says which tables came or went since it was last told: where none is upstream, inputs are as they were."""
        self._read_disk()
        own, self._own = self._own, self.tables()
        is_same = own is self._own and False not in [
            upstream.refresh() for upstream in self.upstreams
        ]  # each of them, always
        only_tables = self.spec.reads is None or (not callable(self.spec.reads) and not self.spec.reads)
        names = {upstream.name for upstream in self.upstreams}
        is_as_it_was = (
            is_same
            and only_tables
            and all(u.store is not None and u.store.identity == self.store.identity for u in self.upstreams)
            and not any(table.partition("[")[0] in names for table in changed)
        )
        self._settled += not is_as_it_was  # what was found before is looked at again

    def described(
        self, partition: str | None, replay: Replay, inputs: Inputs
    ) -> tuple[ProducingDescriptor, MaterializationEnv]:
        """What the hash of `definition` is of. Raises as that does."""
        making, span = self.making(replay), self._span(partition, replay)
        return making.descriptor(partition, span or (), inputs.names, inputs.orders), making.env()

    def making(self, replay: Replay) -> Making:
        """How a step with this replay makes the asset. Raises `Unknowable` and `NotReplayable`."""
        return self._making(replay)[0]

    def inputs(self, partitions: tuple[str, ...] | None, look: Look) -> Inputs:
        """What a step that makes these partitions, or the whole under None, would read now."""
        names, upstream, missing, gone = set[str](), list[str](), list[str](), list[str]()
        orders: dict[str, Sequence[str]] = {}
        for up in self.upstreams:
            try:
                pairs = up.tables(partitions)
            except PartitionsGone as error:
                raise NotReplayable(str(error)) from error
            tables = [table for _, table in pairs]
            upstream.extend(tables)
            if len(tables) > 1 and up.dependency.input_name in self.spec.shape.inputs:
                orders[str(up.dependency.input_name)] = tables
            for partition, table in pairs:
                source = up.source(partition, table, look)
                if source is None:
                    missing.append(table)
                else:
                    names.add(source)
        for surface in self._surfaces(partitions):
            if look.observe(surface):
                names.add(surface.source)
            else:
                gone.append(surface.source)
        return Inputs(
            names=tuple(sorted(names)),
            orders=existing(orders, names) if orders else {},
            missing=(*(() if self.spec.allow_missing else missing), *gone),
            upstream=tuple(upstream),
        )

    def outside(self, look: Look) -> list[Any]:
        """Asks for all that the asset's tables depend on besides other result tables; gives their partitions' state."""
        partitions = [self.partitions_def, *(upstream.partitions_def for upstream in self.upstreams)]
        for upstream in self.upstreams:
            if not upstream.is_listed and (
                upstream.store is None or upstream.store.identity != self.store.identity
            ):
                for partition, table in upstream.every():
                    upstream.source(partition, table, look)
        if callable(self.spec.reads):
            surfaces = [
                surface
                for table, partition in self.tables().items()
                if table in look.digests
                for surface in self._surfaces(None if partition is None else (partition,))
            ]
        else:
            surfaces = list(self._surfaces(None))
        for surface in surfaces:
            look.observe(surface)
        return [self._read_disk(), *(repr(self._location.state_of(d)) for d in partitions if d is not None)]

    def _read_disk(self) -> str:
        """Digest the files that the code's identity depends on, and forget definitions from before they changed."""
        now = self.spec.disk_state()
        if now != self._disk:
            self._made.clear()
            self._hashes.clear()
            self._disk = now
        return now

    def _surfaces(self, partitions: tuple[str, ...] | None) -> Sequence[VersionSurface]:
        try:
            return self.spec.surfaces(partitions or (None,))
        except Exception as error:  # the author's function of the partition
            raise Unknowable(f"reads= cannot be asked: {first_line(error)}") from error

    def _making(self, replay: Replay) -> tuple[Making, DefinitionHashes]:
        key, _ = replay.key
        if key not in self._made:
            try:
                self._made[key] = self._make(replay.config)
            except (Unknowable, NotReplayable) as error:
                self._made[key] = error
        made = self._made[key]
        if isinstance(made, Exception):
            raise made
        return made

    def _make(self, raw: Any) -> tuple[Making, DefinitionHashes]:
        try:
            validated = self._location.validated(self.key, raw)
            config = config_of(self.spec, validated)
        except (dg.DagsterInvalidConfigError, ValueError) as error:
            raise NotReplayable(f"its recorded config is not valid any more: {first_line(error)}") from error
        asset = Replayed(self._location, self.key, raw, validated)
        loaded = {
            str(up.dependency.input_name): NoReference() for up in self.upstreams if up.store is not None
        }
        try:
            making = recipe_of(self.spec, asset, self.store, config=config, loaded=loaded)
            return making, DefinitionHashes(making)
        except Exception as error:  # a resource may raise anything as it is made
            raise Unknowable(
                f"its definition cannot be known outside of a run: {first_line(error)}"
            ) from error

    def _span(self, partition: str | None, replay: Replay) -> tuple[str, ...] | None:
        """The partitions that a replay makes together."""
        if partition is None:
            return None
        if replay.span is None or self.partitions_def is None:
            return (partition,)
        span = self._location.span(self.partitions_def, *replay.span)
        if partition not in span:
            raise NotReplayable(f"the range {replay.span[0]} to {replay.span[1]} that made it is gone")
        return span

    def _store_of(self, dependency: Dependency) -> ResultStore | None:
        """The store from which a parameter gets a reference; None where another IO manager loads it, or nothing."""
        if dependency.input_name not in self.spec.shape.inputs:
            return None
        key, _ = self._declared.loader_of(dependency)
        manager = None if key is None else self._location.manager(self.assets_def, key)
        if manager is None:
            return None
        if spec_of(self.assets_def) is None and manager.result_store.identity != self.store.identity:
            return None  # a plain asset keeps no references but those of its own store
        return manager.result_store

    def _upstream(self, dependency: Dependency) -> Upstream:
        return Upstream(
            self._location,
            self.key,
            dependency,
            self._store_of(dependency),
            is_loaded=dependency.input_name in self.spec.shape.inputs,
            io_manager_key=self._declared.io_manager_key,
        )
