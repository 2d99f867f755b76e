"""Pictures of a lineage: Mermaid and SVG, from names, edges and verdicts given as values."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from xml.sax.saxutils import escape, quoteattr

from jammi_dagster.contract import DerivesFromEdge
from jammi_dagster.contract.tables import asset_of, is_table
from jammi_dagster.contract.verdicts import FRESH_FOR_NOW, in_words

# the most urgent kind comes first: a box of several tables has the colour of the first kind among them
COLOURS = {
    "stale": "#ffcdd2",
    "bytes_missing": "#ffcdd2",
    "undecidable": "#fff3c4",
    "not_replayable": "#fff3c4",
    "missing_manifest": "#e0e0e0",
    FRESH_FOR_NOW: "#ffe0b2",
    "fresh": "#c8e6c9",
    "input": "#d6e4f5",
    "unknown": "#ffffff",
}
_URGENCY = {kind: place for place, kind in enumerate(COLOURS)}
_LEGEND = {FRESH_FOR_NOW: "fresh, below a stale one", "unknown": "not judged"}
MOST_BOXES = 40
"""The boxes of a Mermaid flowchart that fit on a screen."""

_MORE = "{count} more, not drawn: give a table and hops=, or most="
_FEW_INPUTS = 3
_ROW, _WIDTH, _HEIGHT, _GAP, _MARGIN = 44, 8, 28, 70, 20
_LONGEST = 48


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The content of a picture: `verdicts` maps a table to its kind and reason, `centre` is the table in the middle.

    `members` maps a box that stands for several names to these.
    """

    names: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    verdicts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    centre: str | None = None
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def of(self, box: str) -> Sequence[str]:
        """Return the names that a box stands for."""
        return self.members.get(box, (box,))

    @functools.cached_property
    def counts(self) -> Mapping[str, Counter[str]]:
        """The number of names of each box by kind."""
        return {
            box: Counter(
                self.verdicts.get(name, ("unknown" if is_table(name) else "input", ""))[0]
                for name in self.of(box)
            )
            for box in self.names
        }

    def kind(self, box: str) -> str:
        """Return the kind of a box, which decides its colour: the most urgent one of its names."""
        return min(self.counts[box], key=_urgency)

    @property
    def kinds(self) -> list[str]:
        """The kinds of all boxes, the most urgent first."""
        return sorted({self.kind(box) for box in self.names}, key=_urgency)


def _urgency(kind: str) -> int:
    return _URGENCY.get(kind, len(_URGENCY))


def around(table: str, edges: Iterable[DerivesFromEdge], hops: int | None) -> list[str]:
    """List the names within `hops` above or below a table; without `hops`, all of them."""
    up: dict[str, list[str]] = {}
    down: dict[str, list[str]] = {}
    for edge in edges:
        up.setdefault(edge.derived, []).append(edge.input)
        down.setdefault(edge.input, []).append(edge.derived)
    found = {table: None}
    for neighbours in (up, down):
        layer, seen, gone = [table], {table}, 0
        while layer and (hops is None or gone < hops):
            layer = [
                n
                for n in dict.fromkeys(n for name in layer for n in neighbours.get(name, ()))
                if n not in seen
            ]
            seen.update(layer)
            found.update(dict.fromkeys(layer))
            gone += 1
    return list(found)


def collapsed(picture: Picture) -> Picture:
    """Draw the partitions of an asset as one box, and many inputs of the same boxes, too; the centre stays apart.

    >>> whole = Picture(names=("a[x]", "a[y]", "b"), edges=(("a[x]", "b"), ("a[y]", "b")))
    >>> collapsed(whole).names, collapsed(whole).edges
    (('a', 'b'), (('a', 'b'),))
    """
    rest = [name for name in picture.names if name != picture.centre]
    box = _boxes((name, asset_of(name)) for name in rest if is_table(name))
    readers: dict[str, set[str]] = {}
    for source, derived in picture.edges:
        readers.setdefault(source, set()).add(box.get(derived, derived))
    alike = ((name, tuple(sorted(readers.get(name, ())))) for name in rest if not is_table(name))
    box |= _boxes(alike, few=_FEW_INPUTS)
    members: dict[str, list[str]] = {}
    for name in picture.names:
        members.setdefault(box.get(name, name), []).append(name)
    pairs = ((box.get(a, a), box.get(b, b), a == b) for a, b in picture.edges)
    return replace(
        picture,
        names=tuple(members),
        edges=tuple(dict.fromkeys((a, b) for a, b, is_own in pairs if a != b or is_own)),
        members={name: names for name, names in members.items() if len(names) > 1},
    )


