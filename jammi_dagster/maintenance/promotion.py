"""Promotion of tables from one deployment to another: selection, plan, and the checks that need bytes and surfaces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from jammi_dagster.artifacts import ArtifactRoot
from jammi_dagster.catalog import CatalogReader, MaterializationRecord, PromotionFacts, PromotionRows, Scope
from jammi_dagster.catalog.promotion import check_holds, check_pointers, faults, refuse
from jammi_dagster.contract import AnchorKind, DefinitionHash, TableName
from jammi_dagster.contract.tables import asset_of, check_table
from jammi_dagster.errors import JammiError, PromotionRefused, UnknownTable
from jammi_dagster.lineage.graph import edges_by_input, nearest_above
from jammi_dagster.maintenance.bulk import each
from jammi_dagster.planning.promotion import ObservedSurface, PromotedTable, Promotion, PromotionPlan
from jammi_dagster.sensing import Observations, has_bytes

_VERSIONED = (AnchorKind.SOURCE_VERSION, AnchorKind.MUTABLE_VERSION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoter:
    """The promotion of tables between two deployments of one tenant.

    Attributes:
        rows: the pointers of both.
        source, target: the scopes of both.
        reader: the tables of the target.
        root: the root of the artifacts.
        definitions: the definitions of the target's code, by table; a table without one is not compared.
        observations: the versions of external inputs.
        is_elsewhere: the target is the source's parent, in another catalog.
        near: known deployments that the target may be a misspelling of, if it is not known itself.
    """

    rows: PromotionRows
    source: Scope
    target: Scope
    reader: CatalogReader
    root: ArtifactRoot
    definitions: Mapping[str, DefinitionHash | str] | None
    observations: Observations
    is_elsewhere: bool = False
    near: Sequence[str] = ()

    def plan(self, tables: Iterable[str] | None, *, ahead_of_code: bool = False) -> PromotionPlan:
        """Plan a promotion of tables, or of all that differ. Raises `UnknownTable` and `PromotionRefused`."""
        plan = self._selection(tables, ahead_of_code=ahead_of_code)
        return self._examined(plan, self.rows.facts(plan))

    def _selection(self, tables: Iterable[str] | None, *, ahead_of_code: bool) -> PromotionPlan:
        """Plan a promotion by the pointers alone."""
        if self.source.deployment == self.target.deployment:
            why = "a deployment is not promoted to itself; open the store with the source's deployment"
            raise self._refused("(all)", why)
        self._check_is_near()
        if self.near:
            why = f"there is no such deployment, but {' and '.join(self.near)}"
            raise self._refused("(all)", f"{why}; name that, or make a new one with create=True (--create)")
        wanted = None if tables is None else _listed(tables)
        # of few exact names no others are read
        exact = wanted if wanted and all(map(_is_partition, wanted)) else None
        source, target = self.rows.pointers(exact)
        names = sorted(source) if wanted is None else self._selected(wanted, source)
        rows = []
        for table in names:
            here, there = source[table], target.get(table)
            row = PromotedTable(
                table=table,
                materialization=here.materialization_id,
                source_sequence=here.sequence,
                target_materialization=None if there is None else there.materialization_id,
                target_sequence=None if there is None else there.sequence,
            )
            if wanted is not None or row.moves:
                rows.append(row)
        return PromotionPlan(
            source=self.source.deployment,
            target=self.target.deployment,
            tenant=self.source.tenant,
            rows=tuple(rows),
            ahead_of_code=ahead_of_code,
        )

    def promote(
        self,
        plan: PromotionPlan | None,
        tables: Iterable[str] | None,
        *,
        ahead_of_code: bool = False,
        by: str,
        reason: str | None,
    ) -> Promotion:
        """Look at bytes and external inputs again, and promote the tables of a plan, all or none.

        Without a plan it makes one; else `tables`, where given, must be those of the plan. Raises as
        `PromotionRows.promote` and `plan` do.
        """
        if plan is None:
            plan = self._selection(tables, ahead_of_code=ahead_of_code)
        else:
            self._check_is_near()
            self._check_is_of_here(plan, tables)
            plan = replace(plan, ahead_of_code=plan.ahead_of_code or ahead_of_code)
        facts = self.rows.facts(plan)
        check_pointers(plan, facts)
        check_holds(plan, facts)
        plan = self._examined(plan, facts)
        refuse(plan, plan.refusals)
        return self.rows.promote(plan, by=by, reason=reason)

    def _check_is_near(self) -> None:
        if self.is_elsewhere:
            why = "the target is in another catalog, and a promotion copies nothing; merge, and run it there"
            raise self._refused("(all)", why)

    def _check_is_of_here(self, plan: PromotionPlan, tables: Iterable[str] | None) -> None:
        source = self.source.deployment if plan.undoes is None else plan.source
        here = (self.source.tenant, source, self.target.deployment)
        if (plan.tenant, plan.source, plan.target) != here:
            why = f"the plan is one from {plan.source} to {plan.target}; plan again here"
            raise self._refused("(all)", why)
        planned = [row.table for row in plan.rows]
        if tables is not None and set(self._selected(_listed(tables), planned)) != set(planned):
            raise self._refused(planned[0] if planned else "(all)", "the plan has other tables; plan these")

    def _examined(self, plan: PromotionPlan, facts: PromotionFacts) -> PromotionPlan:
        """Fill in all that the catalog, the code, the bytes and the surfaces tell of the plan's tables."""
        refusals = {**self._without_bytes(plan, facts.records), **faults(plan, facts)}
        rows = []
        for row in plan.rows:
            record = facts.records.get(str(row.materialization))
            code = (self.definitions or {}).get(row.table, row.code_definition)
            examined = replace(row, refusal=refusals.get(row.table))
            if record is not None and plan.undoes is None:
                examined = replace(
                    examined,
                    definition=record.definition_hash,
                    code_definition=None if code is None else str(DefinitionHash(code)),
                    surfaces=self._surfaces(row, record),
                )
            rows.append(examined)
        digests = dict.fromkeys((row.table for row in rows), None) | {
            record.table: record.artifact_digest for record in facts.records.values()
        }
        return replace(plan, rows=tuple(rows), becoming_stale=tuple(becoming_stale(self.reader, digests)))

    def _without_bytes(
        self, plan: PromotionPlan, records: Mapping[str, MaterializationRecord]
    ) -> dict[str, str]:
        """Map tables to the refusal where their bytes are gone, or of another size."""
        wanted = [records[str(row.materialization)] for row in plan.rows if row.materialization in records]
        refusals = {}
        for record, is_whole in each(self.root, wanted, lambda record: has_bytes(self.root, record)):
            if is_whole is not True:
                why = str(is_whole) if isinstance(is_whole, JammiError) else "they are gone or altered"
                named = f"the bytes of materialization {record.materialization_id}"
                refusals[record.table] = f"{named}: {why}; {plan.remedy}"
        return refusals

    def _surfaces(self, row: PromotedTable, record: MaterializationRecord) -> tuple[ObservedSurface, ...]:
        known = {surface.source: surface for surface in row.surfaces}
        return tuple(
            self._observed(anchor.source, anchor.anchor, known.get(anchor.source))
            for anchor in record.input_anchors
            if anchor.kind in _VERSIONED
        )

    def _observed(self, source: str, recorded: str, known: ObservedSurface | None) -> ObservedSurface:
        """Observe an external input now; without a surface for it, go by an earlier observation."""
        try:
            now = self.observations.current_anchor(source)
        except JammiError:  # it cannot be reached: the record says that nobody observed it
            return ObservedSurface(source=source, recorded=recorded)
        if now.current_anchor == "undecidable":
            return known or ObservedSurface(source=source, recorded=recorded)
        return ObservedSurface(
            source=source, recorded=recorded, observed=now.value, observed_at=now.observed_at
        )

    def _selected(self, wanted: Sequence[str], own: Iterable[str]) -> list[str]:
        """List the own tables that names mean: a table, `asset@partition`, or an asset with all of its partitions."""
        there = dict.fromkeys(own)
        by_asset: dict[str, list[str]] = {}
        for table in there:
            by_asset.setdefault(asset_of(table), []).append(table)
        found: dict[str, None] = {}
        for name in wanted:
            exact = next((one for one in (name, _partition(name)) if one in there), None)
            tables = by_asset.get(name, []) if exact is None else [exact]
            if not tables:
                near = " among its own tables, which alone can be promoted"
                raise UnknownTable(table=name, deployment=self.source.deployment, near=near)
            found.update(dict.fromkeys(tables))
        return list(found)

    def _refused(self, table: str, why: str) -> PromotionRefused:
        return PromotionRefused(
            table=table,
            source=self.source.deployment,
            target=self.target.deployment,
            why=why,
            more="",
            refusals={table: why},
        )


