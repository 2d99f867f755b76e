"""Runs for the goldens: in this process, on a store of their own, with a name for each value that varies."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import dagster as dg
import pyarrow as pa

from jammi_dagster import (
    MaterializationManifest,
    ResultStore,
    ResultStoreResource,
    ResultTableIOManager,
    result_table,
)

HERE = Path(__file__).parent
ENVIRONMENT = {"JAMMI_STORE_KEY": "the goldens' own key", "GOLDEN_SECRET": "correct-horse-battery"}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@contextmanager
def surroundings(folder: Path) -> Iterator[dg.DagsterInstance]:
    """Yield an instance in memory, with `folder` as the working folder and a store key that never changes."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        with mock.patch.dict(os.environ, ENVIRONMENT), dg.DagsterInstance.ephemeral() as instance:
            yield instance
    finally:
        os.chdir(before)


class Names:
    """Names for values that differ from run to run: the same value has the same name, the first is number 1."""

    def __init__(self) -> None:
        self._known: dict[str, dict[Any, str]] = {}

    def of(self, kind: str, value: Any) -> str | None:
        """Return the name of a value, such as `key 1`; None for None."""
        if value is None:
            return None
        known = self._known.setdefault(kind, {})
        return known.setdefault(value, f"{kind} {len(known) + 1}")


class Bench:
    """A store, its IO manager under the default key, and a Dagster instance."""

    def __init__(
        self,
        root: Path,
        instance: dg.DagsterInstance,
        *,
        cache: str = "use",
        resources: Mapping[str, Any] | None = None,
    ) -> None:
        self.root, self.instance = root, instance
        self.store_resource = ResultStoreResource(root=str(root))
        manager = ResultTableIOManager(store=self.store_resource, cache=cache)
        self.resources = {"io_manager": manager, **(resources or {})}
        self.names = Names()

    @property
    def store(self) -> ResultStore:
        """Return the open store."""
        return self.store_resource.get()

    def definitions(self, assets: Iterable[Any], **more: Any) -> dg.Definitions:
        """Return the assets as a code location on this store."""
        return dg.Definitions(assets=list(assets), resources=self.resources, **more)

    def run(
        self,
        assets: Sequence[Any],
        *,
        select: Sequence[Any] | None = None,
        partition: str | None = None,
        span: tuple[str, str] | None = None,
        policy: str | None = None,
        config: Mapping[str, Any] | None = None,
        ok: bool = True,
    ) -> Any:
        """Materialize assets; return Dagster's result. `span` is the first and the last partition of a range."""
        tags = {} if policy is None else {"jammi/cache": policy}
        if span is not None:
            ends = ("start", "end")
            tags.update({f"dagster/asset_partition_range_{e}": k for e, k in zip(ends, span, strict=True)})
        ops = {name: {"config": value} for name, value in (config or {}).items()}
        result = dg.materialize(
            list(assets),
            selection=None if select is None else list(select),
            instance=self.instance,
            resources=self.resources,
            partition_key=partition,
            tags=tags,
            run_config={"ops": ops, **QUIET},
            raise_on_error=False,
        )
        assert result.success is ok, failures(result) or "the run was expected to fail"
        return result

    def ordinal(self, table: str, materialization: str | None) -> int | None:
        """Return the place of a materialization among those of its table, counted from 1."""
        if materialization is None:
            return None
        ids = sorted(record.materialization_id for record in self.store.history(table))
        return ids.index(materialization) + 1

    def sidecars(self) -> list[dict[str, Any]]:
        """Return every recorded manifest as JSON, by table and time."""
        paths = self.root.rglob("*.materialization.json")
        found = [MaterializationManifest.from_bytes(p.read_bytes(), where=str(p)).to_dict() for p in paths]
        return sorted(
            found, key=lambda one: (one["jammi_dagster"]["table"], one["jammi_dagster"]["materialization"])
        )

    def anchors(self, anchors: Iterable[Any]) -> list[list[str | None]]:
        """Return source, kind and version of each anchor, in recorded order; digests and instants by name."""
        shown = []
        for anchor in anchors:
            value = anchor.anchor
            if anchor.kind.value == "result_digest":
                value = self.names.of("bytes", value)
            elif anchor.kind.value == "unpinned_at_instant":
                value = "an instant"
            shown.append([anchor.source, anchor.kind.value, value])
        return shown


def by_range(letters: dg.PartitionsDefinition[str], version: str = "1") -> list[Any]:
    """Return two assets, of which a step makes a whole range of partitions."""
    ranged: dict[str, Any] = {
        "partitions_def": letters,
        "backfill_policy": dg.BackfillPolicy.single_run(),
    }

    @result_table(**ranged, reads=[], code_version=version)
    def part(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        return {key: pa.table({"x": [key, version]}) for key in context.partition_keys}

    @result_table(**ranged, code_version="1")
    def below(context: dg.AssetExecutionContext, part: dict[str, pa.Table]) -> dict[str, pa.Table]:
        return {key: part[key] for key in context.partition_keys}

    return [part, below]


def failures(result: Any) -> list[str]:
    """Return each failed step's error, with its causes."""
    found = []
    for event in result.get_step_failure_events():
        error = event.step_failure_data.error
        while error is not None:
            found.append(error.message)
            error = error.cause
    return found


def outcomes(result: Any) -> dict[str, str | None]:
    """Return `computed` or `reused` by table; None for an asset of another IO manager."""
    found = {}
    for event in result.get_asset_materialization_events():
        made = event.materialization
        outcome = made.metadata.get("jammi/cache_outcome")
        found[table_of(made)] = None if outcome is None else outcome.value
    return dict(sorted(found.items()))


def table_of(made: Any) -> str:
    """Return the name of a materialization's table, where its key has nothing to escape."""
    name: str = made.asset_key.to_user_string()
    return name if made.partition is None else f"{name}[{made.partition}]"


def dumped(value: Any) -> str:
    """Return JSON that is compared line by line."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