def _boxes(groups: Iterable[tuple[str, str | tuple[str, ...]]], few: int = 1) -> dict[str, str]:
    """Map each name of a group of more than a few to their box: named as the group, or after its first name."""
    found: dict[str | tuple[str, ...], list[str]] = {}
    for name, group in groups:
        found.setdefault(group, []).append(name)
    return {
        name: group if isinstance(group, str) else names[0]
        for group, names in found.items()
        if len(names) > few
        for name in names
    }


def _bounded(picture: Picture, most: int) -> tuple[Picture, int]:
    """Return the picture with the boxes that matter most, and the number of names that were left out.

    These are the ones nearest to the centre; without one, the most urgent.
    """
    hops = {} if picture.centre is None else _hops(picture.centre, picture.edges)

    def order(name: str) -> tuple[int, int]:
        return hops.get(name, len(hops)), _urgency(picture.kind(name))

    kept = set(sorted(picture.names, key=order)[:most])
    names = tuple(name for name in picture.names if name in kept)
    edges = tuple((a, b) for a, b in picture.edges if a in kept and b in kept)
    left_out = sum(len(picture.of(name)) for name in picture.names if name not in kept)
    return replace(picture, names=names, edges=edges), left_out


def _hops(centre: str, edges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Count the hops from the centre to each name that edges lead to, up or down."""
    beside: dict[str, list[str]] = {}
    for a, b in edges:
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    found = {centre: 0}
    for name in (queue := list(found)):
        for other in beside.get(name, ()):
            if other not in found:
                found[other] = found[name] + 1
                queue.append(other)
    return found


def mermaid(picture: Picture, *, most: int = MOST_BOXES) -> str:
    """Draw a Mermaid flowchart of at most so many boxes, with a legend; a last box says how many names it lacks.

    Every character of a name is escaped, so that none is taken for Mermaid's own.
    """
    picture, left_out = _bounded(picture, most)
    place = {name: f"n{i}" for i, name in enumerate(picture.names)}
    lines = ["flowchart LR"]
    for name, node in place.items():
        lines.append(
            f'  {node}["{_entity(_short(_label(picture, name), 2 * _LONGEST))}"]:::{picture.kind(name)}'
        )
    lines += [f"  {place[above]} --> {place[below]}" for above, below in picture.edges]
    if left_out:
        lines.append(f'  more["{_entity(_MORE.format(count=f"{left_out:,}"))}"]')
    kinds = picture.kinds
    lines.append("  subgraph legend")
    lines += [f'    k{i}["{_legend(kind)}"]:::{kind}' for i, kind in enumerate(kinds)]
    lines.append("  end")
    lines += [f"  classDef {kind} fill:{COLOURS.get(kind, '#ffffff')},stroke:#555" for kind in kinds]
    return "\n".join(lines) + "\n"


def svg(picture: Picture) -> str:
    """Draw an SVG document: a column for each generation, a box for each name, its reason as the box's title."""
    columns = _columns(picture)
    at: dict[str, tuple[int, int, int]] = {}
    x, height = _MARGIN, 0
    for column in columns:
        width = max(len(_short(_label(picture, name))) for name in column) * _WIDTH + 20
        for row, name in enumerate(column):
            at[name] = x, _MARGIN + row * _ROW, width
        x += width + _GAP
        height = max(height, len(column) * _ROW)
    key, wide = _svg_legend(picture.kinds, _MARGIN + height)
    size = f'width="{max(x - _GAP, wide) + _MARGIN}" height="{height + _ROW + 2 * _MARGIN}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="monospace" font-size="13">',
        '<defs><marker id="arrow" markerWidth="8" markerHeight="8" refX="8" refY="4" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#555"/></marker></defs>',
    ]
    for above, below in picture.edges:
        (x1, y1, w1), (x2, y2, _) = at[above], at[below]
        lines.append(
            f'<line x1="{x1 + w1}" y1="{y1 + _HEIGHT // 2}" x2="{x2}" y2="{y2 + _HEIGHT // 2}" '
            'stroke="#555" marker-end="url(#arrow)"/>'
        )
    for name, (left, top, width) in at.items():
        kind, border = picture.kind(name), 2 if name == picture.centre else 1
        lines.append(
            f"<g class={quoteattr(kind)}><title>{_xml(_title(picture, name))}</title>"
            f"{_box(left, top, width, kind, border)}"
            f'<text x="{left + 10}" y="{top + 19}">{_xml(_short(_label(picture, name)))}</text></g>'
        )
    return "\n".join([*lines, *key, "</svg>"]) + "\n"


