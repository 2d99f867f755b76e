"""A small project on a store of its own, run for real, for the tests of the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from click.testing import CliRunner

from jammi_dagster import ResultStore
from jammi_dagster.cli.loading import CodeLocation
from jammi_dagster.cli.program import program

PACKAGE = Path(__file__).parents[2]

PIPELINE = """
import time
from pathlib import Path

import dagster as dg
import pyarrow as pa
from jammi_dagster import ResultStoreResource, ResultTableIOManager, finalize, result_table
from jammi_dagster.surfaces import file

HERE = Path(__file__).parent
letters = dg.StaticPartitionsDefinition(["a", "b"])
FACTOR = 1


def scaled(number: int) -> int:
    return number * FACTOR


@result_table(cache="use", reads=[file(HERE / "orders.csv", name="orders.csv")])
def orders() -> pa.Table:
    return pa.table({"n": [scaled(len((HERE / "orders.csv").read_text()))]})


@result_table(cache="use", partitions_def=letters)
def by_letter(context: dg.AssetExecutionContext, orders: pa.Table) -> pa.Table:
    return orders.append_column("letter", [[context.partition_key]])


class Limit(dg.Config):
    limit: int = 10


@result_table(cache="use")
def total(config: Limit, by_letter: dict[str, pa.Table]) -> pa.Table:
    return pa.concat_tables(by_letter.values()).slice(0, config.limit)


@result_table(cache="use")
def clocked(total: pa.Table) -> pa.Table:
    return total.append_column("at", [[time.time()] * len(total)])


store = ResultStoreResource(root=str(HERE / "results"))
defs = finalize(
    dg.Definitions([orders, by_letter, total, clocked], resources={"io_manager": ResultTableIOManager(store=store)})
)
"""


@dataclass(frozen=True)
class Answer:
    """The answer of one command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The object on stdout; nothing else may stand there."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Project:
    """A folder with a pipeline, and the store that its runs fill."""

    folder: Path

    @property
    def root(self) -> str:
        return str(self.folder / "results")

    @property
    def file(self) -> str:
        return str(self.folder / "pipeline.py")

    @property
    def store(self) -> ResultStore:
        return ResultStore(self.root)

    def run(self, *assets: str, partitions: Sequence[str] = ("a", "b")) -> None:
        """Run the assets, each partition in a run of its own, on the instance of `DAGSTER_HOME` if it is set."""
        repository = CodeLocation(kind="file", place=self.file, working_directory=str(self.folder)).load()
        job = repository.get_implicit_global_asset_job_def()
        has_home = "DAGSTER_HOME" in os.environ
        with dg.DagsterInstance.get() if has_home else dg.DagsterInstance.ephemeral() as instance:
            for asset in assets or ("orders", "by_letter", "total", "clocked"):
                for key in partitions if asset == "by_letter" else (None,):
                    selected = {dg.AssetKey(asset)}
                    part = job.get_subset(asset_selection=selected)
                    assert part.execute_in_process(instance=instance, partition_key=key).success

    def write(self, pipeline: str) -> None:
        """Write the pipeline. Its folder has no bytecode that could be mistaken for it."""
        Path(self.file).write_text(pipeline)

    def edit(self, old: str, new: str) -> None:
        """Edit the pipeline."""
        text = Path(self.file).read_text()
        assert old in text
        self.write(text.replace(old, new))


def new_project(folder: Path, *, ran: bool = True) -> Project:
    """Make a project, and run it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "orders.csv").write_text("customer,amount\n")
    project = Project(folder)
    project.write(PIPELINE)
    if ran:
        project.run()
    return project


def ask(*arguments: str, environment: Mapping[str, str | None] | None = None) -> Answer:
    """Run a command in this process."""
    result = CliRunner(env=environment).invoke(program, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Answer(result.exit_code, result.stdout, result.stderr)


def ask_process(
    *arguments: str,
    folder: Path,
    program: Sequence[str] = ("-m", "jammi_dagster"),
    more: Mapping[str, str] | None = None,
) -> Answer:
    """Run a command in a process of its own, its output in a pipe; `more` is added to its environment."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER", "JAMMI"))}
    environment = {**given, "PYTHONPATH": str(PACKAGE), "PYTHONDONTWRITEBYTECODE": "1", **(more or {})}
    command = [sys.executable, *program, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return Answer(done.returncode, done.stdout, done.stderr)
