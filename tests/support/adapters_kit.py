"""What the adapter tests share: a store with an instance, runs on it, and what a run says that it did.

Assets note their calls here: a list in a closure would be part of their code identity, and change as they run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from jammi_dagster import ResultStore, ResultStoreResource, ResultTableIOManager, result_table
from jammi_dagster.contract import InputAnchor
from jammi_dagster.surfaces import file

_calls: list[Any] = []


def note(what: Any) -> None:
    """Called by a test's asset: says that its function ran, and with what."""
    _calls.append(what)


def taken() -> list[Any]:
    """What was noted since this was last asked."""
    calls = list(_calls)
    _calls.clear()
    return calls


def table(*values: Any, name: str = "x") -> pa.Table:
    """A table of one column."""
    return pa.table({name: list(values)})


def values(data: pa.Table, name: str = "x") -> list[Any]:
    """That column."""
    return list(data.column(name).to_pylist())


letters = dg.StaticPartitionsDefinition(["a", "b"])


@result_table(reads=[])
def raw() -> pa.Table:
    return table(1, 2, 3)


@result_table(partitions_def=letters, reads=[])
def part(context: dg.AssetExecutionContext) -> pa.Table:
    return table(context.partition_key)


def raw_and_mid(folder: Path) -> list[Any]:
    """A table of a file, and one below it."""
    path = folder / "raw.txt"

    @result_table(reads=[file(path, name="raw.txt")], code_version="1")
    def raw() -> pa.Table:
        return table(path.read_text())

    @result_table(code_version="1")
    def mid(raw: pa.Table) -> pa.Table:
        note("mid")
        return raw

    return [raw, mid]


class Held(dg.IOManager):
    """An IO manager that is not ours: it keeps the last value of each asset."""

    def __init__(self) -> None:
        self.held: dict[dg.AssetKey, Any] = {}

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        self.held[context.asset_key] = obj

    def load_input(self, context: dg.InputContext) -> Any:
        return self.held[context.asset_key]


class Broken(dg.ConfigurableResource[Any]):
    """A resource that cannot be made if it `fails`: by an error with a secret in it."""

    fails: bool = False

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        if self.fails:
            raise OSError("no connection with password hunter2")


@dataclass(frozen=True)
class Ran:
    """What one run did."""

    result: Any
    calls: list[Any]
    captured: list[str]

    @property
    def events(self) -> dict[str, Any]:
        """The materializations by table name, as `key` or `key[partition]`."""
        found = {}
        for event in self.result.get_asset_materialization_events():
            made = event.materialization
            name = made.asset_key.to_user_string()
            found[name if made.partition is None else f"{name}[{made.partition}]"] = made
        return found

    @property
    def outcomes(self) -> dict[str, Any]:
        """`computed` or `reused` by table name; None for an asset of another IO manager."""
        return {
            name: made.metadata["jammi/cache_outcome"].value
            if "jammi/cache_outcome" in made.metadata
            else None
            for name, made in self.events.items()
        }

    def said(self, name: str) -> dict[str, Any]:
        """The metadata of a table's materialization, as plain values."""
        return {key: value.value for key, value in self.events[name].metadata.items()}

    def why_unpinned(self, name: str) -> str:
        """The reasons why the table cannot be reused; empty if it can."""
        return str(self.said(name).get("jammi/unpinned", ""))

    def data_version(self, name: str) -> str:
        return str(self.events[name].tags["dagster/data_version"])

    @property
    def errors(self) -> list[str]:
        """Each failed step's error with its causes, as text."""
        found = []
        for event in self.result.get_step_failure_events():
            messages, error = [], event.step_failure_data.error
            while error is not None:
                messages.append(error.message)
                error = error.cause
            found.append("".join(messages))
        return found

    @property
    def error(self) -> str:
        """The one failed step's error."""
        (error,) = self.errors
        return error


@dataclass
class Lab:
    """A store, its IO manager under the default key, and a Dagster instance.

    `more` are other resources, `options` those of the store, `console` is the level from which Dagster prints.
    """

    root: Path
    instance: dg.DagsterInstance
    cache: str = "use"
    more: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    console: str = "CRITICAL"

    @property
    def store_resource(self) -> ResultStoreResource:
        return ResultStoreResource(root=str(self.root), **self.options)

    @property
    def store(self) -> ResultStore:
        return self.store_resource.get()

    @property
    def resources(self) -> dict[str, Any]:
        manager = ResultTableIOManager(store=self.store_resource, cache=self.cache)
        return {"io_manager": manager, **self.more}

    def run(
        self,
        assets: Sequence[Any] | Any,
        *,
        select: Iterable[Any] | None = None,
        partition: str | None = None,
        span: tuple[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        ok: bool | None = True,
        **more: Any,
    ) -> Ran:
        """Materializes assets in this process. `config`: asset name -> op config. `span`: first and last partition."""
        taken()
        run_tags = dict(tags or {})
        if span is not None:
            run_tags["dagster/asset_partition_range_start"], run_tags["dagster/asset_partition_range_end"] = (
                span
            )
        run_config = {
            "ops": {name: {"config": value} for name, value in (config or {}).items()},
            "loggers": {"console": {"config": {"log_level": self.console}}},  # a quarter of a run's time
            **more,
        }
        several: list[Any] = list(assets) if isinstance(assets, (list, tuple)) else [assets]
        result = dg.materialize(
            several,
            selection=None if select is None else list(select),
            instance=self.instance,
            resources=self.resources,
            partition_key=partition,
            tags=run_tags,
            run_config=run_config,
            raise_on_error=False,
        )
        logs = [entry.user_message for entry in self.instance.all_logs(result.run_id)]
        ran = Ran(result, taken(), logs)
        assert ok is None or result.success is ok, "\n".join(ran.errors) or "the run was expected to fail"
        return ran

    def anchors(self, name: str) -> dict[str, InputAnchor]:
        """The recorded anchors of a table's current materialization, by source."""
        return {anchor.source: anchor for anchor in self.store.current(name).input_anchors}

    def files(self) -> Iterable[Path]:
        """Every file below the root."""
        return (path for path in self.root.rglob("*") if path.is_file())
