"""A catalog with rows of everything, of two tenants and of none, and a record of the rows that each may see."""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from core_kit import make, numbers
from store_kit import (
    StoreAt,
    attempt_on,
    definition,
    execute,
    files,
    killed_before_the_flip,
    on,
    output,
    rows,
)

from jammi_dagster import InputAnchor, ResultStore
from jammi_dagster.artifacts import sidecar_path, tables_folder
from jammi_dagster.catalog import Lease, MaterializationRecord
from jammi_dagster.errors import JammiError
from jammi_dagster.recording import Attempt

NAMES = {"": "global", "a": "alice", "b": "bob"}


@dataclass(kw_only=True)
class Side:
    """The tables of one tenant (or none). Every table's data, definition and inputs are its own and nobody else's."""

    tenant: str
    store: ResultStore
    step: int
    inputs: list[InputAnchor]
    shared: MaterializationRecord
    only: MaterializationRecord
    child: MaterializationRecord
    live: Attempt
    dead: Attempt
    whole: Attempt
    lost: MaterializationRecord
    orphan: str

    @property
    def name(self) -> str:
        """A text that marks everything of this tenant's."""
        return NAMES[self.tenant]

    @property
    def folder(self) -> str:
        """The folder of its objects."""
        return tables_folder(self.tenant or None)

    def secrets(self) -> set[str]:
        """Strings that nobody else may be told."""
        found = {self.name, self.live.lease.token, self.live.lease.owner, self.orphan}
        for record in self.store.history(f"only {self.name}") + self.store.history("shared"):
            if record.tenant == self.tenant:
                found |= {record.materialization_id, record.artifact_path, str(record.artifact_digest)}
        for attempt in (self.live, self.dead, self.whole):
            found |= {begun.materialization_id for begun in attempt.rows.values()}
        return found


class World:
    """The sides, seen from one of them: `own`; `other` is a tenant that it must not see; `shared` is the global one."""

    def __init__(self, store_at: StoreAt, tenant: str) -> None:
        self.root = store_at.root
        self.sides = {t: _side(store_at.root, store_at(tenant=t or None), i) for i, t in enumerate(NAMES)}
        self.own, self.other, self.shared = self.sides[tenant], self.sides["b"], self.sides[""]
        self.hidden = [side for t, side in self.sides.items() if t not in self.own.store.scope.readable]
        self.foreign = [side for t, side in self.sides.items() if t != tenant]
        long_ago = time.time() - 9 * 24 * 3600
        for path in store_at.root.rglob("*"):
            if path.is_file():
                os.utime(path, (long_ago, long_ago))

    @contextlib.contextmanager
    def refused(self, kind: type[JammiError]) -> Iterator[None]:
        """An error of this kind; the near names that it suggests are none of a hidden side's."""
        with pytest.raises(kind) as caught:
            yield
        near = getattr(caught.value, "near", "")
        assert not [side.name for side in self.hidden if side.name in near], near

    def state(self) -> Mapping[str, Any]:
        """Everything of the sides that are not `own`: rows, pointers and objects."""
        tenants = {side.tenant for side in self.foreign}
        found: dict[str, Any] = {}
        places = {
            "materializations": 1,
            "pointers": 0,
            "run_results": 1,
            "pointer_moves": 0,
            "outbox": 0,
            "promotions": 0,
        }
        for name, position in places.items():
            found[name] = [row for row in rows(self.own.store)[name] if row[position] in tenants]
        ids = {row[0] for row in found["materializations"]}
        found["annotations"] = [row for row in rows(self.own.store)["annotations"] if row[0] in ids]
        for side in self.foreign:
            found[side.folder] = files(self.root / side.folder)
        return found


def _side(root: Any, store: ResultStore, i: int) -> Side:
    tenant = store.scope.tenant
    name, step = NAMES[tenant], 50 + i
    inputs = [InputAnchor.source_version(f"file:{name}", name)]
    lost = make(store, f"lost {name}", numbers(2, start=100 * i), step=step + 10)
    store.artifacts.delete(sidecar_path(lost.artifact_path))
    only = _published(store, f"only {name}", numbers(5, start=100 * i), step=step, inputs=inputs)
    shared = make(store, "shared", numbers(3, start=100 * i + 10), step=step)
    child = make(store, "child", numbers(4, start=100 * i + 20), step=step, inputs=on(shared))
    dead, whole = (
        attempt_on(store, f"dead {name}", owner=f"{name}/dead"),
        killed_before_the_flip(store, f"whole {name}"),
    )
    execute(
        store,
        "UPDATE materializations SET lease_expires_at = 1 WHERE status = 'building' AND tenant = :t",
        t=tenant,
    )
    live = attempt_on(store, f"live {name}", owner=f"{name}/step")
    orphan = only.artifact_path.replace(only.materialization_id, f"{i}" * 32)
    store.artifacts.write_bytes_durable(orphan, name.encode())
    return Side(
        tenant=tenant,
        store=store,
        step=step,
        inputs=inputs,
        shared=shared,
        only=only,
        child=child,
        live=live,
        dead=dead,
        whole=whole,
        lost=lost,
        orphan=orphan,
    )


def _published(store: ResultStore, table: str, data: pa.Table, **more: Any) -> MaterializationRecord:
    """A table of a run, with an annotation."""
    with attempt_on(store, table) as attempt:
        attempt.write(table, data)
        made = output(table, annotation={"who": NAMES[store.scope.tenant]}, **more)
        return attempt.publish([made], run_id="run")[0].record


def text_of(value: Any) -> str:
    """Everything that a value tells, as text."""
    if isinstance(value, MaterializationRecord):
        return (
            repr(value) + repr(value.anchors_json) + text_of(value.to_dict() if value.anchors_json else None)
        )
    if isinstance(value, Mapping):
        return text_of(list(value.items()))
    if isinstance(value, pa.Table):
        return repr(value.to_pydict())
    if isinstance(value, ds.Dataset):
        return text_of(value.to_table())
    if is_dataclass(value) and not isinstance(value, type):
        return " ".join(text_of(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, (list, tuple, set, frozenset, Iterator)):
        return " ".join(text_of(item) for item in value)
    return repr(value)


def lease_of(side: Side) -> Lease:
    """The lease of its live writer."""
    return side.live.lease


def definition_of(side: Side) -> Any:
    """The definition of its tables."""
    return definition(side.step)
