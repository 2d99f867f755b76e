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

# most of their operations make the schema of an empty catalog, or are recovery's
_HALF = ("adopt, take over", "recover a lost catalog", "first write", "recover, default grace")


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_operation_fails_once(seams: Seams, shelf: Shelf, name: str) -> None:
    """An error before it, an error after it took effect, an interrupt, half of it or a false "not found", in turn."""
    broken = Broken(shelf.new("local + SQLite"), SCENARIOS[name], seams)
    violations = []
    for at in range(0, len(broken.operations), 2 if name in _HALF else 1):
        kinds = [kind for kind in broken.operations[at].kinds if not kind.kills]
        violations += broken.violations(at, kinds[at // 2 % len(kinds)])
    assert violations == []


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("name", ["write a range", "recover", "drop"])
def test_a_sample_on_every_kind_of_store(
    seams: Seams, shelf: Shelf, killer: Killer, stack: str, name: str
) -> None:
    """Kills among them."""
    assert _sampled(Broken(shelf.new(stack), SCENARIOS[name], seams, killer), 6) == []


@pytest.mark.slow
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_larger_sample(seams: Seams, shelf: Shelf, killer: Killer, stack: str, name: str) -> None:
    """Every scenario on every kind of store that it is for."""
    if stack in SCENARIOS[name].stacks:
        assert _sampled(Broken(shelf.new(stack), SCENARIOS[name], seams, killer), 40) == []


def _sampled(broken: Broken, count: int) -> list[str]:
    cases = list(broken.cases())
    chosen = itertools.islice(cases, len(cases) // count // 2, None, max(1, len(cases) // count))
    return [line for at, kind in chosen for line in broken.violations(at, kind)]
