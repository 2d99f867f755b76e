"""Recorded plans of lineage, reports of recomputes, and results of checks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import dagster as dg
import pyarrow as pa
from golden_kit import QUIET, Bench, surroundings

from jammi_dagster import (
    JammiError,
    LineageResource,
    build_materialization_checks,
    recompute,
    result_table,
)

RECOMPUTES: tuple[tuple[str, str, Literal["report_only", "downstream"]], ...] = (
    ("1", "raw", "report_only"),
    ("1", "part[a]", "report_only"),
    ("1", "moody", "report_only"),
    ("1", "moody", "downstream"),
    ("2", "raw", "report_only"),
    ("2", "raw", "downstream"),
    ("2", "unpinned", "downstream"),
    ("2", "nobody", "report_only"),
)
letters = dg.StaticPartitionsDefinition(["b", "a"])


class Size(dg.Config):
    rows: int = 1


class Turns:
    """A count of how often the moody table was made."""

    count = 0


def _next() -> int:
    Turns.count += 1
    return Turns.count


def _graph(version: str = "1") -> list[Any]:
    @result_table(reads=[], code_version=version)
    def raw(config: Size) -> pa.Table:
        return pa.table({"x": [version] * config.rows})

    @result_table(partitions_def=letters, code_version="1")
    def part(context: dg.AssetExecutionContext, raw: pa.Table) -> pa.Table:
        return pa.table({"x": [context.partition_key, raw["x"][0].as_py()]})

    @result_table(code_version="1")
    def gathered(part: dict[str, pa.Table]) -> pa.Table:
        return pa.concat_tables(part.values())

    @result_table(code_version="1", key_prefix=["deep"])
    def foot(gathered: pa.Table, raw: pa.Table) -> pa.Table:
        return gathered

    @result_table(reads=[], code_version="1")
    def moody() -> pa.Table:
        return pa.table({"x": [_next()]})

    @result_table(code_version="1")
    def after(moody: pa.Table) -> pa.Table:
        return moody

    @result_table(code_version="1")
    def unpinned() -> pa.Table:
        return pa.table({"x": [1]})

    return [raw, part, gathered, foot, moody, after, unpinned]


def record(folder: Path) -> dict[str, Any]:
    """Return plans, recomputes and checks, over the same tables."""
    with surroundings(folder) as instance:
        bench = Bench(folder / "plans", instance)
        _make(bench)
        found = {"plans": list(_plans(bench)), "recomputes": _recomputes(bench), "checks": _checks(bench)}
        bench.store.close()
        return found


def _make(bench: Bench) -> None:
    Turns.count = 0
    config = {"raw": {"rows": 2}}
    bench.run(_graph(), select=["raw", "moody", "after", "unpinned"], config=config)
    for key in "ab":
        bench.run(_graph(), select=["part"], partition=key)
    bench.run(_graph(), select=["gathered", "deep/foot"])


def _plans(bench: Bench) -> Iterable[dict[str, Any]]:
    lineage = LineageResource(store=bench.store_resource)
    defs = bench.definitions(_graph())
    for sources in (["raw"], ["part[a]"], ["moody", "raw"], ["deep/foot"]):
        for declared in (None, defs):
            plan = lineage.downstream_plan(sources, declared, instance=bench.instance)
            yield {
                "sources": list(plan.sources),
                "by definitions": declared is not None,
                "generations": [
                    [[one.table, one.asset_key.to_user_string(), one.partition, one.op] for one in generation]
                    for generation in plan.generations
                ],
                "parents": {table: sorted(parents) for table, parents in plan.parents.items()},
                "undeclared": [[edge.input, edge.derived] for edge in plan.undeclared],
                "requests": [
                    {
                        "assets": [key.to_user_string() for key in request.asset_selection or ()],
                        "partition": request.partition_key,
                        "config": request.run_config,
                        "tags": dict(request.tags),
                    }
                    for request in lineage.run_requests(plan)
                ],
            }


def _recomputes(bench: Bench) -> list[dict[str, Any]]:
    found = []
    for version, table, cascade in RECOMPUTES:
        asked = {"table": table, "cascade": cascade, "code": version}
        try:
            report = recompute(
                bench.store,
                bench.definitions(_graph(version)),
                table,
                cascade,
                bench.instance,
            ).to_dict()
        except JammiError as error:
            found.append({**asked, "error": type(error).__name__})
            continue
        for made in report["recomputed"]:
            made["original"] = bench.ordinal(made["table"], made["original"])
            made["materialization"] = bench.ordinal(made["table"], made["materialization"])
        found.append({**asked, **report})
    return found


def _checks(bench: Bench) -> dict[str, Any]:
    """Check the tables as they were left, then with other code, then with bytes altered and gone."""
    found = {"as left": _checked(bench, _graph("2")), "other code": _checked(bench, _graph("3"))}
    altered = bench.root / bench.store.current("part[b]").artifact_path
    altered.write_bytes(altered.read_bytes()[:-1] + b"?")
    (bench.root / bench.store.current("moody").artifact_path).unlink()
    return {**found, "bytes altered and gone": _checked(bench, _graph("2"))}


def _checked(bench: Bench, assets: list[Any]) -> dict[str, Any]:
    made: list[dg.Definitions] = []  # in process Dagster does not say which definitions a run belongs to
    checks = build_materialization_checks(assets, verification="full", defs=lambda: made[0])
    job = dg.define_asset_job("checks", selection=dg.AssetSelection.all_asset_checks())
    made.append(bench.definitions(assets, asset_checks=checks, jobs=[job]))
    result = made[0].resolve_job_def("checks").execute_in_process(instance=bench.instance, run_config=QUIET)
    return {
        f"{one.asset_key.to_user_string()}, {one.check_name}": {
            "passed": one.passed,
            "severity": one.severity.value,
            "metadata": sorted(one.metadata),
            "verdicts": _value(one, "jammi/verdicts"),
            "reasons": _reasons(bench, one),
        }
        for one in sorted(
            result.get_asset_check_evaluations(), key=lambda one: (one.asset_key, one.check_name)
        )
    }


def _value(evaluation: Any, key: str) -> Any:
    return evaluation.metadata[key].value if key in evaluation.metadata else None


def _reasons(bench: Bench, evaluation: Any) -> Any:
    """Return table, verdict and both sides of each reason, without the words between them."""
    table = evaluation.metadata.get("jammi/not_fresh")
    if table is None:
        return None
    return [
        [
            row.data["table"],
            row.data["verdict"],
            *(_side(bench, row.data[side]) for side in ("recorded", "current")),
        ]
        for row in table.records
    ]


def _side(bench: Bench, text: str) -> str | None:
    return bench.names.of("hash", text) if len(text) == 64 else text
