"""The units of a run that are reused or left as a whole: a step that makes an asset, or all steps of a graph of ops."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster._core.execution.plan.inputs import StepInput
from dagster._core.execution.plan.outputs import StepOutputHandle
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.step import ExecutionStep

from jammi_dagster.adapters.assets.declaration import graph_around
from jammi_dagster.adapters.executor.left import assets_of_step, why_left


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Steps that are reused together, and the step that makes each asset of theirs.

    `steps` are all of them, also those that the run would resolve only by dynamic outputs.
    """

    key: str
    steps: tuple[Any, ...]
    makers: Mapping[dg.AssetKey, Any]

    @classmethod
    def of_step(cls, step: Any, job: Any) -> Unit:
        """Return the unit of one step."""
        keys = assets_of_step(step, job) if isinstance(step, ExecutionStep) else []
        return cls(key=step.key, steps=(step,), makers=dict.fromkeys(keys, step))

    @property
    def resolved(self) -> tuple[Any, ...]:
        """The steps that have events of their own: of an output's mapped steps nobody knows the number."""
        return tuple(step for step in self.steps if "[?]" not in step.key)

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all its steps."""
        return frozenset(step.key for step in self.steps)

    @property
    def is_graph(self) -> bool:
        """Tell whether these are the steps of a graph."""
        return self.steps[0].node_handle.parent is not None

    def is_begun(self, done: Collection[str]) -> bool:
        """Tell whether some of its steps, and not all that have events of their own, are among the `done` ones."""
        return 0 < sum(step.key in done for step in self.resolved) < len(self.resolved)

    @property
    def may_give_nothing(self) -> bool:
        """Tell whether a dynamic output may have no values: without any, Dagster skips what is below it."""
        outputs = (output for step in self.steps for output in step.step_outputs)
        return any(output.is_dynamic and not output.is_required for output in outputs)

    def reads(self) -> set[StepOutputHandle]:
        """Return the outputs of other steps that its steps wait for."""
        inputs = (one for step in self.steps for one in step.step_inputs if isinstance(one, StepInput))
        handles = (handle for one in inputs for handle in one.get_step_output_handle_dependencies())
        return {handle for handle in handles if handle.step_key not in self.keys}

    def why_left(self, job: Any, attempts: Mapping[str, int]) -> str | None:
        """Return why the unit is left to the wrapped executor; None if it may be decided."""
        in_graph = graph_around(job, self.steps[0].node_handle) is not None
        if in_graph and not self.makers:
            return "it makes no assets, or not all assets of its graph"
        found = (why_left(step, job, attempts, in_graph=in_graph) for step in self.steps)
        return next((why for why in found if why is not None), None)


def units_of(plan: ExecutionPlan, job: Any) -> tuple[list[list[Unit]], dict[str, set[str]]]:
    """Return the units of a plan by level, upstream first, and the units that each waits for.

    A unit that waits for a step which only the run can resolve is none of them.
    """
    steps = [plan.get_step_by_key(key) for key in plan.step_keys_to_execute]
    units = {
        unit.key: unit
        for unit in (*_graphs(steps, job), *(Unit.of_step(one, job) for one in _others(steps, job)))
    }
    unit_of = {step.key: unit.key for unit in units.values() for step in unit.steps}
    needs = {
        unit.key: {
            unit_of[above]
            for step in unit.steps
            for above in _above(step)
            if above in unit_of and unit_of[above] != unit.key
        }
        for unit in units.values()
    }
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    levels: list[list[Unit]] = []
    open_units: set[str] = set()
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        sorter.done(*ready)
        level = [units[key] for key in ready if _is_resolved(units[key]) and needs[key] <= open_units]
        open_units |= {unit.key for unit in level}
        if level:
            levels.append(level)
    return levels, {key: above for key, above in needs.items() if key in open_units}


def graphs_of(levels: Iterable[Iterable[Unit]]) -> dict[str, Unit]:
    """Return the graphs among units, by the name of their node."""
    return {unit.key: unit for level in levels for unit in level if unit.is_graph}


def _is_resolved(unit: Unit) -> bool:
    return bool(unit.makers) or all(isinstance(step, ExecutionStep) for step in unit.steps)


def _above(step: Any) -> Set[str]:
    if isinstance(step, ExecutionStep):
        return step.get_execution_dependency_keys()
    found: set[str] = step.get_all_dependency_keys()
    return found


def _others(steps: Sequence[Any], job: Any) -> Iterator[Any]:
    return (step for step in steps if graph_around(job, step.node_handle) is None)


def _graphs(steps: Sequence[Any], job: Any) -> Iterator[Unit]:
    """Yield a unit for each graph among the steps."""
    found: dict[str, list[Any]] = {}
    definitions: dict[str, dg.AssetsDefinition] = {}
    for step in steps:
        definition = graph_around(job, step.node_handle)
        if definition is not None:
            name = step.node_handle.path[0]
            found.setdefault(name, []).append(step)
            definitions[name] = definition
    for name, of_graph in found.items():
        makers = {
            output.properties.asset_key: step
            for step in of_graph
            for output in step.step_outputs
            if output.properties.asset_key is not None and output.properties.asset_check_key is None
        }
        is_whole = makers.keys() == set(definitions[name].keys)
        yield Unit(key=name, steps=tuple(of_graph), makers=makers if is_whole else {})
