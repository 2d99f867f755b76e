"""Planted faults in the package: the harness finds each of them, so its silence means something."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

import pytest
from fault_runs_kit import Broken
from fault_scenarios_kit import SCENARIOS
from fault_stacks_kit import Shelf
from faults_kit import Kind, Seams

from jammi_dagster.artifacts import ArtifactRoot, sidecar_path
from jammi_dagster.catalog import CatalogWriter, moves
from jammi_dagster.maintenance.recovery import Recovery
from jammi_dagster.recording import Attempt, Output, Publication

_publish, _finish, _note = Attempt.publish, CatalogWriter.finish, Recovery._note


def _flip_first(
    attempt: Attempt, outputs: Sequence[Output], *, run_id: str | None = None
) -> list[Publication]:
    """Flip the rows, then write the sidecars."""
    late = list[tuple[str, bytes]]()
    with mock.patch.object(ArtifactRoot, "write_bytes_durable", lambda root, *given: late.append(given)):
        published = _publish(attempt, outputs, run_id=run_id)
    for path, data in late:
        attempt.recorder.root.write_bytes_durable(path, data)
    return published


def _one_by_one(writer: CatalogWriter, rows: Sequence[Any], **more: Any) -> list[Any]:
    """Flip each row of a range in a transaction of its own."""
    return [point for row in rows for point in _finish(writer, [row], **more)]


def _abandon_all(attempt: Attempt) -> None:
    """Remove the objects of every row, of ready ones too."""
    attempt.recorder.writer.fail(list(attempt.rows.values()), lease=attempt.lease)
    for row in attempt.rows.values():
        attempt.recorder.root.delete(row.artifact_path)
        attempt.recorder.root.delete(sidecar_path(row.artifact_path))


def _lose_at_once(recovery: Recovery, rows: Any, inventory: Any, report: Any) -> None:
    """Lose a row when one object is not found for the first time."""
    for kept in inventory.missing:
        rows.lose(kept.materialization_id)
    _note(recovery, rows, inventory, report)


def _complete_without_a_second_look(recovery: Recovery, attempt: Sequence[Any]) -> list[Any]:
    """Take one "not found" for the truth, and fail the attempt."""
    with mock.patch.object(Recovery, "_flip", return_value=None):
        return _complete(recovery, attempt)


_complete = Recovery._complete


Plant = Callable[[], AbstractContextManager[Any]]
PLANTED: dict[str, tuple[str, Plant, str]] = {
    "the flip before the sidecar": (
        "write",
        lambda: mock.patch.object(Attempt, "publish", _flip_first),
        "torn: t",
    ),
    "a range flipped row by row": (
        "write a range",
        lambda: mock.patch.object(CatalogWriter, "finish", _one_by_one),
        "half a range is current",
    ),
    "a failure that removes bytes of ready rows": (
        "write",
        lambda: mock.patch.object(Attempt, "_abandon", _abandon_all),
        "torn: t",
    ),
    "a move that is not told": (
        "write",
        lambda: mock.patch.object(moves, "_add_moves_to"),
        "not the last in its history: ('', 'default', 't')",
    ),
    "recovery that believes one 404": (
        "recover, default grace",
        lambda: mock.patch.object(Recovery, "_note", _lose_at_once),
        "a ready row is failed",
    ),
    "recovery that removes a whole attempt": (
        "recover",
        lambda: mock.patch.object(Recovery, "_complete", _complete_without_a_second_look),
        "an object is gone",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(seams: Seams, shelf: Shelf, name: str) -> None:
    """Some operation's fault shows it, by the rule that it breaks."""
    scenario, plant, rule = PLANTED[name]
    broken = Broken(shelf.new("local + SQLite"), SCENARIOS[scenario], seams)
    cases = [(at, kind) for at, kind in broken.cases() if kind in (Kind.BEFORE, Kind.AFTER, Kind.ABSENT)]
    if broken.scenario.flips:  # the end of the funnel shows it
        cases.reverse()
    with plant():
        assert any(rule in line for at, kind in cases for line in broken.violations(at, kind))
