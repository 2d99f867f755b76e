"""`ResultTableTester`: assets, a store and an instance for one test."""

from __future__ import annotations

import contextlib
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from jammi_dagster.adapters.assets.cache_policy import policy_of
from jammi_dagster.adapters.code_location.location import Location, Target
from jammi_dagster.adapters.handoff.store_resource import ResultStoreResource
from jammi_dagster.adapters.metadata_keys import RANGE_TAGS
from jammi_dagster.adapters.sensor.builders import build_staleness_sensor
from jammi_dagster.contract import CachePolicy
from jammi_dagster.errors import InvalidField, InvalidStore
from jammi_dagster.store import ResultStore
from jammi_dagster.testing.redirection import Assets, redirected
from jammi_dagster.testing.results import TableRun, TickResult
from jammi_dagster.testing.tick_log import LogLines

_QUIET = {
    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}
}  # printing takes a quarter of a run's time

_OF_DAGSTER = (
    # a resource within a resource makes Dagster use its own deprecated property
    "InitResourceContext.dagster_run is deprecated",
    # Dagster asks a resource class without fields for pydantic's old name of them
    "The `__fields__` attribute is deprecated",
)


class ResultTableTester:
    """A temporary store and Dagster instance, on which a test runs assets and ticks the staleness sensor.

    Everything runs in this process, through Dagster itself. Every store that the definitions name is replaced by the
    tester's, so that no test touches the tables of production; resources that are bound to an asset itself
    (`io_manager_def=`, `resource_defs=`) stay as they are.

    Args:
        folder: Where files and the store lie; a temporary folder by default, removed on `close`.
        cache: The policy of assets that state none, unless their definitions have an IO manager of ours.
        resources: Resources that replace those of the definitions, such as a client's fake.
        instance: A Dagster instance; an ephemeral one by default.
        deployment: The deployment of the tester's tables.
        parent: The deployment whose tables that one reads where it has none: two testers on one folder are production
            and a branch of it.

    Example:
        with ResultTableTester() as tester:
            tester.write("orders.csv", "customer,amount\\nada,250\\n")
            run = tester.materialize([orders, large_orders])
            assert run.outcome("orders") == "computed"
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        cache: CachePolicy | str = CachePolicy.USE,
        resources: Mapping[str, Any] | None = None,
        instance: dg.DagsterInstance | None = None,
        deployment: str = "default",
        parent: str | None = None,
    ) -> None:
        self._owned = contextlib.ExitStack()
        if folder is None:
            folder = self._owned.enter_context(tempfile.TemporaryDirectory(prefix="jammi-"))
        self.folder = Path(folder).resolve()
        self.instance = instance or self._owned.enter_context(dg.DagsterInstance.ephemeral())
        self._resource = ResultStoreResource(
            root=str(self.folder / "results"), deployment=deployment, parent=parent
        )
        self._owned.callback(self._resource.get().close)
        self._cache = policy_of(cache, where="ResultTableTester(cache=…)").value
        self._resources = dict(resources or {})
        self._cursors: dict[str, str | None] = {}
        self._closed = False

    def __enter__(self) -> ResultTableTester:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the store and the instance, and remove the folder, as far as they are the tester's own."""
        self._closed = True
        self._owned.close()

    @property
    def store(self) -> ResultStore:
        """The tester's store. Raises `InvalidStore` once the tester is closed."""
        if self._closed:
            raise InvalidStore(
                root=str(self.folder), why="the tester is closed; use it within its `with` block"
            )
        return self._resource.get()

    def path(self, name: str | os.PathLike[str]) -> Path:
        """Give the path of a file in the tester's folder. Raises `InvalidField` for one outside of it."""
        path = (self.folder / name).resolve()
        if path == self.folder or not path.is_relative_to(self.folder):
            raise InvalidField(
                what="tester", path="name", value=os.fspath(name), expected="a file in its folder"
            )
        return path

    def write(self, name: str | os.PathLike[str], content: str | bytes) -> Path:
        """Write a file in the tester's folder, anew if it is there, and give its path. Raises `InvalidField`."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def materialize(
        self,
        assets: Assets,
        *,
        selection: Target | None = None,
        partition_key: str | None = None,
        partition_key_range: dg.PartitionKeyRange | None = None,
        run_config: Mapping[str, Any] | dg.RunConfig | None = None,
        tags: Mapping[str, str] | None = None,
        resources: Mapping[str, Any] | None = None,
        raise_on_error: bool = True,
    ) -> TableRun:
        """Materialize assets in one run, as `dagster.materialize` does.

        Args:
            assets: Definitions, one asset, or several.
            selection: The assets to run; all by default.
            partition_key: The partition to run.
            partition_key_range: The partitions to run together, as a single-run backfill does.
            run_config: As in Dagster: `{"ops": {"orders": {"config": {…}}}}` or a `dagster.RunConfig`.
            tags: Tags of the run, such as `{"jammi/cache": "bypass"}`.
            resources: More resources, for this run only.
            raise_on_error: Raise the error of a failed step; otherwise it stands in `errors` of the result.

        Raises `InvalidTarget` for a selection that names no assets, and Dagster's own errors for definitions, config
        and partitions that it refuses.
        """
        defs = self._definitions(assets, resources)
        keys = None if selection is None else Location.of(defs, self.instance).select(selection)
        run_tags = dict(tags or {})
        if partition_key_range is not None:
            bounds = partition_key_range.start, partition_key_range.end
            run_tags |= dict(zip(RANGE_TAGS, bounds, strict=True))
        request = dg.RunRequest(
            asset_selection=keys,
            partition_key=partition_key,
            run_config=run_config,
            tags=run_tags,
        )
        return self._run(defs, request, raise_on_error)

    def tick(
        self,
        assets: Assets,
        *,
        sensor: dg.SensorDefinition | None = None,
        resources: Mapping[str, Any] | None = None,
    ) -> TickResult:
        """Evaluate a sensor once over the assets, and run nothing yet.

        `sensor` is one of `build_staleness_sensor`; by default one with its defaults over all assets. The tester keeps
        the cursor of each sensor, by name, from one tick to the next.

        Raises the errors of the sensor.
        """
        defs = self._definitions(assets, resources)
        sensor = sensor or build_staleness_sensor()
        cursor = self._cursors.get(sensor.name)
        context = dg.build_sensor_context(instance=self.instance, cursor=cursor, definitions=defs)
        with context, _without_warnings_of_dagster():
            lines = LogLines()
            context.log.addHandler(lines)
            result = sensor.evaluate_tick(context)
        self._cursors[sensor.name] = result.cursor
        return TickResult(
            run_requests=list(result.run_requests or ()),
            message=result.skip_message or "\n".join(lines.lines),
            run_request=lambda request, raise_on_error: self._run(defs, request, raise_on_error),
        )

    def _definitions(self, assets: Assets, resources: Mapping[str, Any] | None) -> dg.Definitions:
        together = {**self._resources, **(resources or {})}
        return redirected(assets, self._resource, cache=self._cache, resources=together)

    def _run(self, defs: dg.Definitions, request: dg.RunRequest, raise_on_error: bool) -> TableRun:
        store = self.store
        current = store.reader.current_of(store.tables())
        before = {table: record.materialization_id for table, record in current.items()}
        job = defs.resolve_implicit_global_asset_job_def()
        with _without_warnings_of_dagster():
            result = job.execute_in_process(
                instance=self.instance,
                asset_selection=None if request.asset_selection is None else list(request.asset_selection),
                partition_key=request.partition_key,
                run_config={**_QUIET, **request.run_config},
                tags=dict(request.tags),
                raise_on_error=raise_on_error,
            )
        return TableRun(result=result, store=store, before=before)


@contextlib.contextmanager
def _without_warnings_of_dagster() -> Iterator[None]:
    """Hide the warnings that Dagster gives for its own code: a suite may turn warnings into errors."""
    with warnings.catch_warnings():
        for message in _OF_DAGSTER:
            warnings.filterwarnings("ignore", message, DeprecationWarning)
        yield
