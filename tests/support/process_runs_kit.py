"""Runs of the jobs of a pipeline file, whose steps may have processes of their own, on one store and one instance."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository
from dagster._core.execution.api import execute_run_iterator
from executor_kit import batching

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Runs:
    """Runs of the jobs of a pipeline file on one store and one instance."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance, pipeline: Path) -> None:
        self.folder, self.instance, self._pipeline = folder, instance, pipeline

    def run(self, job: str, *, resume: dg.DagsterRun | None = None) -> dg.DagsterRun:
        """Run a job, or go on with a run whose worker died."""
        recon = self.job(job)
        run = resume or self.instance.create_run_for_job(
            recon.get_definition(), job_code_origin=recon.get_python_origin(), run_config=QUIET
        )
        list(execute_run_iterator(recon, run, self.instance, resume_from_failure=resume is not None))
        found = self.instance.get_run_by_id(run.run_id)
        assert found is not None
        return found

    def job(self, name: str) -> ReconstructableJob:
        """Return a job of the pipeline as the environment has it now: Dagster keeps what it loaded from one file."""
        return ReconstructableJob.for_file(self._file(), name)

    def definitions(self) -> dg.RepositoryDefinition:
        """Return all definitions of the pipeline, likewise."""
        return ReconstructableRepository.for_file(self._file(), "defs").get_definition()

    def _file(self) -> str:
        file = self.folder / f"pipeline_{len(list(self.folder.glob('pipeline_*')))}.py"
        shutil.copy(self._pipeline, file)
        return str(file)

    def kinds(self, run: dg.DagsterRun) -> dict[str, Counter[str]]:
        """The events of each step by kind."""
        found: dict[str, Counter[str]] = {}
        for entry in self.instance.all_logs(run.run_id):
            if entry.step_key and entry.dagster_event:
                found.setdefault(entry.step_key, Counter())[entry.dagster_event.event_type_value] += 1
        return found

    @property
    def launched(self) -> list[str]:
        """The steps that a step handler was asked to launch."""
        log = self.folder / "launched"
        return log.read_text().split() if log.exists() else []

    def started(self, run: dg.DagsterRun) -> list[str]:
        """The steps that a process was started for."""
        return [key for key, kinds in self.kinds(run).items() if kinds["STEP_WORKER_STARTING"]]


@contextlib.contextmanager
def processes(folder: Path, monkeypatch: pytest.MonkeyPatch, pipeline: Path) -> Iterator[Runs]:
    """Give runs of a pipeline, which finds the folder in its environment."""
    home = folder / "home"
    home.mkdir()
    monkeypatch.setenv("JAMMI_FOLDER", str(folder))
    # children load what this process loads: kits, and this checkout
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")]))
    with dg.instance_for_test(temp_dir=str(home), overrides=batching(home)) as instance:
        yield Runs(folder, instance, pipeline)
