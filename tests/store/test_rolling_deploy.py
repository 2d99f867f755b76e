"""Writers of 0.1.0 that were open when the catalog was upgraded write on beside ours: neither loses the other's tables.

The old writer is its statements: those of 0.1.0, which name none of the columns that came later.
"""

import itertools
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import pytest
from core_kit import make, numbers, values
from store_kit import attempt_on, days_later, definition, execute, expire, output

from jammi_dagster import ResultStore
from jammi_dagster.artifacts import artifact_path, sidecar_path, write_parquet
from jammi_dagster.contract import anchor_set_key
from jammi_dagster.errors import LeaseLost

_NEXT_START = "UPDATE catalog_state SET start_sequence = start_sequence + 1 RETURNING start_sequence"
_REVISION = "UPDATE catalog_state SET revision = revision + 1"
_BEGIN = """INSERT INTO materializations (id, tenant, deployment, table_name, status, artifact_path, produced_by,
 start_sequence, created_at, lease_token, lease_owner, lease_expires_at)
 VALUES (:id, '', 'default', :t, 'building', :path,
 'old', :start, '2026-01-01T00:00:00+00:00', :token, 'old/step', :until)"""
_FLIP = """UPDATE materializations SET status = 'ready', definition_hash = :d, anchor_set_id = :set,
 artifact_digest = :digest, size_bytes = :size, row_count = :rows, writer_profile = :profile,
 completed_at = '2026-01-01T00:00:01+00:00',
 lease_token = NULL, lease_expires_at = NULL
 WHERE id = :id AND tenant = '' AND status = 'building' AND lease_token = :token"""
_POINT = """INSERT INTO pointers (tenant, deployment, table_name, start_sequence, materialization_id, made_by_tenant,
 definition_hash, anchor_set_id, artifact_digest)
 SELECT '', 'default', table_name, start_sequence, id, tenant, definition_hash, anchor_set_id, artifact_digest
 FROM materializations WHERE id = :id
 ON CONFLICT (tenant, deployment, table_name) DO UPDATE SET start_sequence = excluded.start_sequence,
 materialization_id = excluded.materialization_id, made_by_tenant = excluded.made_by_tenant,
 definition_hash = excluded.definition_hash, anchor_set_id = excluded.anchor_set_id,
 artifact_digest = excluded.artifact_digest WHERE pointers.start_sequence < excluded.start_sequence"""
_times = itertools.count(0x019E00000000)


@dataclass
class OldWriter:
    """A writer of 0.1.0 that makes one table."""

    store: ResultStore
    table: str
    rows: int
    id: str = field(default_factory=lambda: f"{next(_times):012x}{secrets.token_hex(10)}")
    token: str = field(default_factory=lambda: secrets.token_hex(16))

    def begin(self) -> "OldWriter":
        """Write the row, under a live lease."""
        self.path = artifact_path(None, self.table, self.id)
        with self.store.database.writing() as connection:
            self.start = connection.exec_driver_sql(_NEXT_START).scalar_one()
        until = 2**40
        given = {"id": self.id, "t": self.table, "path": self.path, "start": self.start, "token": self.token}
        execute(self.store, _BEGIN, until=until, **given)
        return self

    def write(self) -> "OldWriter":
        """Write bytes and sidecar as 0.1.0 did: without tenant, start, time, attempt and footer."""
        self.written = write_parquet(self.store.artifacts, self.path, numbers(self.rows), table=self.table)
        own: dict[str, Any] = {
            "table": self.table,
            "materialization": self.id,
            "deployment": "default",
            "row_count": self.written.row_count,
            "size_bytes": self.written.size_bytes,
            "writer_profile": self.written.profile.to_dict(),
            "compute_seconds": None,
        }
        made = make(self.store, "template")
        like = json.loads(self.store.artifacts.read_bytes(sidecar_path(made.artifact_path)))
        like.update(artifact=self.written.digest, leaves=[], produced_by="old", jammi_dagster=own)
        self.store.artifacts.write_bytes_durable(sidecar_path(self.path), json.dumps(like).encode())
        return self

    def flip(self) -> bool:
        """Publish it; False where its lease was lost."""
        with self.store.database.reading() as connection:
            query = f"SELECT id FROM anchor_sets WHERE set_key = '{anchor_set_key([])}'"
            set_id = connection.exec_driver_sql(query).scalar_one()
        ready = {
            "digest": self.written.digest,
            "size": self.written.size_bytes,
            "rows": self.rows,
            "profile": "{}",
        }
        execute(self.store, _REVISION)
        execute(self.store, _FLIP, id=self.id, token=self.token, d=str(definition()), set=set_id, **ready)
        record = self.store.reader.get(self.id)
        if record is None or record.status != "ready":
            return False
        execute(self.store, _POINT, id=self.id)
        return True


