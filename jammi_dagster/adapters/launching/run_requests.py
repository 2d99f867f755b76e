"""Runs that make some tables: which assets, partition or range, config and cache policy each gets."""

from __future__ import annotations

import json
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.assets.declaration import op_name
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.code_location.location import PartitionsGone
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.recipe.replay import Replay, recorded_replays
from jammi_dagster.contract import CachePolicy
from jammi_dagster.planning.waves import Parents, RunGroup, into_runs
from jammi_dagster.store import ResultStore, StoreIdentity


@dataclass(frozen=True, slots=True)
class Node:
    """One table that is to be made."""

    table: str
    asset: CurrentAsset
    partition: str | None


@dataclass(frozen=True, slots=True)
class Request:
    """One run: its tables, its place in the order of runs, and how to launch it."""

    wave: int
    nodes: tuple[Node, ...]
    span: tuple[str, str] | None = None

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(node.table for node in self.nodes)


def parents_of(nodes: Iterable[Node]) -> dict[str, set[str]]:
    """The tables that each table reads now, by the declared dependencies."""
    found: dict[str, set[str]] = {}
    for node in nodes:
        above = found.setdefault(node.table, set())
        partitions = None if node.partition is None else (node.partition,)
        for upstream in node.asset.upstreams:
            try:
                above.update(table for _, table in upstream.tables(partitions))
            except PartitionsGone:
                continue
    return found


def together(evaluator: Evaluator, nodes: Iterable[Node]) -> dict[str, Node]:
    """The tables, and those that Dagster cannot make without: of a multi-asset that is not to be subset."""
    found: dict[str, Node] = {}
    for node in nodes:
        found[node.table] = node
        definition = node.asset.assets_def
        if len(definition.keys) > 1 and not definition.can_subset:
            for sibling in evaluator.assets(sorted(definition.keys)):
                table = sibling.table(node.partition)
                found.setdefault(table, Node(table, sibling, node.partition))
    return found


def requests_for(nodes: Mapping[str, Node], parents: Parents, replays: Mapping[str, Replay]) -> list[Request]:
    """The runs that make the tables, in waves; ranges where assets make several partitions at once."""
    partition_ids = {id(node.asset.partitions_def): node.asset.partitions_def for node in nodes.values()}

    def run_of(table: str) -> Hashable | None:
        node = nodes[table]
        if node.partition is None:
            return None
        # equal definitions share a run, whichever object each asset has
        same = next(i for i, d in partition_ids.items() if d == node.asset.partitions_def)
        return same, node.partition

    groups = into_runs(list(nodes), parents, run_of)
    return _in_ranges([_request(group, nodes) for group in groups], replays)


def replays_of(nodes: Iterable[Node]) -> dict[str, Replay]:
    """What each table's last run was given; nothing for one that was never made."""
    found: dict[str, Replay] = {}
    for store, tables in by_store(nodes):
        said = recorded_replays(store, store.reader, tables)
        found.update({table: said.get(table) or Replay() for table in tables})
    return found


def by_store(nodes: Iterable[Node]) -> list[tuple[ResultStore, list[str]]]:
    """The tables of each result store."""
    found: dict[StoreIdentity, tuple[ResultStore, list[str]]] = {}
    for node in nodes:
        found.setdefault(node.asset.store.identity, (node.asset.store, []))[1].append(node.table)
    return list(found.values())


def run_request(
    request: Request,
    replays: Mapping[str, Replay],
    computed: Collection[str],
    *,
    run_key: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.RunRequest:
    """What Dagster launches: `computed` tables are computed in any case, the others reused where they can be."""
    assets = {node.asset.key: node.asset for node in request.nodes}
    selection = {key for asset in assets.values() for key in _with_siblings(asset)}
    ops: dict[str, Any] = {}
    policies = dict.fromkeys((key.to_user_string() for key in assets), CachePolicy.USE.value)
    for node in request.nodes:
        config = replays[node.table].config
        if config is not None:
            ops[op_name(node.asset.assets_def)] = {"config": config}
        if node.table in computed:
            policies[node.asset.key.to_user_string()] = CachePolicy.BYPASS.value
    partition = next((node.partition for node in request.nodes if node.partition is not None), None)
    ranged = {} if request.span is None else dict(zip(metadata_keys.RANGE_TAGS, request.span, strict=True))
    return dg.RunRequest(
        run_key=run_key,
        run_config={"ops": ops} if ops else {},
        tags={metadata_keys.CACHE_TAG: json.dumps(policies, sort_keys=True), **ranged, **(tags or {})},
        asset_selection=sorted(selection),
        partition_key=partition if request.span is None else None,
    )


def _with_siblings(asset: CurrentAsset) -> Iterable[dg.AssetKey]:
    definition = asset.assets_def
    return [asset.key] if definition.can_subset or len(definition.keys) == 1 else definition.keys


def _request(group: RunGroup, nodes: Mapping[str, Node]) -> Request:
    return Request(group.wave, tuple(nodes[table] for table in group.tables))


def _in_ranges(requests: Sequence[Request], replays: Mapping[str, Replay]) -> list[Request]:
    """Requests of neighbouring partitions in one, where each asset of them makes a range in a single run."""
    found: list[Request] = []
    alike: dict[Hashable, list[Request]] = {}
    for request in requests:
        if all(node.partition is not None and node.asset.can_range for node in request.nodes):
            configs = sorted(
                (node.table.partition("[")[0], replays[node.table].key[0]) for node in request.nodes
            )
            alike.setdefault((request.wave, tuple(configs)), []).append(request)
        else:
            found.append(request)
    for similar in alike.values():
        found.extend(_ranges(similar))
    return sorted(found, key=lambda request: (request.wave, request.tables))


def _ranges(requests: Sequence[Request]) -> Iterable[Request]:
    definition: Any = requests[0].nodes[0].asset.partitions_def
    tables = requests[0].nodes[0].asset.tables()
    place = {partition: i for i, partition in enumerate(tables.values())}
    assert definition is not None, "only partitions make ranges"

    def at(request: Request) -> int:
        return place.get(request.nodes[0].partition, -1)

    run: list[Request] = []
    for request in sorted(requests, key=at):
        if run and at(request) != at(run[-1]) + 1:
            yield _merged(run)
            run = []
        run.append(request)
    if run:
        yield _merged(run)


def _merged(run: Sequence[Request]) -> Request:
    if len(run) == 1:
        return run[0]
    first, last = run[0].nodes[0].partition, run[-1].nodes[0].partition
    nodes = tuple(node for request in run for node in request.nodes)
    return Request(run[0].wave, nodes, (str(first), str(last)))
