"""Helpers of the tests of a store's behaviour."""

import contextlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any
from unittest import mock

import sqlalchemy as sa
from core_kit import ENV, descriptor, make, numbers

from benchmarks.statements import statements
from jammi_dagster import InputAnchor, MaterializationEnv, ProducingDescriptor, ResultStore, Staleness
from jammi_dagster.catalog import CatalogWriter, MaterializationRecord
from jammi_dagster.catalog.models import METADATA
from jammi_dagster.contract import DefinitionHash, definition_hash
from jammi_dagster.maintenance import Recovery
from jammi_dagster.recording import Attempt, Output

OTHER = DefinitionHash("cd" * 32)


class StoreAt:
    """Opens one catalog and root as any tenant, in any deployment."""

    def __init__(self, root: Path, url: str) -> None:
        self.root, self.url = root, url
        self._opened: list[ResultStore] = []

    def __call__(
        self, *, tenant: str | None = None, deployment: str = "default", **branch: Any
    ) -> ResultStore:
        """A store of its own connections; in memory, where there is one, beside the first."""
        if self._opened and self.url == "sqlite://":
            return self._opened[0].beside(tenant=tenant, deployment=deployment, **branch)
        store = ResultStore(str(self.root), self.url, tenant=tenant, deployment=deployment, **branch)
        self._opened.append(store)
        return store

    def __enter__(self) -> "StoreAt":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for store in self._opened:
            store.close()


class Surface:
    """A version surface with a given answer."""

    def __init__(self, source: str, version: str | None) -> None:
        self.source, self.version = source, version
        self.asked = 0

    def observe(self) -> str | None:
        """The version."""
        self.asked += 1
        return self.version


def definition(step: int = 1) -> DefinitionHash:
    """The definition of `core_kit.make(…, step=step)`."""
    return definition_hash(descriptor(step), ENV)


def on(*parents: MaterializationRecord) -> list[InputAnchor]:
    """Anchors on exactly these materializations."""
    return [InputAnchor.result_digest(parent.table, str(parent.artifact_digest)) for parent in parents]


def child(store: ResultStore, table: str, *parents: str, step: int = 1) -> MaterializationRecord:
    """Materializes `table` over the parents' current materializations."""
    return make(store, table, step=step, inputs=on(*(store.current(parent) for parent in parents)))


def attempt_on(store: ResultStore, *tables: str, owner: str = "run/step", **options: Any) -> Attempt:
    """The funnel, opened for `tables`, with nobody in the way."""
    attempt = store.begin(tables, produced_by=owner.split("/")[0], owner=owner, **options)
    assert isinstance(attempt, Attempt)
    return attempt


def output(table: str, *, step: int = 1, inputs: Sequence[InputAnchor] = (), **more: Any) -> Output:
    """The output that publishes `table` as `core_kit.make(…, step=step)` does."""
    return Output(
        table=table,
        descriptor=ProducingDescriptor(descriptor(step)),
        env=MaterializationEnv(ENV),
        definition=definition(step),
        input_anchors=inputs,
        **more,
    )


class Killed(BaseException):
    """An end that no code catches, like a SIGKILL: nothing after it runs."""


@contextlib.contextmanager
def dying_at_the_flip() -> Iterator[None]:
    """A writer within ends when its bytes and sidecars are durable and its rows are not flipped."""
    with contextlib.suppress(Killed), mock.patch.object(CatalogWriter, "finish", side_effect=Killed):
        yield


def killed_before_the_flip(store: ResultStore, table: str, data: Any = None, **more: Any) -> Attempt:
    """A writer that died when bytes and sidecar were durable and the row was not flipped."""
    attempt = attempt_on(store, table, owner=f"{secrets.token_hex(4)}/step")
    attempt.write(table, numbers(3) if data is None else data)
    with dying_at_the_flip():
        attempt.publish([output(table, **more)])
    return attempt


def recovery_of(store: ResultStore, **more: Any) -> Recovery:
    """A pass of recovery over the store, whose lease has a token that is no secret."""
    return Recovery(
        database=store.database,
        root=store.artifacts,
        scope=store.scope,
        binding=store.binding,
        random_hex=lambda n: "0" * 2 * n,
        **more,
    )


def expire(store: ResultStore) -> None:
    """Lets a minute pass in which no lease was renewed."""
    execute(store, "UPDATE materializations SET lease_expires_at = 1 WHERE status = 'building'")


def status(store: ResultStore, attempt: Attempt, table: str) -> str:
    """The status of the attempt's row."""
    record = store.reader.get(attempt.rows[table].materialization_id)
    assert record is not None
    return record.status


def verdicts(store: ResultStore, *, step: int = 1) -> dict[str, Staleness]:
    """The sweep's verdict on every table, as if all were made by `step`; each is the one of `staleness`."""
    definitions = dict.fromkeys(store.tables(), definition(step))
    swept = dict(store.sweep(definitions))
    assert swept == {table: store.staleness(table, definition(step)) for table in store.tables()}
    return swept


def files(root: Path) -> dict[str, bytes]:
    """Every file below `root`."""
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def execute(store: ResultStore, statement: str, **values: Any) -> None:
    """Changes the catalog by hand."""
    with store.database.writing() as connection:
        connection.execute(sa.text(statement), values)


def rows(store: ResultStore) -> Mapping[str, Sequence[tuple[Any, ...]]]:
    """Everything that stands in the catalog's tables, but for the marks of maintenance passes."""
    with store.database.reading() as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=repr)
            for name, table in METADATA.tables.items()
            if name != "maintenance_stamps"
        }


def days_later(store: ResultStore, days: float = 2) -> None:
    """Lets days pass for the rows, by the database's clock."""
    execute(
        store,
        "UPDATE materializations SET missing_since = missing_since - :s, lease_expires_at = lease_expires_at - :s",
        s=days * 24 * 3600,
    )


def collected(store: ResultStore, *tables: str) -> list[str]:
    """Drops tables, and collects all that nothing keeps any more, with the results of runs."""
    for table in tables:
        store.drop(table)
    execute(store, "DELETE FROM run_leases")
    return store.collect({"grace_seconds": 0}, dry_run=False).collected


def counted(store: ResultStore) -> AbstractContextManager[list[tuple[str, Any]]]:
    """The statements that the store's database runs meanwhile, but for those that a transaction begins with."""
    return statements(store.database._engine, but=["BEGIN", "set_config("])
