"""Random graphs and random changes: what the sensor requests is what a model of the pipeline says."""

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table, taken
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sensing_kit import Ticking, evaluate, kinds

from jammi_dagster import result_table
from jammi_dagster.adapters.judgement import extent
from jammi_dagster.surfaces import file

letters = dg.StaticPartitionsDefinition(["a", "b"])


@dataclass(frozen=True)
class Drawn:
    """One asset: where it reads from, whether it has partitions, and the version of its code.

    `blunt`: it keeps only whether its inputs are long, so that most changes end there.
    """

    parents: tuple[int, ...]
    is_partitioned: bool
    blunt: bool
    version: int = 1


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Drawn, ...]:
    size = draw(st.integers(2, 6))
    found = []
    for number in range(size):
        parents = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        found.append(Drawn(tuple(sorted(parents)), draw(st.booleans()), draw(st.booleans())))
    return tuple(found)


CHANGES = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["code", "file a", "file b", "bytes"])),
    min_size=1,
    max_size=3,
)


def pipeline(graph: tuple[Drawn, ...], folder: Path) -> list[Any]:
    return [asset(number, graph, folder) for number in range(len(graph))]


def asset(number: int, graph: tuple[Drawn, ...], folder: Path) -> Any:
    drawn = graph[number]

    def path(key: str | None) -> Path:
        return folder / f"t{number}-{key or 'a'}"

    def value(context: dg.AssetExecutionContext, inputs: Mapping[str, Any]) -> pa.Table:
        key = context.partition_key if drawn.is_partitioned else None
        parts = [
            f"{name}:{data['x'][0].as_py()}"
            for name, given in sorted(inputs.items())
            for data in (given.values() if isinstance(given, dict) else [given])
        ]
        text = path(key).read_text() if not drawn.parents else ",".join(parts)
        made = "long" if drawn.blunt and drawn.parents else f"{key}({text})v{drawn.version}"
        return table(made)

    names = [f"t{parent}" for parent in drawn.parents]
    taken_by_name = ", ".join(f"{name}={name}" for name in names)
    arguments = ", ".join(["context", *names])
    source = f"def t{number}({arguments}): return value(context, dict({taken_by_name}))"
    space: dict[str, Any] = {"value": value}
    exec(source, space)
    function = space[f"t{number}"]
    function.__module__ = __name__
    kind: Any = {
        name: dict if graph[parent].is_partitioned and not drawn.is_partitioned else pa.Table
        for name, parent in zip(names, drawn.parents, strict=True)
    }
    function.__annotations__ = {"context": dg.AssetExecutionContext, **kind, "return": pa.Table}
    reads: Any = [] if drawn.parents else (lambda key: [file(path(key), name=path(key).name)])
    return result_table(
        reads=reads, code_version=str(drawn.version), partitions_def=letters if drawn.is_partitioned else None
    )(function)


def tables_of(graph: tuple[Drawn, ...], number: int) -> list[str]:
    return [f"t{number}[a]", f"t{number}[b]"] if graph[number].is_partitioned else [f"t{number}"]


def downstream(graph: tuple[Drawn, ...], changed: set[str]) -> set[str]:
    """All that may be touched: what changed, and what reads it, partition by partition where both have them."""
    found = set(changed)
    for number, drawn in enumerate(graph):
        for parent, own in itertools.product(drawn.parents, tables_of(graph, number)):
            for above in tables_of(graph, parent):
                is_read = not (drawn.is_partitioned and graph[parent].is_partitioned) or above[-2] == own[-2]
                if above in found and is_read:
                    found.add(own)
    return found


@contextlib.contextmanager
def slices(at_once: int | None) -> Iterator[None]:
    """Time is up whenever so many tables were looked at."""
    with pytest.MonkeyPatch.context() as patch:
        if at_once is not None:
            patch.setattr(extent, "AT_ONCE", at_once)
            patch.setattr(extent, "is_over", lambda deadline: deadline is not None)
        yield


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(graph=graphs(), changes=CHANGES, at_once=st.sampled_from([None, 1, 3]))
def test_after_the_requested_runs_every_table_is_fresh_and_nothing_else_ran(
    instance_in_memory: dg.DagsterInstance,
    graph: tuple[Drawn, ...],
    changes: list[tuple[int, str]],
    at_once: int | None,
) -> None:
    """What changed is computed, once; what is downstream runs at most once; the rest is untouched.

    With `at_once`, no tick comes to more tables than that: then one may run before another of its inputs, and again.
    """
    folder = Path(tempfile.mkdtemp())
    instance_in_memory.wipe()
    lab = Lab(folder / "store", instance_in_memory)
    try:
        for number, key in itertools.product(range(len(graph)), "ab"):
            (folder / f"t{number}-{key}").write_text("0")
        Ticking(lab, pipeline(graph, folder), missing="materialize", max_runs_per_tick=50).settle(40)
        assert kinds(evaluate(lab, pipeline(graph, folder))) == {}
        after, changed = list(graph), set[str]()
        for at, (place, what) in enumerate(changes):
            number = place % len(graph)
            if what == "code":
                after[number] = replace(after[number], version=after[number].version + 1)
                changed.update(tables_of(graph, number))
            elif what == "bytes":
                name = tables_of(graph, number)[-1]
                lab.store.artifacts.delete(lab.store.current(name).artifact_path)
                changed.add(name)
            elif not graph[number].parents:
                key = what[-1] if graph[number].is_partitioned else "a"
                (folder / f"t{number}-{key}").write_text(f"change {at}")
                changed.add(f"t{number}[{key}]" if graph[number].is_partitioned else f"t{number}")
        taken()
        assets = pipeline(tuple(after), folder)
        ticking = Ticking(lab, assets, max_runs_per_tick=50)
        with slices(at_once):
            ran = [(name, outcome) for run in ticking.rest() for name, outcome in run.items()]
        names = [name for name, _ in ran]
        assert at_once or len(names) == len(set(names)), "no table ran twice"
        assert {name for name, outcome in ran if outcome == "computed"} >= changed
        assert set(names) <= downstream(graph, changed), "nothing unaffected ran"
        found = evaluate(lab, assets)
        assert (kinds(found), found.counts["fresh"]) == ({}, len(lab.store.tables()))
        assert all(lab.store.verify_materialization(name).verdict == "match" for name in lab.store.tables())
    finally:
        lab.store.close()
        shutil.rmtree(folder)
