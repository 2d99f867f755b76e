"""What the tests of sensing share: an evaluation of everything that some assets have made."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg
from adapters_kit import Lab, Ran

from jammi_dagster import CachePolicy
from jammi_dagster.adapters.code_location.location import Location
from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.judgement.evaluation import Evaluation
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.judgement.facts import plan_of
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.adapters.sensor.builders import build_staleness_sensor
from jammi_dagster.planning.step_plan import StepPlan
from jammi_dagster.testing.tick_log import LogLines


def definitions(lab: Lab, assets: Iterable[Any], **more: Any) -> dg.Definitions:
    """The assets as a code location on the lab's store."""
    return dg.Definitions(assets=list(assets), resources=lab.resources, **more)


def evaluate(lab: Lab, assets: Iterable[Any], **options: Any) -> Evaluation:
    """One look at all of the assets, in a code location of its own."""
    location = Location.of(definitions(lab, assets), lab.instance)
    evaluator = Evaluator(location)
    found = evaluator.evaluate(evaluator.assets(location.select("*")), **options)
    assert not evaluator.problems
    return found


def kinds(found: Evaluation) -> dict[str, str]:
    """The kind of each table that is not plainly fresh."""
    return {table: state.kind for table, state in found.tables.items()}


def plan(
    lab: Lab,
    assets: Iterable[Any],
    name: str,
    partitions: tuple[str, ...] | None = None,
    *,
    config: Any = None,
    policy: CachePolicy | None = None,
    **options: Any,
) -> StepPlan:
    """The plan of a run that makes the asset `name`, or these partitions of it together, in a new code location."""
    location = Location.of(definitions(lab, assets), lab.instance)
    asset = Evaluator(location).asset(dg.AssetKey(name))
    assert asset is not None
    with asset.store.reader.frozen() as frozen:
        present = Present(location, asset.store, frozen.digests() or {})
    return plan_of(asset, partitions, Replay(config=config), present, policy, **options)


class Ticking:
    """A staleness sensor on a lab, its cursor kept from tick to tick, and its requests executed in process."""

    def __init__(self, lab: Lab, assets: Iterable[Any], **options: Any) -> None:
        self.lab, self._options = lab, options
        self.sensor = build_staleness_sensor(**options)
        self.defs = definitions(lab, assets, sensors=[self.sensor])
        self.cursor: str | None = None
        self.said = ""

    def restarted(self, assets: Iterable[Any]) -> "Ticking":
        """The sensor in a new process: it has the cursor and nothing else."""
        new = Ticking(self.lab, assets, **self._options)
        new.cursor = self.cursor
        return new

    def tick(self) -> list[dg.RunRequest]:
        """What one tick requests."""
        context = dg.build_sensor_context(
            instance=self.lab.instance, cursor=self.cursor, definitions=self.defs
        )
        log = LogLines()
        context.log.addHandler(log)
        result = self.sensor(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        skipped = result.skip_reason
        (self.said,) = log.lines
        assert skipped is None or skipped.skip_message == self.said
        return list(result.run_requests or ())

    def execute(self, request: dg.RunRequest, *, ok: bool = True) -> dict[str, Any]:
        """Runs a request as the daemon would: `computed` or `reused` by table."""
        job = self.defs.get_repository_def().get_implicit_global_asset_job_def()
        config = {**request.run_config, "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        result = job.execute_in_process(
            instance=self.lab.instance,
            asset_selection=list(request.asset_selection or ()),
            partition_key=request.partition_key,
            run_config=config,
            tags=dict(request.tags),
            raise_on_error=False,
        )
        ran = Ran(result, [], [])
        assert result.success is ok, ran.errors
        return ran.outcomes

    def settle(self, most: int = 20) -> list[dict[str, Any]]:
        """Ticks and executes until the sensor rests; what each run did."""
        done: list[dict[str, Any]] = []
        for _ in range(most):
            requests = self.tick()
            if not requests:
                return done
            done += [self.execute(request) for request in requests]
        raise AssertionError(f"the sensor does not rest: {done}")

    def rest(self, most: int = 100) -> list[dict[str, Any]]:
        """Ticks and executes until the sensor says that nothing changed since it came to all; what each run did."""
        done: list[dict[str, Any]] = []
        for _ in range(most):
            done += [self.execute(request) for request in self.tick()]
            if self.said.endswith("Nothing changed since."):
                return done
        raise AssertionError(f"the sensor does not rest: {done}")

    @contextlib.contextmanager
    def in_flight(self, request: dg.RunRequest) -> Iterator[None]:
        """The request as a run that has started and does not end."""
        job = self.defs.get_repository_def().get_implicit_global_asset_job_def()
        run = self.lab.instance.create_run_for_job(
            job,
            run_config=request.run_config,
            tags=request.tags,
            asset_selection=frozenset(request.asset_selection or ()),
            status=dg.DagsterRunStatus.STARTED,
        )
        yield
        self.lab.instance.delete_run(run.run_id)
