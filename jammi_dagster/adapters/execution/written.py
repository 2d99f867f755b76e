"""A result that lies elsewhere: the versions of the surfaces that a body wrote, and the right to write them.

Two bodies that write one surface at once would record the result of each other as their own. So a step holds the
surfaces of its tables while it runs, whatever its definition and policy, and no other step begins beside it.
"""

from __future__ import annotations

from collections.abc import Mapping

from jammi_dagster.adapters.execution.table_step import TableStep
from jammi_dagster.adapters.recipe.inputs import InputSnapshot
from jammi_dagster.catalog import Flight
from jammi_dagster.contract import definition_hash
from jammi_dagster.contract.anchors import written_source
from jammi_dagster.errors import InvalidOutput, SurfaceInUse


def written_versions(tables: TableStep, after: InputSnapshot) -> list[Mapping[str, str]]:
    """Return for each table of a step the versions, by source, of the surfaces that the body wrote.

    `after` are the anchors after the body. Raises `InvalidOutput` for a surface that is not there, and the error of one
    that cannot be observed.
    """
    now = {anchor.source: anchor.anchor for anchor in after.anchors}
    found: list[Mapping[str, str]] = []
    for partition in tables.step.partition_keys:
        versions: dict[str, str] = {}
        for surface in tables.spec.written([partition]):
            version = now.get(written_source(surface.source))
            if version is None:
                surface.observe()
                raise InvalidOutput(
                    asset=tables.asset_name,
                    why=f"{surface.source}, which writes= names, is not there after its function",
                    way_out="write it, or take it out of writes=",
                )
            versions[surface.source] = version
        found.append(dict(sorted(versions.items())))
    return found


def writing(tables: TableStep) -> dict[str, Flight]:
    """Return by table the flight that keeps others from writing its surfaces meanwhile, whatever they would write."""
    step = tables.step
    return {
        table: Flight(
            definition_hash=definition_hash(
                {
                    "producer": "writes",
                    "surfaces": sorted(surface.source for surface in tables.spec.written([partition])),
                },
                {},
            ),
            input_anchors=(),
        )
        for table, partition in zip(step.tables, step.partition_keys, strict=True)
    }


def refused(tables: TableStep) -> SurfaceInUse:
    """Return the error for a step that has waited for its surfaces as long as it may."""
    surfaces = tables.spec.written(tables.step.partition_keys)
    return SurfaceInUse(table=tables.step.tables[0], source=", ".join(surface.source for surface in surfaces))
