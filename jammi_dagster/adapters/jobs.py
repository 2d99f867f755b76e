"""A job that clears away what crashed writers left."""

from __future__ import annotations

import dagster as dg

from jammi_dagster.adapters.handoff.store_resource import is_store_backed
from jammi_dagster.errors import WrongIOManager
from jammi_dagster.maintenance import GRACE_SECONDS


def build_recovery_job(
    *, name: str = "recovery", io_manager_key: str = "io_manager", description: str | None = None
) -> dg.JobDefinition:
    """A job that runs `ResultStore.recover()` on the store of the IO manager under `io_manager_key`.

    Its op's config takes `dry_run` and `grace_seconds`; its metadata is the report. Schedule it at a quiet hour.
    """

    class RecoveryConfig(dg.Config):
        dry_run: bool = False
        grace_seconds: float = GRACE_SECONDS

    def run(context: dg.OpExecutionContext, config: RecoveryConfig) -> None:
        manager = getattr(context.resources, io_manager_key)
        if not is_store_backed(manager):
            raise WrongIOManager(asset=f"(job {name})", key=io_manager_key, found=type(manager).__name__)
        report = manager.result_store.recover(dry_run=config.dry_run, grace_seconds=config.grace_seconds)
        context.add_output_metadata({"report": dg.MetadataValue.json(report.to_dict())})

    run.__annotations__ = {"context": dg.OpExecutionContext, "config": RecoveryConfig, "return": None}
    step = dg.op(name=f"{name}_store", required_resource_keys={io_manager_key})(run)
    return dg.GraphDefinition(name=name, node_defs=[step], description=description).to_job()