def _svg_legend(kinds: Sequence[str], top: int) -> tuple[list[str], int]:
    """Return a row of coloured squares with their meaning, and its right end."""
    lines, x = [], _MARGIN
    for kind in kinds:
        text = _legend(kind)
        lines.append(
            _box(x, top + 10, 14, kind, 1) + f'<text x="{x + 20}" y="{top + 21}">{_xml(text)}</text>'
        )
        x += 20 + len(text) * _WIDTH + 24
    return lines, x


def _box(left: int, top: int, width: int, kind: str, border: int) -> str:
    height = min(width, _HEIGHT)
    return (
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="4" '
        f'fill="{COLOURS.get(kind, "#ffffff")}" stroke="#555" stroke-width="{border}"/>'
    )


def _columns(picture: Picture) -> list[list[str]]:
    """Sort the names into columns by their longest path from an input. A recorded cycle ends where it began."""
    above: dict[str, set[str]] = {name: set() for name in picture.names}
    for source, derived in picture.edges:
        if source != derived:
            above[derived].add(source)
    columns: list[list[str]] = []
    placed: set[str] = set()
    while len(placed) < len(above):
        column = [name for name in above if name not in placed and above[name] <= placed]
        column = column or [name for name in above if name not in placed][:1]
        columns.append(column)
        placed.update(column)
    return columns


def _title(picture: Picture, box: str) -> str:
    """Say the kind of a box's table and why; of several tables, count them and name the first of the most urgent."""
    kind = picture.kind(box)
    first = next(name for name in picture.of(box) if picture.verdicts.get(name, (kind,))[0] == kind)
    why = picture.verdicts.get(first, (kind, ""))[1]
    said = in_words(kind) if first == box else f"{_counted(picture, box)}; {first}: {in_words(kind)}"
    return f"{box}: {said}{f': {why}' if why else ''}"


def _label(picture: Picture, box: str) -> str:
    if box in picture.members:
        return f"{box}: {_counted(picture, box)}" if is_table(box) else f"{_counted(picture, box)}: {box} …"
    kind = picture.kind(box)
    return box if kind in ("unknown", "input") else f"{box} · {in_words(kind)}"


def _counted(picture: Picture, box: str) -> str:
    """Count the names of a box: `60 fresh, 1 stale`."""
    counts = picture.counts[box]
    if counts.keys() <= {"unknown", "input"}:
        return f"{counts.total():,} {'partitions' if is_table(box) else 'inputs'}"
    return ", ".join(
        f"{counts[kind]:,} {in_words(kind)}" for kind in sorted(counts, key=_urgency, reverse=True)
    )


def _legend(kind: str) -> str:
    return _LEGEND.get(kind, in_words(kind))


def _short(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest // 2]}…{text[-longest // 2 :]}"


def _xml(text: str) -> str:
    """Escape text for XML, which allows no control characters but white space."""
    return escape("".join(char if char.isprintable() else "\ufffd" for char in text))


def _entity(text: str) -> str:
    """Escape text for a quoted Mermaid label: only letters and digits are safe there."""
    return "".join(char if char.isalnum() or char in " ._-/·" else f"#{ord(char)};" for char in text)
