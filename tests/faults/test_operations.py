"""Faults at every operation: nothing acknowledged is lost, nothing current is wrong, the next run ends clean.

Here each operation of a store on files and SQLite fails in one way, and a sample in every way on every kind of store;
`python -m benchmarks faults` breaks each one in every way on all of them.
"""

import itertools

import pytest
from fault_runs_kit import Broken, Killer
from fault_scenarios_kit import SCENARIOS
from fault_stacks_kit import STACKS, Shelf
from faults_kit import Seams

# of passes with many operations alike, one of so many; `make long` takes each
_EVERY = {
    "roll back": 3,
    "promote": 12,
    "undrop": 12,
    "write a held table": 12,
    "recover": 12,
    "recover, default grace": 12,
    "adopt": 12,
    "first write": 12,
    "collect": 30,
    "adopt, take over": 15,
    "recover a lost catalog": 24,
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_operations_that_fail(seams: Seams, shelf: Shelf, name: str) -> None:
    """An error before it, an error after it took effect, an interrupt, half of it or a false "not found", in turn."""
    assert _each(Broken(shelf.new("local + SQLite"), SCENARIOS[name], seams), _EVERY.get(name, 1)) == []


@pytest.mark.long
@pytest.mark.parametrize("name", _EVERY)
def test_each_operation_fails(seams: Seams, shelf: Shelf, name: str) -> None:
    """The same of those with many operations."""
    assert _each(Broken(shelf.new("local + SQLite"), SCENARIOS[name], seams), 1) == []


@pytest.mark.long
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("name", ["write a range", "recover"])
def test_a_sample_on_every_kind_of_store(
    seams: Seams, shelf: Shelf, killer: Killer, stack: str, name: str
) -> None:
    """Kills among them."""
    assert _sampled(Broken(shelf.new(stack), SCENARIOS[name], seams, killer), 4) == []


@pytest.mark.long
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_larger_sample(seams: Seams, shelf: Shelf, killer: Killer, stack: str, name: str) -> None:
    """Every scenario on every kind of store that it is for."""
    if stack in SCENARIOS[name].stacks:
        assert _sampled(Broken(shelf.new(stack), SCENARIOS[name], seams, killer), 30) == []


def _each(broken: Broken, every: int) -> list[str]:
    violations = []
    for turn, at in enumerate(range(0, len(broken.operations), every)):
        kinds = [kind for kind in broken.operations[at].kinds if not kind.kills]
        violations += broken.violations(at, kinds[turn % len(kinds)])
    return violations


def _sampled(broken: Broken, count: int) -> list[str]:
    cases = list(broken.cases())
    chosen = itertools.islice(cases, len(cases) // count // 2, None, max(1, len(cases) // count))
    return [line for at, kind in chosen for line in broken.violations(at, kind)]
