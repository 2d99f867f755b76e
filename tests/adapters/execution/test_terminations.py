"""Dagster ends a run between the sidecars and the flip: current is never wrong, and the next run makes or reuses it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table
from dagster import DagsterExecutionInterruptedError
from store_kit import expire
from waiting_kit import MOST_SECONDS

from jammi_dagster import ResultStore, result_table
from jammi_dagster.catalog import CatalogWriter

HERE = Path(__file__).parent


class Number(dg.Config):
    """The value of a table."""

    number: int


DAYS = dg.StaticPartitionsDefinition(["a", "b"])


@pytest.mark.parametrize("takes_effect", [False, True], ids=["before the flip", "after the flip"])
def test_an_interrupt_at_the_flip_of_a_range(lab: Lab, takes_effect: bool) -> None:
    """All of the range is as it was, or all of it is new; nothing is left to recover, and the next run is clean."""
    finish = CatalogWriter.finish

    def interrupted(writer: CatalogWriter, *args: Any, **options: Any) -> Any:
        if takes_effect:
            finish(writer, *args, **options)
        raise DagsterExecutionInterruptedError

    @result_table(reads=[], cache="use", partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
    def days(context: dg.AssetExecutionContext, config: Number) -> dict[str, pa.Table]:
        return {key: table(config.number) for key in context.partition_keys}

    def run(number: int, *, ok: bool = True) -> Any:
        return lab.run(days, span=("a", "b"), config={"days": {"number": number}}, ok=ok)

    run(1)
    with mock.patch.object(CatalogWriter, "finish", interrupted):
        assert "DagsterExecutionInterruptedError" in run(2, ok=False).error
    expected = 2 if takes_effect else 1
    assert _read(lab.store) == {"days[a]": [expected], "days[b]": [expected]}
    assert run(2).outcomes == dict.fromkeys(("days[a]", "days[b]"), "reused" if takes_effect else "computed")
    assert _read(lab.store) == {"days[a]": [2], "days[b]": [2]}
    report = lab.store.recover().to_dict()
    assert {name: found for name, found in report.items() if found} == {}


@pytest.mark.slow
@pytest.mark.parametrize("recovers", [False, True])
@pytest.mark.parametrize("how", ["terminate", "kill"])
def test_a_run_worker_that_ends(tmp_path: Path, how: str, recovers: bool) -> None:
    """SIGTERM unwinds the step, SIGKILL does not: recovery publishes the range, or the next run makes it again."""
    root = tmp_path / "store"
    ended = _runs(root, how, 1, 2)
    assert ended.returncode == (-signal.SIGKILL if how == "kill" else 0), ended.stderr
    succeeded = [json.loads(line)["success"] for line in ended.stdout.splitlines()]
    assert succeeded == ([True] if how == "kill" else [True, False])
    store = ResultStore(str(root))
    before = _read(store)
    assert before == {"single": [2], "days[a]": [1], "days[b]": [1]}
    if recovers:
        expire(store)
        assert len(store.recover().promoted) == (2 if how == "kill" else 0)
    again = _runs(root, "no", 2)
    assert again.returncode == 0, again.stderr
    reused = "reused" if how == "kill" and recovers else "computed"
    assert json.loads(again.stdout)["outcomes"] == ["reused", reused, reused]
    assert _read(store) == {"single": [2], "days[a]": [2], "days[b]": [2]}
    expire(store)
    store.recover()
    assert _read(store) == {"single": [2], "days[a]": [2], "days[b]": [2]}
    store.close()


def _read(store: ResultStore) -> dict[str, list[Any]]:
    return {name: list(store.read(name).column(0).to_pylist()) for name in store.tables()}


def _runs(root: Path, how: str, *numbers: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(HERE / "terminations_run.py"), str(root), how, *map(str, numbers)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=MOST_SECONDS, check=False, env=os.environ
    )
