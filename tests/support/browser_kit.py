"""Dagster's web server over a project that ran, and a browser that looks at its pages."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import requests
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from debian_kit import program
from playwright.sync_api import Page, expect, sync_playwright
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from waiting_kit import MOST_SECONDS

from jammi_dagster.cli.loading import CodeLocation

PACKAGE = Path(__file__).parents[2]
SETTINGS = "telemetry:\n  enabled: false\nnux:\n  enabled: false\n"
PATIENCE_MS = 120_000  # the first page loads the code location, the first tick waits for the daemon


@dataclass
class Project:
    """A folder with a project, and the Dagster instance that its runs are on; `runs` are the ids by name."""

    folder: Path
    runs: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True)
        (self.home / "dagster.yaml").write_text(SETTINGS)
        shutil.copy(PACKAGE / "tests" / "browser" / "project.py", self.folder)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def run(self, *steps: tuple[str, str, str | None]) -> None:
        """Run assets, or jobs, in this process: the name of each run, the asset or job, the partition."""
        place = str(self.folder / "project.py")
        repository = CodeLocation(kind="file", place=place, working_directory=str(self.folder)).load()
        whole = repository.get_implicit_global_asset_job_def()
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            for name, asset, partition in steps:
                if repository.has_job(asset):
                    job = repository.get_job(asset)
                else:
                    job = whole.get_subset(asset_selection={dg.AssetKey(asset)})
                done = job.execute_in_process(instance=instance, partition_key=partition)
                assert done.success
                self.runs[name] = done.run_id

    def launch(self, name: str, job: str) -> None:
        """Run a job under its own executor, as a run's worker does."""
        place = str(self.folder / "project.py")
        repository = CodeLocation(kind="file", place=place, working_directory=str(self.folder)).load()
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            run = instance.create_run_for_job(repository.get_job(job))
            assert execute_run(InMemoryJob(repository.get_job(job)), run, instance).success
            self.runs[name] = run.run_id


@contextlib.contextmanager
def served(project: Project) -> Iterator[str]:
    """Start web server and daemon over the project, give their address, and end them with all that they started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "DAGSTER_HOME": str(project.home), "PYTHONPATH": str(PACKAGE)}
    command = [sys.executable, "-m", "dagster", "dev", "-f", "project.py", "-h", "127.0.0.1", "-p", str(port)]
    address = f"http://127.0.0.1:{port}"
    with (
        (project.folder / "dev.log").open("w") as log,
        subprocess.Popen(
            command,
            cwd=project.folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as server,
    ):
        try:
            with requests.Session() as session:
                logging.getLogger("urllib3").setLevel(logging.ERROR)  # a warning for each time that it waits
                until_it_listens = Retry(total=150, backoff_factor=0.1, backoff_max=1)
                session.mount("http://", HTTPAdapter(max_retries=until_it_listens))
                session.get(f"{address}/server_info", timeout=MOST_SECONDS).raise_for_status()
            yield address
        finally:
            os.killpg(server.pid, signal.SIGINT)  # which a background job ignores
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(timeout=15)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()


@contextlib.contextmanager
def browser() -> Iterator[Page]:
    """Open a page in a headless Chromium."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        # a container's root may not make a sandbox
        opened = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        page = opened.new_page(viewport={"width": 1500, "height": 1600})
        page.set_default_timeout(PATIENCE_MS)
        yield page
        opened.close()
