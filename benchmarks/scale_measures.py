"""Questions that `scale` asks of loaded catalogs; the functions without underscore run in a fresh process."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.scale_catalogs import GRAPHS, GraphRow, Size, definitions, probed, table_name, wide
from benchmarks.statements import statements
from jammi_dagster import DefinitionHash, InputAnchor, ResultStore

STALE = 10
_ASKED = 200  # look-ups per round, each of another table
_OTHER = DefinitionHash("0" * 64)

Loaded = Mapping[str, Any]  # where a catalog lies, as JSON: `catalog`, `root` and `size`
Figures = dict[str, dict[str, float]]


def look_ups(catalogs: Sequence[Loaded], rounds: int) -> list[Figures]:
    """Measure the look-ups of each catalog, warm. The catalogs take turns, so that all see the same noise."""
    asks = [_questions(_size(loaded), _open(loaded)) for loaded in catalogs]
    taken: list[dict[str, list[float]]] = [{what: [] for what in of_catalog} for of_catalog in asks]
    for attempt in range(rounds + 1):
        for what in asks[0]:
            for seconds, of_catalog in zip(taken, asks, strict=True):
                some = [_seconds(ask) for ask in of_catalog[what]]
                seconds[what] += some if attempt else []  # the first round warms up
    return [
        {
            what: {"ms": median(seconds[what]) * 1e3, "queries": _queries(questions[0])}
            for what, questions in of_catalog.items()
        }
        for seconds, of_catalog in zip(taken, asks, strict=True)
    ]


def _questions(size: Size, store: ResultStore) -> dict[str, list[Callable[[], object]]]:
    facts, fan_in = probed(size)[:_ASKED], wide(size)
    anchors = fan_in.anchors
    return {
        "probe": [_probe(store, made, made.anchors) for made in facts],
        "probe, a miss": [_probe(store, made, anchors[-2:], hits=False) for made in facts],
        "probe, wide": [_probe(store, fan_in, anchors)] * (_ASKED // 10),
        "derives_from": [_bound(store.derives_from, made.table) for made in facts],
    }


def _probe(
    store: ResultStore, made: GraphRow, inputs: Sequence[InputAnchor], *, hits: bool = True
) -> Callable[[], None]:
    expected = made.materialization_id if hits else None

    def ask() -> None:
        found = store.probe_cache(made.definition, inputs)
        assert found == expected, "what is timed is what was asked"

    return ask


def wholes(catalogs: Sequence[Loaded], rounds: int) -> list[Figures]:
    """Measure the questions about a whole catalog, for each catalog."""
    return [
        {**_sweeps(loaded, rounds), **_ticks(loaded, rounds), **_closures(loaded, rounds)}
        for loaded in catalogs
    ]


def _sweeps(loaded: Loaded, rounds: int) -> Figures:
    """Measure all verdicts of the default deployment: all fresh, ten stale above most others, and all of them stale."""
    store, now = _open(loaded), definitions(_size(loaded))
    some = {**now, **_ten_of(now)}
    every = dict.fromkeys(now, _OTHER)
    return {
        "sweep, fresh": _repeated(lambda: _swept(store, now, stale=0), rounds),
        "sweep, 10 stale": _repeated(lambda: _swept(store, some, stale=STALE), rounds),
        "sweep, all stale": _repeated(lambda: _swept(store, every, stale=len(now)), rounds),
    }


def _ten_of(now: Mapping[str, DefinitionHash]) -> dict[str, DefinitionHash]:
    """Give ten tables another definition, among them the one that most others derive from."""
    return dict.fromkeys(list(now)[:: len(now) // STALE][:STALE], _OTHER)


def _swept(store: ResultStore, now: Mapping[str, DefinitionHash], *, stale: int) -> None:
    verdicts = [verdict.staleness for _, verdict in store.sweep(now)]
    assert (verdicts.count("fresh"), verdicts.count("stale")) == (len(now) - stale, stale)


def _ticks(loaded: Loaded, rounds: int) -> Figures:
    """Measure a sensor's tick without a change: on the open store, and with opening it."""
    store = _open(loaded)
    revision = store.revision()

    def anew() -> None:
        opened = _open(loaded)
        assert opened.revision() == revision
        opened.close()

    return {
        "tick, no change": _repeated(store.revision, rounds * 10),
        "tick, no change, store opened": _repeated(anew, rounds * 10),
    }


def _closures(loaded: Loaded, rounds: int) -> Figures:
    """Measure everything downstream of the first table of each graph, with no edges kept from before."""
    store, size, found = _open(loaded), _size(loaded), {}
    for graph in GRAPHS:
        found[f"closure, {graph}"] = _repeated(functools.partial(_walked, store, graph, size.edges), rounds)
    return found


def _walked(store: ResultStore, graph: str, edges: int) -> None:
    assert len(store.beside(deployment=graph).derives_from_closure(table_name(graph, 0))) == edges


def everything(loaded: Loaded) -> None:
    """Ask each question once, for its peak memory: probe, hop, sweep with stale tables, and closure."""
    store, size = _open(loaded), _size(loaded)
    for questions in _questions(size, store).values():
        questions[0]()
    now = definitions(size)
    _swept(store, {**now, **_ten_of(now)}, stale=STALE)
    for graph in GRAPHS:
        _walked(store, graph, size.edges)


def _open(loaded: Loaded) -> ResultStore:
    return ResultStore(loaded["root"], loaded["catalog"])


def _size(loaded: Loaded) -> Size:
    return Size(**loaded["size"])


def _bound(ask: Callable[[str], object], table: str) -> Callable[[], object]:
    return lambda: ask(table)


def _repeated(ask: Callable[[], object], rounds: int) -> dict[str, float]:
    """Return the least and the median milliseconds of some rounds, and the queries of one."""
    queries = _queries(ask)  # warms up too
    seconds = [_seconds(ask) for _ in range(rounds)]
    return {"ms": min(seconds) * 1e3, "median ms": median(seconds) * 1e3, "queries": queries}


def _seconds(ask: Callable[[], object]) -> float:
    started = time.perf_counter()
    ask()
    return time.perf_counter() - started


def _queries(ask: Callable[[], object]) -> int:
    """Count the statements, without those that begin a transaction."""
    with statements(but=["BEGIN"]) as asked:
        ask()
    return len(asked)
