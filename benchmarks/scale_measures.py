"""What `scale` measures of catalogs that are loaded; each function here runs in a fresh process."""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

import sqlalchemy as sa

from benchmarks.scale_catalogs import GRAPHS, Size, definitions, probed, wide
from jammi_dagster import DefinitionHash, ResultStore

STALE = 10

Measured = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A catalog that is loaded."""

    catalog: str
    root: str
    size: Size

    def open(self) -> ResultStore:
        return ResultStore(self.root, self.catalog)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Loaded:
        return cls(catalog=told["catalog"], root=told["root"], size=Size(**told["size"]))


def look_ups(catalogs: Sequence[Mapping[str, Any]], rounds: int) -> list[Measured]:
    """Of each catalog the look-ups, warm. The catalogs take turns, so that all see the same noise."""
    loaded = [Loaded.of(told) for told in catalogs]
    stores = [each.open() for each in loaded]
    asks = [_questions(each.size, store) for each, store in zip(loaded, stores, strict=True)]
    taken: list[dict[str, list[float]]] = [{name: [] for name in of_catalog} for of_catalog in asks]
    for attempt, name in itertools.product(range(rounds + 1), asks[0]):
        for seconds, of_catalog in zip(taken, asks, strict=True):
            some = [_seconds(ask) for ask in of_catalog[name]]
            seconds[name] += some if attempt else []  # the first round warms up
    return [
        {
            name: {"ms": median(seconds) * 1e3, "queries": _queries(of_catalog[name][0])}
            for name, seconds in of_names.items()
        }
        for of_names, of_catalog in zip(taken, asks, strict=True)
    ]


def _questions(size: Size, store: ResultStore) -> dict[str, list[Callable[[], object]]]:
    """By name, so many questions of a kind; each checks its answer."""
    facts, fan_in = probed(size)[:200], wide(size)

    def probe(made: Any, anchors: Any) -> None:
        assert store.probe_cache(made.definition, anchors) == made.materialization_id

    def miss(made: Any, anchors: Any) -> None:
        assert store.probe_cache(made.definition, anchors) is None

    def bind(ask: Callable[..., object], *values: object) -> Callable[[], object]:
        return lambda: ask(*values)

    fan_in_anchors = fan_in.anchors
    return {
        "probe": [bind(probe, made, made.anchors) for made in facts],
        "probe, a miss": [bind(miss, made, fan_in_anchors[-2:]) for made in facts],
        f"probe, {len(fan_in_anchors):,} anchors": [bind(probe, fan_in, fan_in_anchors)] * 20,
        "derives_from, one hop": [bind(store.derives_from, made.table) for made in facts],
    }


def whole(catalog: Mapping[str, Any], rounds: int) -> Measured:
    """What answers for a whole catalog: sweeps, closures, and a tick in which nothing changed."""
    loaded = Loaded.of(catalog)
    now = definitions(loaded.size)
    changed = dict(now)
    for table in list(now)[:: len(now) // STALE][:STALE]:
        changed[table] = DefinitionHash("0" * 64)
    with loaded.open() as store:
        found = {"sweep, all fresh": _repeated(lambda: _sweep(store, now, 0), rounds)}
    return found


def _repeated(ask: Callable[[], object], rounds: int) -> dict[str, float]:
    """The least and the median of the seconds of some rounds, in ms, and the queries of one."""
    seconds = [_seconds(ask) for _ in range(rounds)]
    return {"ms": min(seconds) * 1e3, "median ms": median(seconds) * 1e3, "queries": _queries(ask)}


def _seconds(ask: Callable[[], object]) -> float:
    started = time.perf_counter()
    ask()
    return time.perf_counter() - started


def _queries(ask: Callable[[], object]) -> int:
    """How many statements a question takes, besides the one that begins a transaction."""
    with _counted() as statements:
        ask()
    return len(statements)


@contextmanager
def _counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement != "BEGIN":
            statements.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
