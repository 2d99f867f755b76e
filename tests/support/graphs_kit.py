"""Random graphs of result tables, with random edits, and the outcomes of their launches."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import dagster as dg
from adapters_kit import table

from jammi_dagster import CachePolicy, result_table
from jammi_dagster.surfaces import file

_PARTITIONS = dg.StaticPartitionsDefinition(["a", "b", "c"])
_TO_ALL = dg.AllPartitionMapping()


@dataclass(frozen=True)
class Node:
    """One asset of a random graph: its upstream assets by name, and everything that an edit may change."""

    name: str
    upstream: tuple[str, ...]
    version: int = 0
    content: int = 0
    is_partitioned: bool = False
    loads: bool = True
    cache: CachePolicy | None = None
    check: str | None = None
    passes: bool = True
    is_plain: bool = False
    reads: str | None = None


@dataclass
class Graph:
    """A random graph, its edits, and the assets that Dagster gets."""

    rng: random.Random
    folder: Path
    nodes: dict[str, Node] = field(default_factory=dict)

    def grow(self, size: int) -> None:
        for i in range(size):
            name = f"t{i}"
            above = self.rng.sample(sorted(self.nodes), min(len(self.nodes), self.rng.choice([0, 1, 1, 2])))
            self.nodes[name] = Node(
                name=name,
                upstream=tuple(above),
                is_partitioned=self.rng.random() < 0.4,
                loads=self.rng.random() < 0.8,
                cache=self.rng.choice([None, None, None, CachePolicy.BYPASS]),
                check=self.rng.choice([None, None, "blocking", "mild"]),
                is_plain=self.rng.random() < 0.1,
                reads=f"{name}.txt" if self.rng.random() < 0.3 else None,
            )
            if self.nodes[name].reads:
                (self.folder / f"{name}.txt").write_text("0")

    def edit(self) -> None:
        """Change one thing: code with or without its result, a check's outcome, a file, or that it is there."""
        name = self.rng.choice(sorted(self.nodes))
        node = self.nodes[name]
        kind = self.rng.choice(["code", "content", "revert", "check", "file", "gone"])
        if kind == "code":
            node = replace(node, version=node.version + 1)
        elif kind == "content":
            node = replace(node, version=node.version + 1, content=node.content + 1)
        elif kind == "revert":
            node = replace(node, version=0, content=0)
        elif kind == "check":
            node = replace(node, version=node.version + 1, passes=not node.passes)
        elif node.reads is not None:
            path = self.folder / node.reads
            path.unlink(missing_ok=True)
            if kind == "file" or self.rng.random() < 0.5:
                path.write_text(str(self.rng.random()))
        self.nodes[name] = node

    def assets(self) -> list[Any]:
        return [self._asset(node) for node in self.nodes.values()]

    def _asset(self, node: Node) -> Any:
        loaded = node.upstream if node.loads else ()
        ins = {f"in{i}": self._in(node, up) for i, up in enumerate(loaded)}
        deps = [] if node.loads else [self._dep(node, up) for up in node.upstream]
        checks = (
            [dg.AssetCheckSpec(node.check, asset=node.name, blocking=node.check == "blocking")]
            if node.check
            else []
        )
        more: dict[str, Any] = {
            "name": node.name,
            "ins": ins,
            "deps": deps,
            "code_version": str(node.version),
            "partitions_def": _PARTITIONS if node.is_partitioned else None,
            "check_specs": checks,
        }
        function = _functions(node)[len(ins)]
        if node.is_plain:
            return dg.asset(**more)(function)
        reads = [] if node.reads is None else [file(self.folder / node.reads)]
        return result_table(**more, reads=reads, cache=node.cache)(function)

    def _maps_to_all(self, node: Node, up: str) -> bool:
        return self.nodes[up].is_partitioned and not node.is_partitioned

    def _in(self, node: Node, up: str) -> dg.AssetIn:
        return dg.AssetIn(up, partition_mapping=_TO_ALL if self._maps_to_all(node, up) else None)

    def _dep(self, node: Node, up: str) -> dg.AssetDep:
        return dg.AssetDep(up, partition_mapping=_TO_ALL if self._maps_to_all(node, up) else None)


def _functions(node: Node) -> Sequence[Any]:
    """Return the function of an asset by its number of loaded inputs; an unannotated input gets any value."""

    def made() -> Any:
        value = table(f"{node.name} {node.content}")
        if node.check is None:
            return value
        result = dg.AssetCheckResult(check_name=node.check, passed=node.passes)
        return dg.MaterializeResult(value=value, check_results=[result])

    def none():
        return made()

    def one(in0):
        return made()

    def two(in0, in1):
        return made()

    return none, one, two


def observed(ran: Any, name: str) -> str:
    """Return the outcome of a table in a run: reuse, compute, or fail for a step that failed or never began."""
    event = ran.events.get(name)
    if event is None:
        return "fail"
    return (
        "reuse"
        if event.metadata.get("jammi/cache_outcome")
        and event.metadata["jammi/cache_outcome"].value == "reused"
        else "compute"
    )
