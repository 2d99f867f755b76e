"""Recorded descriptors, environments and definition hashes of every way to declare a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import dagster as dg
from golden_kit import HERE, Bench, surroundings

from jammi_dagster.contract import definition_hash


def record(folder: Path) -> dict[str, Any]:
    """Return each sidecar's descriptor, environment and definition hash, without versions of Python and libraries."""
    sys.path.insert(0, str(HERE / "project"))
    try:
        import golden_project as project
    finally:
        sys.path.remove(str(HERE / "project"))
    with surroundings(folder) as instance:
        bench = Bench(folder / "descriptors", instance, resources=project.resources())
        _runs(bench, project)
        found: dict[str, list[Any]] = {}
        for sidecar in bench.sidecars():
            found.setdefault(sidecar["jammi_dagster"]["table"], []).append(_shown(sidecar))
        bench.store.close()
        return found


def _runs(bench: Bench, project: Any) -> None:
    event = dg.AssetMaterialization("outside", tags={"dagster/data_version": "v1"})
    bench.instance.report_runless_asset_event(event)
    bench.instance.add_dynamic_partitions("golden_dynamic", ["z", "y"])
    everything = project.ALL
    bench.run(project.UNPARTITIONED, config=project.CONFIG)
    for key in "abc":
        bench.run(everything, select=project.BY_LETTER, partition=key)
    for key in "zy":
        bench.run(everything, select=[project.grown], partition=key)
    bench.run(everything, select=project.RANGES, span=("b", "a"))
    bench.run(everything, select=[project.ranged], partition="c")
    for day in ("2024-01-01", "2024-01-02"):
        bench.run(everything, select=project.DAILY, partition=day)
    bench.run(
        everything,
        select=[project.cell],
        partition=dg.MultiPartitionKey({"day": "2024-01-02", "letter": "b"}),
    )
    bench.run(everything, select=[project.strange], partition="a/b [c]%")
    bench.run(everything, select=project.FAN_INS)


def _shown(sidecar: dict[str, Any]) -> dict[str, Any]:
    descriptor, env = sidecar["descriptor"], sidecar["env"]
    assert sidecar["definition_hash"] == str(definition_hash(descriptor, env))
    assert env["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    fixed = {**env, "python": "3.x", "libraries": dict.fromkeys(env["libraries"], "any")}
    return {
        "descriptor": descriptor,
        "env": fixed,
        "definition_hash with this env": str(definition_hash(descriptor, fixed)),
        "anchored": [[a["source"], a["kind"]] for a in sidecar["input_anchors"]],
        "unpinned": bool(sidecar["jammi_dagster"]["unpinned"]),
        "recorded besides": sorted(sidecar["jammi_dagster"]),
        "writer_profile": sorted(sidecar["jammi_dagster"]["writer_profile"]),
        "replay": sidecar["jammi_dagster"]["annotation"]["replay"],
    }
