"""The replay of a run: the config and the range that the asset was made with, to be given again."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jammi_dagster.adapters.recipe.annotation import passing_over_damage
from jammi_dagster.artifacts import read_manifest
from jammi_dagster.contract import MaterializationManifest, canonical_json
from jammi_dagster.store import ResultStore

KEY = "replay"


@dataclass(frozen=True, kw_only=True)
class Replay:
    """The raw op config of a step, and the first and last partition where it made a range of several."""

    config: Any = None
    span: tuple[str, str] | None = None

    @functools.cached_property
    def key(self) -> tuple[bytes, tuple[str, str] | None]:
        """A hashable key, equal for equal replays."""
        return canonical_json(self.config), self.span

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON that sidecar and catalog record."""
        return {"config": self.config, "span": None if self.span is None else list(self.span)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Replay:
        """Return the replay of recorded JSON. Raises as it comes for JSON that is not such."""
        first, last = value.get("span") or (None, None)
        replay = cls(config=value.get("config"), span=None if first is None else (str(first), str(last)))
        _ = replay.key  # a config that has no canonical JSON was not recorded by us
        return replay


def recorded_replays(store: ResultStore, reader: Any, tables: Iterable[str]) -> dict[str, Replay | None]:
    """Return the replay of each table's current materialization; None where no manifest holds it.

    The catalog holds most of them; those of tables that it has none of, such as a library's, are read from sidecars.
    """
    wanted = list(tables)
    found: dict[str, Replay | None] = {}
    for table, text in reader.annotations_of(wanted).items():
        with passing_over_damage(table, "annotation"):
            said = json.loads(text).get(KEY)
            if said is not None:
                found[table] = Replay.from_dict(said)
    rest = [table for table in wanted if table not in found]
    for table, record in reader.current_of(rest).items():
        found[table] = None
        with passing_over_damage(table, "sidecar"):
            manifest = read_manifest(store.artifacts, record.artifact_path)
            if manifest is not None:
                found[table] = replay_of(manifest)
    return found


def replay_of(manifest: MaterializationManifest) -> Replay:
    """Return the replay that a manifest records. Raises as `Replay.from_dict` does."""
    own = manifest.own or {}
    return Replay.from_dict({"config": own.get("raw_config"), "span": own.get("partition_span")})
