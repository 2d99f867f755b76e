"""Draws the pictures of the architecture page: `python docs/pictures/draw.py` writes them beside this file.

The rooms come from the import contracts in `pyproject.toml`, so that the picture shows the layers that are enforced.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).parent
PROJECT = HERE.parents[1] / "pyproject.toml"

WIDTH = 900
INK, PALE, LINE, BLUE, GREEN = "#1f2937", "#6b7280", "#9ca3af", "#dbeafe", "#dcfce7"

ROOMS = {
    "cli": "the command jammi-dagster",
    "testing": "a tester for the suites of users",
    "store": "ResultStore: the one façade",
    "maintenance": "recovery",
    "recording": "the funnel, leases",
    "sensing": "fresh? a hit? intact?",
    "catalog": "rows and pointers",
    "artifacts": "Parquet and manifests",
    "surfaces": "versions of inputs",
    "fingerprint": "code identity",
    "planning": "decisions over values",
    "lineage": "the graph, its pictures",
    "contract": "values: identity, anchors, verdicts",
    "errors": "one base, the way out",
    "launching": "run requests",
    "executor": "reuse before a run's steps",
    "judgement": "verdicts off-run",
    "io_manager": "loads and stores",
    "decorator": "@result_table",
    "execution": "a step runs",
    "code_location": "nothing runs",
    "recipe": "how a table is made",
    "assets": "declarations of an author",
    "handoff": "references between steps",
    "metadata_keys": "names in Dagster",
}

_MOST_CAPTIONED = 4  # rooms in a layer: more are too narrow for a caption

# (from, to, text); a message to oneself is a note
Message = tuple[str, str, str]

HIT: tuple[Sequence[str], Sequence[Message]] = (
    ("Dagster", "IO manager", "step", "store", "your function"),
    (
        ("Dagster", "IO manager", "load the inputs"),
        ("IO manager", "step", "references, no bytes"),
        ("step", "step", "describe code, config, names of inputs"),
        ("step", "store", "anchors of the inputs?"),
        ("store", "step", "digests and versions"),
        ("step", "store", "probe: definition, anchors"),
        ("store", "store", "find the row; are its bytes there?"),
        ("store", "step", "a materialization"),
        ("step", "step", "decide: reuse"),
        ("step", "store", "make it current"),
        ("step", "Dagster", "event: reused, with recorded metadata"),
    ),
)
COMPUTED: tuple[Sequence[str], Sequence[Message]] = (
    ("Dagster", "step", "your function", "funnel", "root", "catalog"),
    (
        ("step", "step", "no hit; decide: compute"),
        ("step", "catalog", "add a row that is building, with a lease"),
        ("step", "your function", "inputs, as annotated"),
        ("your function", "funnel", "rows"),
        ("funnel", "root", "1. bytes, durable"),
        ("step", "step", "pin the inputs again: which moved?"),
        ("funnel", "root", "2. manifest, durable"),
        ("funnel", "catalog", "3. one transaction: ready, and current"),
        ("step", "Dagster", "event: computed"),
    ),
)
TICK: tuple[Sequence[str], Sequence[Message]] = (
    ("Dagster", "sensor", "judgement", "catalog, surfaces", "launching"),
    (
        ("Dagster", "sensor", "tick, with the cursor"),
        ("sensor", "catalog, surfaces", "has anything changed? if not: rest"),
        ("sensor", "judgement", "judge every table"),
        ("judgement", "judgement", "the definition of now, from the recorded config"),
        ("judgement", "catalog, surfaces", "current digests and versions?"),
        ("judgement", "sensor", "verdicts with reasons"),
        ("sensor", "launching", "stale tables and their descendants"),
        ("launching", "sensor", "the runs that wait for nothing"),
        ("sensor", "Dagster", "run requests, message, cursor"),
    ),
)


def text(x: float, y: float, words: str, *, size: int = 13, fill: str = INK, anchor: str = "middle") -> str:
    """Draw words around, or from, a point."""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{fill}" text-anchor="{anchor}">{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, fill: str) -> str:
    """Draw a box with rounded corners."""
    size = f'width="{width:g}" height="{height:g}"'
    return f'<rect x="{x:g}" y="{y:g}" {size} rx="6" fill="{fill}" stroke="{LINE}"/>'


def document(height: float, title: str, parts: Sequence[str]) -> str:
    """Put the parts on a white page, readable under any theme."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'font-family="system-ui, sans-serif"><title>{escape(title)}</title>'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0,0 L8,4 L0,8 z" fill="{INK}"/></marker></defs>'
        f'<rect width="{WIDTH}" height="{height:g}" rx="8" fill="#ffffff"/>'
    )
    return "\n".join([head, *parts, "</svg>\n"])


