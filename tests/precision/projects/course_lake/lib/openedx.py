"""The structure of a course, from nested blocks to rows."""

from collections.abc import Generator
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree

BLOCK_TYPES = frozenset({"chapter", "sequential", "vertical", "problem", "video"})


@dataclass(slots=True)
class Block:
    block_id: str
    kind: str
    title: str | None
    depth: int
    parent: str | None


def walk(structure: dict[str, Any], root: str, depth: int = 0, parent: str | None = None) -> Generator[Block, None, None]:
    node = structure[root]
    metadata = node.get("metadata", {})
    yield Block(root, node["category"], metadata.get("display_name"), depth, parent)
    for child in node.get("children", ()):
        if child in structure:
            yield from walk(structure, child, depth + 1, root)


def rows(structure: dict[str, Any]) -> list[dict[str, Any]]:
    (root,) = (key for key, node in structure.items() if node["category"] == "course")
    return [asdict(block) for block in walk(structure, root) if block.kind in BLOCK_TYPES]


def policy_of(xml: str) -> dict[str, str]:
    tree = ElementTree.fromstring(xml)
    return {element.tag: (element.text or "").strip() for element in tree.iter() if element.text}
