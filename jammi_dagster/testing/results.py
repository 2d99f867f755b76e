"""The results of a tester's runs and ticks: plain values, and tables that are read when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import TableName
from jammi_dagster.contract.tables import table_names
from jammi_dagster.errors import InvalidField, NotInRun
from jammi_dagster.store import ResultStore
from jammi_dagster.testing.reasons import reasons_to_compute

if TYPE_CHECKING:
    import pyarrow as pa

Table = str | dg.AssetKey | dg.AssetsDefinition
"""A table by its name (`orders`, `sales/orders[2026-01-01]`), its asset key, or the asset that makes it alone."""

Outcome = Literal["computed", "reused"]


@dataclass(frozen=True)
class TableRun:
    """One run of the tester: its success, its errors, and the tables that it materialized.

    A method that takes a table takes its name, its asset key or its asset, and `partition_key=` for one of a
    partitioned asset. It raises `NotInRun` for a table that the run did not materialize.

    Example:
        run = tester.materialize([orders, large_orders])
        assert run.outcomes == {"orders": "computed", "large_orders": "computed"}
        assert run.table(large_orders).num_rows == 1
    """

    result: dg.ExecuteInProcessResult
    """Dagster's own result of the run."""
    store: ResultStore
    before: Mapping[str, str]
    """The id of each table's current materialization at the start of the run."""

    @property
    def success(self) -> bool:
        """Tell whether every step succeeded."""
        return self.result.success

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """The outcome of each result table, by name, in the order of their events."""
        return {
            name: _outcome(event)
            for name, event in self._events().items()
            if metadata_keys.CACHE_OUTCOME in event.metadata
        }

    @property
    def errors(self) -> dict[str, str]:
        """The error of each failed step with its causes, by step key; empty for a success."""
        found = {}
        for event in self.result.get_step_failure_events():
            messages, error = [], event.step_failure_data.error
            while error is not None:
                messages.append(error.message.strip())
                error = error.cause
            found[str(event.step_key)] = "\n".join(messages)
        return found

    def outcome(self, table: Table, *, partition_key: str | None = None) -> Outcome:
        """Give `computed` or `reused`. Raises `NotInRun`."""
        return _outcome(self._event(table, partition_key))

    def why(self, table: Table, *, partition_key: str | None = None) -> str:
        """Give the reason for the outcome, in words.

        For a reuse, the run that made the table. For a computed table, each difference from the materialization that
        was current before; then, if it cannot be reused either, the inputs that have no version. Raises `NotInRun`.
        """
        event = self._event(table, partition_key)
        after = self._record(event)
        if _outcome(event) == "reused":
            return f"same definition and inputs as in run {after.produced_by}"
        reasons = reasons_to_compute(
            self.store, self._by_id(after.table, self.before.get(after.table)), after
        )
        unpinned = event.metadata.get(metadata_keys.UNPINNED)
        if unpinned is not None:
            reasons += [
                f"cannot be reused: {line.removeprefix('- ')}" for line in str(unpinned.value).split("\n")
            ]
        return "; ".join(reasons)

    def table(self, table: Table, *, partition_key: str | None = None) -> pa.Table:
        """Read the table as this run left it, whatever ran since. Raises `NotInRun`."""
        record = self._record(self._event(table, partition_key))
        return self.store.artifacts.read_table(record.artifact_path)

    def metadata(self, table: Table, *, partition_key: str | None = None) -> dict[str, Any]:
        """Give the metadata of the table's materialization event, as plain values. Raises `NotInRun`."""
        return {key: value.value for key, value in self._event(table, partition_key).metadata.items()}

    def _events(self) -> dict[str, dg.AssetMaterialization]:
        events = [event.materialization for event in self.result.get_asset_materialization_events()]
        return {str(TableName.of(event.asset_key.path, event.partition)): event for event in events}

    def _event(self, table: Table, partition_key: str | None) -> dg.AssetMaterialization:
        name, events = _name(table, partition_key), self._events()
        event = events.get(name)
        if event is None or metadata_keys.MATERIALIZATION not in event.metadata:
            raise NotInRun(table=name, tables=", ".join(self.outcomes) or "none", run_id=self.result.run_id)
        return event

    def _record(self, event: dg.AssetMaterialization) -> MaterializationRecord:
        name = str(TableName.of(event.asset_key.path, event.partition))
        record = self._by_id(name, event.metadata[metadata_keys.MATERIALIZATION].value)
        assert record is not None, "a run's materialization is in the catalog"
        return record

    def _by_id(self, table: str, materialization_id: Any) -> MaterializationRecord | None:
        history = {record.materialization_id: record for record in self.store.history(table)}
        return history.get(materialization_id)


@dataclass(frozen=True)
class TickResult:
    """One tick of a sensor: the runs that it requests, and its message.

    Example:
        tick = tester.tick(defs)
        assert tick.requested == ["large_orders", "orders"]
        (run,) = tick.execute()
    """

    run_requests: Sequence[dg.RunRequest]
    message: str
    """The sensor's own words: counts by verdict, and the first reasons."""
    run_request: Callable[[dg.RunRequest, bool], TableRun]

    @property
    def requested(self) -> list[str]:
        """The names of the requested tables, those of one request sorted."""
        return [name for request in self.run_requests for name in sorted(_requested(request))]

    def execute(self, *, raise_on_error: bool = True) -> list[TableRun]:
        """Run what was requested, in order and in this process; give one result per request.

        A failed step raises its error, or stands in `errors` of its run under `raise_on_error=False`.
        """
        return [self.run_request(request, raise_on_error) for request in self.run_requests]


def _outcome(event: dg.AssetMaterialization) -> Outcome:
    return "reused" if event.metadata[metadata_keys.CACHE_OUTCOME].value == "reused" else "computed"


def _name(table: Table, partition_key: str | None) -> str:
    if isinstance(table, str):
        key = TableName.parse(table).asset_key if partition_key is not None else None
        return table if key is None else str(TableName.of(key, partition_key))
    keys = list(table.keys) if isinstance(table, dg.AssetsDefinition) else [table]
    if len(keys) != 1:
        names = ", ".join(sorted(key.to_user_string() for key in keys)) or "no asset"
        raise InvalidField(
            what="tester", path="table", value=names, expected="one asset; give the key of one"
        )
    return str(TableName.of(keys[0].path, partition_key))


def _requested(request: dg.RunRequest) -> list[str]:
    """Name the tables of a request; a range is one name, `key[first...last]`, as Dagster writes it."""
    first, last = (request.tags.get(tag) for tag in metadata_keys.RANGE_TAGS)
    partition = request.partition_key if first is None else f"{first}...{last}"
    return [name for key in request.asset_selection or () for name in table_names(key.path, [partition])]
