"""The lineage of one materialization: the ones that it was made from, and the ones that were made from it.

Rules:

1. A recorded anchor leads to the materialization that was recorded beside it, else to the one of that table with that
   digest. Of several with the same bytes it is the last one that had started when the derived one did, else the first.
2. A materialization that is no longer current, that was dropped, and one whose asset is gone, counts like any other.
3. An input that is no table, or of which no materialization is known any more, ends a path.

Not done here: to read rows (see `catalog.lineage`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from jammi_dagster.contract import AnchorKind, InputAnchor
from jammi_dagster.lineage import pictures
from jammi_dagster.lineage.graph import walk


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterializationNode:
    """A materialization in a lineage. `status` is `ready`, `dropped`, or another state of one that was ready once.

    `answers` map sources of its inputs to the ids that were recorded beside their anchors.
    """

    materialization_id: str
    table: str
    tenant: str
    status: str
    artifact_digest: str | None
    produced_by: str
    start_sequence: int
    created_at: str
    answers: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the node as JSON, without its inputs, which are edges."""
        return {name: value for name, value in asdict(self).items() if name != "answers"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterializationEdge:
    """An input of the materialization `derived`: an anchor, and the id of the materialization that it leads to.

    `input` is None for an input that is no table, and for one that is no longer known.
    """

    derived: str
    source: str
    anchor: str
    kind: AnchorKind
    input: str | None = None

    @property
    def name(self) -> str:
        """The input as a node: an id, or the source with its anchor."""
        return self.input or f"{self.source}@{self.anchor}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterializationLineage:
    """Everything that a materialization was made from (`upstream`) and that was made from it (`downstream`).

    `nodes` are the materializations on both sides by id, itself among them; `current` are the ones that their tables'
    names lead to, in the deployment that was asked.

        print(store.lineage(store.current("prices").materialization_id).to_mermaid())
    """

    materialization_id: str
    nodes: Mapping[str, MaterializationNode]
    upstream: tuple[MaterializationEdge, ...]
    downstream: tuple[MaterializationEdge, ...]
    current: frozenset[str] = frozenset()

    def label(self, name: str) -> str:
        """Name a node for people: a materialization by its table and id."""
        node = self.nodes.get(name)
        return name if node is None else f"{node.table} {name}"

    def kind(self, name: str) -> str:
        """Tell the kind of a node: `current`, `earlier`, `dropped` and the like, or `input`."""
        node = self.nodes.get(name)
        if node is None:
            return "input"
        if node.status != "ready":
            return node.status
        return "current" if name in self.current else "earlier"

    def to_dict(self) -> dict[str, Any]:
        """Return the lineage as JSON."""
        return {
            "materialization": self.materialization_id,
            "nodes": [
                {**node.to_dict(), "is_current": name in self.current} for name, node in self.nodes.items()
            ],
            **{
                side: [{**asdict(edge), "kind": edge.kind.value} for edge in edges]
                for side, edges in (("upstream", self.upstream), ("downstream", self.downstream))
            },
        }

    def to_mermaid(self, *, most: int = pictures.MOST_BOXES) -> str:
        """Draw a Mermaid flowchart of at most so many boxes, those nearest to the materialization."""
        pairs = [(edge.name, edge.derived) for edge in (*self.upstream, *self.downstream)]
        names = dict.fromkeys((self.materialization_id, *(name for pair in pairs for name in pair)))
        picture = pictures.Picture(
            names=tuple(map(self.label, names)),
            edges=tuple((self.label(above), self.label(below)) for above, below in pairs),
            verdicts={self.label(name): (self.kind(name), "") for name in names},
            centre=self.label(self.materialization_id),
        )
        return pictures.mermaid(picture, most=most)


def edges_of(
    nodes: Iterable[MaterializationNode], anchors: Mapping[str, Sequence[InputAnchor]]
) -> list[MaterializationEdge]:
    """Lead each recorded anchor to its materialization. `anchors` are those of each node, by id.

    An anchor of a tenant's row leads to the tenant's own, else to a global one; of a global row, to a global one.
    """
    nodes = list(nodes)
    known = {node.materialization_id: node for node in nodes}
    by_bytes: dict[tuple[str, str, str | None], list[MaterializationNode]] = {}
    for node in nodes:
        by_bytes.setdefault((node.tenant, node.table, node.artifact_digest), []).append(node)
    for alike in by_bytes.values():
        alike.sort(key=lambda node: node.start_sequence)
    return [
        MaterializationEdge(
            derived=node.materialization_id,
            source=anchor.source,
            anchor=anchor.anchor,
            kind=anchor.kind,
            input=_answer(node, anchor, known) or _input(node, anchor, by_bytes),
        )
        for node in nodes
        for anchor in anchors.get(node.materialization_id, ())
    ]


def _answer(
    derived: MaterializationNode, anchor: InputAnchor, known: Mapping[str, MaterializationNode]
) -> str | None:
    """Return the recorded materialization behind an anchor, if it is known and has the anchor's bytes."""
    node = known.get(derived.answers.get(anchor.source, ""))
    is_it = node is not None and (node.table, node.artifact_digest) == (anchor.source, anchor.anchor)
    return node.materialization_id if node is not None and is_it else None


def _input(
    derived: MaterializationNode,
    anchor: InputAnchor,
    by_bytes: Mapping[tuple[str, str, str | None], Sequence[MaterializationNode]],
) -> str | None:
    if anchor.kind is not AnchorKind.RESULT_DIGEST:
        return None
    for tenant in dict.fromkeys((derived.tenant, "")):
        alike = by_bytes.get((tenant, anchor.source, anchor.anchor), ())
        if alike:
            earlier = [node for node in alike if node.start_sequence <= derived.start_sequence]
            return (earlier[-1] if earlier else alike[0]).materialization_id
    return None


def lineage_of(
    materialization_id: str,
    nodes: Mapping[str, MaterializationNode],
    edges: Sequence[MaterializationEdge],
    *,
    current: Iterable[str] = (),
    depth: int | None = None,
) -> MaterializationLineage:
    """Return the part of a graph that is above or below a materialization, within `depth` hops."""
    up = tuple(_reached(materialization_id, edges, depth, upward=True))
    down = tuple(_reached(materialization_id, edges, depth, upward=False))
    names = dict.fromkeys(
        (materialization_id, *(name for edge in (*up, *down) for name in (edge.name, edge.derived)))
    )
    return MaterializationLineage(
        materialization_id=materialization_id,
        nodes={name: nodes[name] for name in names if name in nodes},
        upstream=up,
        downstream=down,
        current=frozenset(current).intersection(names),
    )


def _reached(
    start: str, edges: Sequence[MaterializationEdge], depth: int | None, *, upward: bool
) -> Iterator[MaterializationEdge]:
    """Yield the edges within the depth in one direction."""
    beside: dict[str, list[str]] = {}
    for edge in edges:
        ends = (edge.derived, edge.name) if upward else (edge.name, edge.derived)
        beside.setdefault(ends[0], []).append(ends[1])
    hops = {start: 0} | {visit.name: visit.hops for visit in walk(start, beside, depth) if not visit.is_again}
    for edge in edges:
        near = edge.derived if upward else edge.name
        if near in hops and (depth is None or hops[near] < depth):
            yield edge