def becoming_stale(reader: CatalogReader, digests: Mapping[str, str | None]) -> list[str]:
    """List the tables that become stale where tables get other digests, and all below them; not those tables."""
    with reader.frozen() as frozen:
        before = {table: record.artifact_digest for table, record in frozen.current_of(digests).items()}
        changed = {table for table, digest in before.items() if digest != digests[table]}
        if not changed:
            return []
        by_input = edges_by_input(frozen.edges())
        below = {edge.derived for table in changed for edge in by_input.get(table, ())} - digests.keys()
        ids = [record.materialization_id for record in frozen.current_of(below).values()]
        over = frozen.records(ids, with_anchors=True).values()
    # one that was made over another digest is stale already
    direct = {
        record.table
        for record in over
        if any(a.source in changed and a.anchor == before[a.source] for a in record.input_anchors)
    }
    derived = {source: [edge.derived for edge in edges] for source, edges in by_input.items()}
    return sorted((direct | nearest_above(sorted(direct), derived).keys()) - digests.keys())


def _listed(tables: Iterable[str]) -> list[str]:
    if isinstance(tables, str) or not isinstance(tables, Iterable):  # one that is no name is refused
        return [check_table(tables)]
    return [check_table(table) for table in tables]


def _is_partition(name: str) -> bool:
    return asset_of(name) != name


def _partition(name: str) -> str | None:
    """Return the table that `asset@partition` means; None for any other name."""
    asset, found, key = name.partition("@")
    return str(TableName.of(TableName.parse(asset).asset_key, key)) if found and asset else None
