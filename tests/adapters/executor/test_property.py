"""A run under `reuse_first` and the same run without it, on random graphs, edits, partitions, policies and checks."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from adapters_kit import Lab
from executor_kit import DELEGATING, IN_PROCESS, definitions, launch, not_stepped_into
from graphs_kit import Graph, observed

from jammi_dagster.adapters.executor.decision import Reused, RunDecision

_OF_THE_RUN = ("dagster/input_event_pointer/",)


def campaign(
    seed: int, with_it: Lab, without: Lab, folder: Path, executor: Any = IN_PROCESS, launches: int = 5
) -> tuple[Counter[str], list[str]]:
    """Launch one random pipeline several times in both labs; return how steps were done, and all that differs."""
    rng = random.Random(seed)
    graph = Graph(rng, folder)
    graph.grow(rng.randint(2, 6))
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for turn in range(launches):
        assets, names = graph.assets(), list(graph.nodes)
        select = names if turn < 2 else sorted(rng.sample(names, rng.randint(1, len(names))))
        partition = rng.choice(["a", "b"]) if any(graph.nodes[n].is_partitioned for n in select) else None
        how: dict[str, Any] = {
            "partition": partition,
            "tags": {"jammi/cache": "bypass"} if rng.random() < 0.1 else {},
            "ok": None,
        }
        first = launch(with_it, definitions(with_it, assets, executor, select=select), **how)
        plain = definitions(without, assets, dg.in_process_executor, select=select)
        second = launch(without, plain, **how)
        place = f"{seed}/{turn}"
        if first.result.success != second.result.success:
            wrong.append(f"{place}: success is {first.result.success}")
        for name in first.events.keys() | second.events.keys():
            ours, theirs = observed(first, name), observed(second, name)
            if ours != theirs:
                wrong.append(f"{place}: {name} was {ours}, and {theirs} without the wrapper")
            elif ours == "reuse" and (said := _differences(first.events[name], second.events[name])):
                wrong.append(f"{place}: {name} {said}")
        wrong += [f"{place}: {said}" for said in _tables(with_it, without)]
        counts["reused up front"] += len(not_stepped_into(with_it, first))
        counts[f"success {first.result.success}"] += 1
        for _ in range(rng.randint(0, 2)):
            graph.edit()
    return counts, wrong


def _differences(ours: Any, theirs: Any) -> list[str]:
    """Tags that differ between the events of a reuse; pointers to events cannot be the same."""
    return [
        f"{key}: {ours.tags.get(key)} is not {tag}"
        for key, tag in theirs.tags.items()
        if not key.startswith(_OF_THE_RUN) and ours.tags.get(key) != tag
    ] + sorted(set(ours.tags) ^ set(theirs.tags))


def _tables(ours: Lab, theirs: Lab) -> list[str]:
    """Current tables that differ."""
    digests = [
        {t: lab.store.current(t).artifact_digest for t in lab.store.tables()} for lab in (ours, theirs)
    ]
    return [] if digests[0] == digests[1] else [f"the tables are {digests[0]}, and {digests[1]} without it"]


@pytest.fixture
def labs(
    tmp_path: Path, instance_on_sqlite: dg.DagsterInstance, instance_in_memory: dg.DagsterInstance
) -> Any:
    for instance in (instance_on_sqlite, instance_in_memory):
        instance.wipe()
    return Lab(tmp_path / "ours", instance_on_sqlite), Lab(tmp_path / "theirs", instance_in_memory)


@pytest.mark.parametrize("seed", [0, pytest.param(3, marks=pytest.mark.slow)])
def test_the_wrapper_changes_nothing_but_the_way(seed: int, labs: tuple[Lab, Lab], tmp_path: Path) -> None:
    """The same outcome, tables, data versions and tags; nothing is materialized that would not be without it."""
    counts, wrong = campaign(seed, *labs, tmp_path, launches=5 if seed else 3)
    assert not wrong, "\n".join(wrong)
    assert counts.total() >= 3


@pytest.mark.slow
def test_a_step_that_is_settled_as_it_comes_up_is_as_without_the_wrapper(
    labs: tuple[Lab, Lab], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under an executor that delegates steps, where none was decided up front: the same decisions one by one."""
    monkeypatch.setattr(RunDecision, "reused", lambda *_: Reused(steps=[]))

    counts, wrong = campaign(4, *labs, tmp_path, executor=DELEGATING)

    assert not wrong, "\n".join(wrong)
    assert counts["reused up front"] > 0


@pytest.mark.long
def test_many_pipelines_are_run_the_same(labs: tuple[Lab, Lab], tmp_path: Path) -> None:
    """Over many random pipelines, failing ones among them."""
    counts: Counter[str] = Counter()
    for seed in range(100, 140):
        (folder := tmp_path / str(seed)).mkdir()
        pair = [Lab(folder / lab.root.name, lab.instance) for lab in labs]
        for lab in pair:
            lab.instance.wipe()
        executor = DELEGATING if seed % 2 else IN_PROCESS
        found, wrong = campaign(seed, pair[0], pair[1], folder, executor)
        assert not wrong, "\n".join(wrong)
        counts += found
    assert counts["success False"] > 5
    assert counts["reused up front"] > 100
