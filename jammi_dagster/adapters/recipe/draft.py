"""The draft of a step: the state of its inputs and the definition of each table, before anything is made.

A running step and a code location where nothing runs draft by the same function, so that a plan has the definitions
and anchors that a run would record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from jammi_dagster.adapters.assets.declaration import DeclaredAsset
from jammi_dagster.adapters.assets.reasons import with_paths
from jammi_dagster.adapters.assets.spec import TableSpec
from jammi_dagster.adapters.recipe.inputs import Inputs, InputSnapshot
from jammi_dagster.adapters.recipe.recipe import Recipe, TableDefinition
from jammi_dagster.catalog import Flight
from jammi_dagster.contract import TableName
from jammi_dagster.contract.anchors import has_unpinned
from jammi_dagster.planning.step_plan import TableFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The tables of a step before they are made: the state of their inputs, and the definition of each by name."""

    inputs: InputSnapshot
    definitions: Mapping[str, TableDefinition]

    def facts(self) -> list[TableFacts]:
        """Return the facts that are known without a probe."""
        return facts_over(self.inputs, ((table, one.hash) for table, one in self.definitions.items()))

    def flights(self) -> dict[str, Flight]:
        """Return the computations that no other step may begin meanwhile; none where nobody could reuse the result."""
        anchors = self.inputs.anchors
        if has_unpinned(anchors):
            return {}
        return {
            table: Flight(definition_hash=definition.hash, input_anchors=anchors)
            for table, definition in self.definitions.items()
        }


def draft_of(
    recipe: Recipe,
    spec: TableSpec,
    asset: DeclaredAsset,
    inputs: Inputs,
    partitions: Sequence[str | None],
    *,
    unsettled: Sequence[str] = (),
) -> Draft:
    """Draft the tables of partitions that one step makes, or of the whole under None.

    `unsettled` are reasons of the step's own against a reuse.

    Raises `DuplicateInput`, and `NotCanonical` for a descriptor that JSON cannot hold.
    """
    snapshot = snapshot_of(inputs, asset.asset_key, [*undeclared_of(recipe, spec, asset), *unsettled])
    tables = [str(TableName.of(asset.asset_key.path, partition)) for partition in partitions]
    definitions = recipe.definitions(partitions, snapshot.names, snapshot.orders)
    return Draft(inputs=snapshot, definitions=dict(zip(tables, definitions, strict=True)))


def facts_over(inputs: InputSnapshot, definitions: Iterable[tuple[str, str]]) -> list[TableFacts]:
    """Return the facts of tables with these definition hashes over one state of their inputs."""
    return [
        TableFacts(table=table, definition=hashed, anchors=inputs.anchors, barriers=inputs.reasons)
        for table, hashed in definitions
    ]


def undeclared_of(recipe: Recipe, spec: TableSpec, asset: DeclaredAsset) -> list[str]:
    """List the reasons why a definition of this recipe cannot be pinned: undeclared reads, unrecordable values."""
    undeclared = spec.undeclared(asset, recipe.code, recipe.config_resources)
    return with_paths((*recipe.unrecordable, *undeclared), recipe.code)


def snapshot_of(inputs: Inputs, key: dg.AssetKey, undeclared: Sequence[str]) -> InputSnapshot:
    """Return the anchors of a step's inputs; undeclared reads are one more input without a version.

    Raises `DuplicateInput`.
    """
    found = inputs.snapshot()
    return found.with_unpinned(f"undeclared:{key.to_user_string()}", undeclared) if undeclared else found


def other_checks(
    reported: Iterable[str | None], declared: Collection[str], selected: Collection[str] | None = None
) -> tuple[str, ...]:
    """Return the checks that are selected, or else declared, and not reported, or reported and not declared."""
    named = named_checks(reported, declared)
    missing = set(declared if selected is None else selected) - named
    return tuple(sorted(missing | (named - set(declared))))


def named_checks(reported: Iterable[str | None], declared: Collection[str]) -> set[str]:
    """Return the names of checks with a result: the only check of an asset needs none."""
    only = next(iter(declared)) if len(declared) == 1 else "(without a name)"
    return {name or only for name in reported}