def layers(container: str) -> list[list[str]]:
    """Read the rooms of each layer from the import contracts, the top layer first."""
    contracts = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    found = next(c["layers"] for c in contracts if c.get("containers") == [container])
    return [re.split(r"\s*[|:]\s*", layer) for layer in found]


def row(rooms: Sequence[str], x: float, y: float, width: float, fill: str) -> list[str]:
    """Draw the rooms of one layer side by side."""
    each = (width - 8 * (len(rooms) - 1)) / len(rooms)
    parts = []
    for number, room in enumerate(rooms):
        left = x + number * (each + 8)
        middle, caption = left + each / 2, ROOMS.get(room)
        parts.append(box(left, y, each, 36, fill))
        if caption is None or len(rooms) > _MOST_CAPTIONED:
            parts.append(text(middle, y + 22, room, size=11 if len(room) < 15 else 10))
        elif len(rooms) == 1:
            parts.append(text(middle, y + 23, f"{room}: {caption}"))
        else:
            parts.append(text(middle, y + 16, room, size=12))
            parts.append(text(middle, y + 30, caption, size=10, fill=PALE))
    return parts


def rooms() -> str:
    """Draw the layers of the package, with the rooms of `adapters` inside its box."""
    parts, y = [text(24, 30, "Upper rooms import lower ones, never the other way.", anchor="start")], 46.0
    for layer in layers("jammi_dagster"):
        if layer != ["adapters"]:
            parts += row(layer, 24, y, WIDTH - 48, BLUE)
            y += 44
            continue
        inner = layers("jammi_dagster.adapters")
        parts.append(box(24, y, WIDTH - 48, 44 * len(inner) + 34, "#f9fafb"))
        parts.append(text(36, y + 21, "adapters: the only rooms that import dagster", anchor="start"))
        y += 30
        for rooms_inside in inner:
            parts += row(rooms_inside, 36, y, WIDTH - 72, GREEN)
            y += 44
        y += 12
    return document(y + 12, "The rooms of jammi_dagster and their layers", parts)


def sequence(title: str, lanes: Sequence[str], messages: Sequence[Message]) -> str:
    """Draw who says what to whom, from top to bottom."""
    gap = (WIDTH - 40) / len(lanes)
    at = {lane: 20 + gap * (number + 0.5) for number, lane in enumerate(lanes)}
    bottom = 70 + 44 * len(messages)
    parts = []
    for lane, x in at.items():
        silent = all(lane not in message[:2] for message in messages)
        parts.append(f'<path d="M{x:g},52 V{bottom:g}" stroke="{LINE}" stroke-dasharray="4 4"/>')
        parts.append(box(x - gap / 2 + 8, 16, gap - 16, 36, BLUE))
        parts.append(text(x, 39, lane))
        if silent:
            parts.append(box(x - 46, bottom - 60, 92, 26, "#ffffff"))
            parts.append(text(x, bottom - 42, "not called", size=12, fill=PALE))
    for number, (source, target, words) in enumerate(messages):
        y = 84.0 + 44 * number
        parts += _note(at[source], y, words) if source == target else _arrow(at[source], at[target], y, words)
    return document(bottom + 16, title, parts)


def _note(x: float, y: float, words: str) -> list[str]:
    width = 6.4 * len(words) + 20
    left = min(max(x - width / 2, 8), WIDTH - width - 8)
    return [box(left, y - 19, width, 28, GREEN), text(left + width / 2, y - 1, words, size=12)]


def _arrow(start: float, end: float, y: float, words: str) -> list[str]:
    middle, width = (start + end) / 2, 6.2 * len(words) + 8
    left = min(max(middle - width / 2, 4), WIDTH - width - 4)
    return [
        f'<rect x="{left:g}" y="{y - 19:g}" width="{width:g}" height="16" fill="#ffffff" fill-opacity="0.9"/>',
        text(left + width / 2, y - 7, words, size=12),
        f'<path d="M{start:g},{y:g} H{end:g}" stroke="{INK}" fill="none" marker-end="url(#tip)"/>',
    ]


def pictures() -> dict[str, str]:
    """Draw all pictures, by file name."""
    return {
        "rooms.svg": rooms(),
        "hit.svg": sequence("A step that reuses a table", *HIT),
        "computed.svg": sequence("A step that computes a table", *COMPUTED),
        "tick.svg": sequence("A tick of the staleness sensor", *TICK),
    }


if __name__ == "__main__":
    for name, drawn in pictures().items():
        (HERE / name).write_text(drawn, encoding="utf-8")
