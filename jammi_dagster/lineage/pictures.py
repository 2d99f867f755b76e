"""Pictures of a lineage: Mermaid and SVG, from names, edges and verdicts given as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from jammi_dagster.contract import DerivesFromEdge
from jammi_dagster.contract.tables import is_table

COLOURS = {
    "fresh": "#c8e6c9",
    "stale": "#ffcdd2",
    "bytes_missing": "#ffcdd2",
    "undecidable": "#fff3c4",
    "not_replayable": "#fff3c4",
    "missing_manifest": "#e0e0e0",
    "input": "#d6e4f5",
    "unknown": "#ffffff",
}
_ROW, _WIDTH, _HEIGHT, _GAP, _MARGIN = 44, 8, 28, 70, 20
_LONGEST = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The content of a picture: `verdicts` maps a table to its kind and reason, `centre` is the table in the middle."""

    names: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    verdicts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    centre: str | None = None

    def kind(self, name: str) -> str:
        """Return the kind of a name, which decides its colour."""
        return self.verdicts.get(name, ("unknown" if is_table(name) else "input", ""))[0]


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


def mermaid(picture: Picture) -> str:
    """Draw a Mermaid flowchart. Every character of a name is escaped, so that none is taken for Mermaid's own."""
    place = {name: f"n{i}" for i, name in enumerate(picture.names)}
    lines = ["flowchart LR"]
    for name, node in place.items():
        kind = picture.kind(name)
        lines.append(f'  {node}["{_entity(_label(picture, name))}"]:::{kind}')
    lines += [f"  {place[above]} --> {place[below]}" for above, below in picture.edges]
    used = sorted({picture.kind(name) for name in picture.names})
    lines += [f"  classDef {kind} fill:{COLOURS.get(kind, '#ffffff')},stroke:#555" for kind in used]
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
    size = f'width="{x - _GAP + _MARGIN}" height="{height + 2 * _MARGIN}"'
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
        kind, why = picture.verdicts.get(name, (picture.kind(name), ""))
        border = 2 if name == picture.centre else 1
        title = _xml(f"{name}: {kind}{f': {why}' if why else ''}")
        lines.append(
            f"<g class={quoteattr(kind)}><title>{title}</title>"
            f'<rect x="{left}" y="{top}" width="{width}" height="{_HEIGHT}" rx="4" '
            f'fill="{COLOURS.get(kind, "#ffffff")}" stroke="#555" stroke-width="{border}"/>'
            f'<text x="{left + 10}" y="{top + 19}">{_xml(_short(_label(picture, name)))}</text></g>'
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


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


def _label(picture: Picture, name: str) -> str:
    kind = picture.kind(name)
    return name if kind in ("unknown", "input") else f"{name} · {kind.replace('_', ' ')}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}…{text[-_LONGEST // 2 :]}"


def _xml(text: str) -> str:
    """Escape text for XML, which allows no control characters but white space."""
    return escape("".join(char if char.isprintable() else "\ufffd" for char in text))


def _entity(text: str) -> str:
    """Escape text for a quoted Mermaid label: only letters and digits are safe there."""
    return "".join(char if char.isalnum() or char in " ._-/·" else f"#{ord(char)};" for char in text)