def test_each_sees_the_others_tables(store: ResultStore) -> None:
    """The later start is current, whoever made it; both are hits; each raises the token that a sensor keeps."""
    make(store, "t", numbers(1))
    before = store.revision()
    assert OldWriter(store, "t", 2).begin().write().flip()
    assert store.revision() != before
    assert values(store.read("t")) == [0, 1]
    assert make(store, "t", numbers(3)).start_sequence > 0
    assert values(store.read("t")) == [0, 1, 2]
    assert OldWriter(store, "u", 4).begin().write().flip()
    assert values(store.read("u", verify="full")) == [0, 1, 2, 3]
    assert store.probe_cache(definition(), []) is not None


def test_a_slow_old_writer_does_not_win_over_a_later_start(store: ResultStore) -> None:
    """And a slow new one not over a later old one."""
    make(store, "t", numbers(1))
    old = OldWriter(store, "t", 2).begin().write()
    make(store, "t", numbers(3))
    assert old.flip()
    assert values(store.read("t")) == [0, 1, 2]
    with attempt_on(store, "t") as slow:
        assert OldWriter(store, "t", 5).begin().write().flip()
        slow.write("t", numbers(9))
        assert not slow.publish([output("t")])[0].is_current
    assert values(store.read("t")) == [0, 1, 2, 3, 4]


def test_a_live_old_writer_is_left_alone_and_a_dead_one_is_settled(store: ResultStore) -> None:
    """By its lease, like any other: whole it is published once, otherwise failed; a flip that comes too late fails."""
    make(store, "t", numbers(1))
    live, dead = OldWriter(store, "live", 2).begin().write(), OldWriter(store, "half", 3).begin()
    report = store.recover(grace_seconds=0)
    assert (report.promoted, report.failed, report.adopted) == ([], [], [])
    assert store.artifacts.size(live.path) is not None
    expire(store)
    report = store.recover(grace_seconds=0)
    assert (report.promoted, report.failed) == ([live.id], [dead.id])
    assert not live.flip() or values(store.read("live")) == [0, 1]
    assert values(store.read("live")) == [0, 1]
    assert not dead.write().flip()
    assert "half" not in store.tables()


def test_a_name_that_an_old_writer_moved_stays_moved(store: ResultStore) -> None:
    """It knows nothing of losses: a lost table that comes back does not take the name again."""
    lost = make(store, "t", numbers(1))
    data = store.artifacts.read_bytes(lost.artifact_path)
    store.artifacts.delete(lost.artifact_path)
    store.recover()
    days_later(store)
    make(store, "other", step=2)
    assert store.recover().lost == [lost.materialization_id]
    assert OldWriter(store, "t", 2).begin().write().flip()
    store.artifacts.write_bytes_durable(lost.artifact_path, data)
    assert store.recover().returned == [lost.materialization_id]
    assert values(store.read("t")) == [0, 1]


def test_what_old_writers_made_is_adopted(store: ResultStore) -> None:
    """Their sidecars say less; the table is back all the same, and the last start of those that tell one is current."""
    make(store, "t", numbers(1))
    assert OldWriter(store, "old", 2).begin().write().flip()
    for table in ("pointers", "run_results", "materializations"):
        execute(store, f"DELETE FROM {table}")
    assert len(store.adopt().adopted) >= 2
    assert values(store.read("old")) == [0, 1]
    assert values(store.read("t")) == [0]


def test_a_new_writer_whose_lease_an_old_recovery_took_publishes_nothing(store: ResultStore) -> None:
    """The compare-and-swap on the lease is the same on both sides."""

    def write() -> None:
        with attempt_on(store, "t") as attempt:
            attempt.write("t", numbers(3))
            execute(
                store, "UPDATE materializations SET lease_token = 'old recovery' WHERE status = 'building'"
            )
            attempt.publish([output("t")])

    with pytest.raises(LeaseLost):
        write()
    assert store.tables() == []
