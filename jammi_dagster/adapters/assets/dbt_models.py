"""Models of dbt as Dagster's asset graph has them, known by the metadata that `dagster_dbt` gives to its assets.

A model has a version where nobody gave it one: its last materialization event, and a digest of the code that it is made
by. Every run of dbt is a new version, whatever it changed in the warehouse. Nothing here imports `dagster_dbt`.

The code of a model: its own, that of the ephemeral models and functions within it, their macros and the macros of
these, and the `vars:` of the project that they may use. A model that is a view shows the tables below it, so that their
events count as well.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from jammi_dagster.contract.dbt_versions import dbt_name, dbt_version

_MANIFEST, _PROJECT, _UNIQUE_ID = "dagster_dbt/manifest", "dagster_dbt/project", "dagster_dbt/unique_id"
_OF_CODE = ("checksum", "language", "macro_sql", "raw_code", "relation_name", "resource_type")
_NO_CODE = frozenset({"access", "docs", "grants", "group", "meta", "node_color", "persist_docs", "tags"})
_VAR = re.compile(r"\bvar\s*\(\s*(?:(['\"])(?P<name>.*?)\1)?")


@dataclass(frozen=True, kw_only=True)
class DbtModel:
    """A model, seed or snapshot: its id in the manifest, and the keys of the tables that it shows as a view.

    `project_dir` is the folder with `dbt_project.yml`; None where the asset does not tell.
    """

    unique_id: str
    manifest: Mapping[str, Any]
    project_dir: Path | None
    shows: tuple[dg.AssetKey, ...] = ()

    @classmethod
    def of(cls, node: Any, node_of: Callable[[dg.AssetKey], Any]) -> DbtModel | None:
        """Return the model behind a node of the asset graph; None for any other asset. `node_of` gives its parents."""
        metadata = node.metadata
        unique_id = metadata.get(_UNIQUE_ID)
        manifest = getattr(metadata.get(_MANIFEST), "manifest", None)
        if not isinstance(unique_id, str) or not isinstance(manifest, Mapping):
            return None
        project_dir = getattr(metadata.get(_PROJECT), "project_dir", None)
        return cls(
            unique_id=unique_id,
            manifest=manifest,
            project_dir=None if project_dir is None else Path(project_dir),
            shows=tuple(sorted(set(_shown(node, manifest, node_of)))),
        )

    @property
    def name(self) -> str:
        """The model as people name it."""
        return dbt_name(self.unique_id)

    def versions(self, shown: Sequence[str]) -> Callable[[str], str]:
        """Return the function from an event to the version after it; `shown` are the events of tables that it shows."""
        code = _digest(f"[{self._code},{_text(self._vars())}]")
        more = f".{_digest(_text(list(shown)))[:16]}" if shown else ""
        return lambda event: dbt_version(self.unique_id, f"{event}{more}", code)

    @functools.cached_property
    def _code(self) -> str:
        """The code as JSON: a manifest is read when the code location is loaded, and stays as it is."""
        return _text({name: _described(one) for name, one in _closure(self.manifest, self.unique_id)})

    @functools.cached_property
    def _calls(self) -> frozenset[str | None]:
        """The names of the vars that the code asks for; None for a name that is computed."""
        return frozenset(call["name"] for call in _VAR.finditer(self._code.replace('\\"', '"')))

    def _vars(self) -> dict[str, Any]:
        """Return the vars that the code may use. The file is read at each look: it may be edited at any time."""
        if self.project_dir is None:
            return {}
        try:
            found = _vars_of((self.project_dir / "dbt_project.yml").read_bytes())
        except OSError:
            return {}
        if None in self._calls:
            return dict(found)
        return {
            name: value
            for name, value in found.items()
            if name in self._calls or (self._calls and isinstance(value, dict))
        }


@functools.lru_cache(maxsize=16)
def _vars_of(text: bytes) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    given = found.get("vars") if isinstance(found, dict) else None
    return {str(name): value for name, value in given.items()} if isinstance(given, dict) else {}


def _entry(manifest: Mapping[str, Any], unique_id: str) -> Mapping[str, Any]:
    for section in ("nodes", "functions", "macros"):
        found = (manifest.get(section) or {}).get(unique_id)
        if found is not None:
            return dict(found)
    return {}


def _closure(manifest: Mapping[str, Any], unique_id: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the model, and everything whose code becomes part of its own."""
    seen, rest = {unique_id}, [unique_id]
    while rest:
        one = rest.pop()
        entry = _entry(manifest, one)
        yield one, entry
        needs = entry.get("depends_on") or {}
        within = [name for name in needs.get("nodes") or () if _is_within(manifest, name)]
        for name in (*within, *(needs.get("macros") or ())):
            if name not in seen:
                seen.add(name)
                rest.append(name)


def _is_within(manifest: Mapping[str, Any], unique_id: str) -> bool:
    return unique_id.startswith("function.") or _materialized(manifest, unique_id) == "ephemeral"


def _materialized(manifest: Mapping[str, Any], unique_id: str) -> Any:
    return (_entry(manifest, unique_id).get("config") or {}).get("materialized")


def _described(entry: Mapping[str, Any]) -> dict[str, Any]:
    config = {name: value for name, value in (entry.get("config") or {}).items() if name not in _NO_CODE}
    return {**{name: entry[name] for name in _OF_CODE if name in entry}, "config": config}


def _shown(
    node: Any, manifest: Mapping[str, Any], node_of: Callable[[dg.AssetKey], Any]
) -> Iterator[dg.AssetKey]:
    """Yield the keys of the tables that a view shows, also through other views."""
    if _materialized(manifest, node.metadata[_UNIQUE_ID]) != "view":
        return
    for key in node.parent_keys:
        above = node_of(key)
        if above.metadata.get(_UNIQUE_ID) is not None:
            yield key
            yield from _shown(above, manifest, node_of)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str, separators=(",", ":"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
