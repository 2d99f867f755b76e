"""Our verdicts and Dagster's own, side by side: where it is wrong, and that it agrees where it is right."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table
from sensing_kit import definitions, evaluate
from stale_kit import of_dagster

from jammi_dagster import finalize, result_table


def verdicts(lab: Lab, assets: list[Any], key: str, partition: str | None = None) -> tuple[str, str]:
    """Ours on a table, then Dagster's."""
    found = evaluate(lab, assets)
    name = key if partition is None else f"{key}[{partition}]"
    ours = found.tables[name].verdict.staleness if name in found.tables else "fresh"
    defs = finalize(definitions(lab, assets))
    return ours, of_dagster(defs, lab.instance, key, partition).lower()


def fan_in(definition: dg.PartitionsDefinition[str]) -> list[Any]:
    @result_table(
        name="part",
        partitions_def=definition,
        backfill_policy=dg.BackfillPolicy.single_run(),
        reads=[],
        code_version="1",
    )
    def part(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        return {key: table(key, context.run.tags.get("take", "")) for key in context.partition_keys}

    @result_table(code_version="1")
    def whole(part: dict[str, pa.Table]) -> pa.Table:
        return table(len(part))

    return [part, whole]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("definition", "of_dagster"),
    [
        (dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-04"), "fresh"),
        (dg.StaticPartitionsDefinition([f"{i:03}" for i in range(100)]), "fresh"),
        (dg.StaticPartitionsDefinition([f"{i:03}" for i in range(150)]), "fresh"),
        (dg.StaticPartitionsDefinition([f"{i:03}" for i in range(99)]), "stale"),
    ],
    ids=["daily", "100", "150", "99"],
)
def test_a_changed_partition_under_an_unpartitioned_table(
    lab: Lab, definition: dg.PartitionsDefinition[str], of_dagster: str
) -> None:
    """Ours is stale whatever the size. Dagster skips time windows, and upstreams of 100 or more partitions."""
    assets = fan_in(definition)
    keys = definition.get_partition_keys()
    lab.run(assets, select=[assets[0]], span=(keys[0], keys[-1]), tags={"take": "1"})
    lab.run(assets, select=[assets[1]])
    assert verdicts(lab, assets, "whole") == ("fresh", "fresh")
    lab.run(assets, select=[assets[0]], span=(keys[0], keys[0]), tags={"take": "2", "jammi/cache": "bypass"})
    assert verdicts(lab, assets, "whole") == ("stale", of_dagster)


def coded(version: str) -> list[Any]:
    @result_table(partitions_def=dg.StaticPartitionsDefinition(["a"]), reads=[], code_version=version)
    def part() -> pa.Table:
        return table(1)

    return [part]


def test_a_partitioned_asset_after_a_change_of_code(lab: Lab) -> None:
    """Asked without a partition, as a request for stale assets only asks, Dagster calls it fresh."""
    lab.run(coded("1"), partition="a")
    ours, of_partition = verdicts(lab, coded("2"), "part", "a")
    _, of_asset = verdicts(lab, coded("2"), "part")
    assert (ours, of_partition, of_asset) == ("stale", "stale", "fresh")


def simple(*, code: str = "1", child: bool = True, deps: bool = False, default: int = 1) -> list[Any]:
    class Rows(dg.Config):
        rows: int = default

    @result_table(reads=[], code_version="1")
    def other() -> pa.Table:
        return table("other")

    @result_table(reads=[], code_version=code)
    def root(context: dg.AssetExecutionContext) -> pa.Table:
        return table(context.run.tags.get("take", ""))

    @result_table(code_version="1", deps=["other"] if deps else None)
    def leaf(config: Rows, root: pa.Table) -> pa.Table:
        return table(config.rows)

    return [other, root, leaf] if child else [other, root]


def nothing(lab: Lab) -> list[Any]:
    return simple()


def same_bytes_again(lab: Lab) -> list[Any]:
    assets = simple()
    lab.run(assets, select=[assets[1]], tags={"jammi/cache": "bypass", "take": "1"})
    return assets


def parent_changed(lab: Lab) -> list[Any]:
    assets = simple()
    lab.run(assets, select=[assets[1]], tags={"jammi/cache": "bypass", "take": "2"})
    return assets


def parent_dropped(lab: Lab) -> list[Any]:
    lab.store.drop("root")
    return simple()


def artifact_of_the_parent_lost(lab: Lab) -> list[Any]:
    lab.store.artifacts.delete(lab.store.current("root").artifact_path)
    return simple()


@pytest.mark.parametrize(
    ("change", "leaf", "root", "why_they_differ"),
    [
        (nothing, ("fresh", "fresh"), ("fresh", "fresh"), ""),
        (same_bytes_again, ("fresh", "fresh"), ("fresh", "fresh"), ""),
        (parent_changed, ("stale", "stale"), ("fresh", "fresh"), ""),
        (lambda lab: simple(code="2"), ("fresh", "fresh"), ("stale", "stale"), ""),
        (lambda lab: simple(deps=True), ("stale", "stale"), ("fresh", "fresh"), ""),
        (
            lambda lab: simple(default=2),
            ("stale", "fresh"),
            ("fresh", "fresh"),
            "Dagster does not look at config",
        ),
        (parent_dropped, ("stale", "fresh"), None, "Dagster does not know the catalog"),
        (artifact_of_the_parent_lost, ("fresh", "fresh"), ("fresh", "fresh"), ""),
    ],
    ids=["nothing", "same bytes", "parent", "code", "new dependency", "default", "dropped", "lost"],
)
def test_every_disagreement_has_a_reason(
    lab: Lab,
    change: Callable[[Lab], list[Any]],
    leaf: tuple[str, str],
    root: tuple[str, str] | None,
    why_they_differ: str,
) -> None:
    """Ours, then Dagster's, of a table and of its parent, after one change."""
    lab.run(simple(), tags={"take": "1"})
    assets = change(lab)
    assert verdicts(lab, assets, "leaf") == leaf
    assert root is None or verdicts(lab, assets, "root") == root
    assert bool(why_they_differ) == (leaf[0] != leaf[1])
    if root is not None and root[0] == "stale":  # beside the verdict, which is on the table alone
        assert evaluate(lab, assets).tables["leaf"].verdict.stale_ancestor == "root"
