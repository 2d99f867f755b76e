"""`accept`: current tables taken for the output of the present code, which did not make them (ADR 23)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset, NotReplayable, Unknowable
from jammi_dagster.adapters.code_location.location import (
    Definitions,
    Location,
    instance_at_hand,
    repository_of,
)
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.judgement.facts import facts_of
from jammi_dagster.adapters.judgement.table_state import TableState
from jammi_dagster.adapters.launching.in_process import compute_here, runs_again
from jammi_dagster.adapters.launching.nodes import makers_of
from jammi_dagster.adapters.recipe.recipe import TableDefinition
from jammi_dagster.catalog import MaterializationRecord
from jammi_dagster.contract import Acceptance, InputAnchor, TableName
from jammi_dagster.contract.anchors import has_unpinned
from jammi_dagster.contract.tables import asset_of
from jammi_dagster.errors import InvalidField, InvalidTarget, NotAcceptable
from jammi_dagster.sensing import acceptance_of

_FRESH = "it is fresh, so there is nothing to accept"
_ALL_FRESH = "none of its tables is stale, so there is nothing to accept"
_RECOMPUTED = "recomputed"


class _Offer(NamedTuple):
    """A current table, with the definition and the inputs that a run would record for it now."""

    asset: CurrentAsset
    record: MaterializationRecord
    definition: TableDefinition
    anchors: Sequence[InputAnchor]


def accept(
    defs: Definitions,
    table: Any,
    partition: str | None = None,
    *,
    reason: str,
    by: str | None = None,
    proof: Literal["recompute"] | None = None,
    sample: int | None = None,
    deployment: str | None = None,
    instance: dg.DagsterInstance | None = None,
) -> tuple[Acceptance, ...]:
    """Take current tables for the output of the present code, where only code differs: all that are named, or none.

    An accepted table is fresh, with the grade `declared`, and is reused: in its deployment, until its name moves or its
    definition changes again. Nothing that derives from it is accepted with it.

    Args:
        defs: the complete definitions of the code location, or a function that returns them.
        table: the name of a table; or the name, key, spec or definition of an asset, for all of its stale tables.
        partition: the partition of an asset that is meant.
        reason: the reason why the change of code changes no table, for everybody who sees the verdict.
        by: whoever says so; by default the user of this process.
        proof: `recompute` runs the present code for these tables first, which moves no name, and compares the bytes.
        sample: recompute so many of the tables, chosen at random; the acceptance says `sampled n of m`.
        deployment: the deployment whose tables count, in place of the one of the resources; not with `proof`.
        instance: the Dagster instance; by default that of `DAGSTER_HOME`, or an empty one.

    Raises `NotAcceptable` for a table where more than code differs, with an input without a version, or that came out
    with other bytes; `UnknownTable`, `InvalidTarget`, `InvalidField`; and any error of the asset's function.

        accept(defs, "clean_trips", "2013-03", reason="renamed a helper", proof="recompute")
    """
    if proof not in (None, "recompute"):
        raise InvalidField(what="accept", path="proof", value=proof, expected='"recompute", or leave it out')
    if sample is not None and (proof is None or sample < 1):
        expected = 'a number from 1, with proof="recompute"'
        raise InvalidField(what="accept", path="sample", value=sample, expected=expected)
    if deployment is not None and proof is not None:
        expected = "none with proof: a run takes the deployment of the resources"
        raise InvalidField(what="accept", path="deployment", value=deployment, expected=expected)
    with instance_at_hand(instance) as found:
        evaluator = Evaluator(Location(repository_of(defs), found, deployment=deployment))
        offers = _offers(evaluator, table, partition)
        for offer in offers:  # all, before anything is computed or recorded
            acceptance_of(
                offer.asset.store.artifacts,
                offer.record,
                offer.definition.descriptor,
                offer.definition.env,
                offer.anchors,
                scope=offer.asset.store.scope,
                by="somebody" if by is None else by,
                reason=reason,
            )
        said = None
        if proof is not None:
            chosen = offers if sample is None else random.sample(offers, min(sample, len(offers)))
            _prove(evaluator, chosen)
            said = _RECOMPUTED if len(chosen) == len(offers) else f"sampled {len(chosen)} of {len(offers)}"
        return tuple(
            offer.asset.store.accept(
                offer.record.table,
                descriptor=offer.definition.descriptor,
                env=offer.definition.env,
                inputs=offer.anchors,
                reason=reason,
                by=by,
                proof=said,
            )
            for offer in offers
        )


def _offers(evaluator: Evaluator, name: Any, partition: str | None) -> list[_Offer]:
    """Return the named tables that are not fresh as they are. Raise `NotAcceptable` where there is none."""
    tables, is_whole = _tables(evaluator, name, partition)
    assets = {id(asset): asset for asset in tables.values()}
    wanted = list(assets.values())
    found = evaluator.evaluate(wanted, only=frozenset(tables), seen=evaluator.observe(wanted))
    offers = []
    for table, asset in tables.items():
        if is_whole and not found.looked_at.get(table):
            continue
        record = asset.store.current(table)
        state = found.tables.get(table)
        if state is not None and not state.verdict.is_fresh:
            offers.append(_offer(record, state))
        elif not is_whole:
            raise NotAcceptable(table=table, why=_FRESH)
    if not offers:
        raise NotAcceptable(table=asset_of(next(iter(tables))), why=_ALL_FRESH)
    return offers


def _offer(record: MaterializationRecord, state: TableState) -> _Offer:
    """Find the definition and inputs of a table as a run would record them now."""
    asset, why = state.asset, state.why_not or state.why_undecidable
    assert state.present is not None, "it was judged"
    try:
        if why:
            raise NotReplayable(why)
        group = asset.group(state.partition, state.replay)
        facts = {one.table: one for one in facts_of(asset, group, state.replay, state.present)}
        definition = asset.described(state.partition, state.replay, asset.inputs(group, state.present))
    except (NotReplayable, Unknowable) as error:
        raise NotAcceptable(table=record.table, why=str(error)) from None
    fact = facts[record.table]
    if fact.obstacles or fact.unknown:
        raise NotAcceptable(table=record.table, why="; ".join((*fact.obstacles, *fact.unknown)))
    if has_unpinned(fact.anchors):
        raise NotAcceptable(table=record.table, why=f"it has an input without a version: {fact.barriers[-1]}")
    return _Offer(asset, record, definition, fact.anchors)


def _tables(evaluator: Evaluator, name: Any, partition: str | None) -> tuple[dict[str, CurrentAsset], bool]:
    """Return the named tables, each with its asset, and True if they are all of their assets."""
    if isinstance(name, str) and partition is None and (asset := evaluator.maker(name)) is not None:
        return {name: asset}, False
    key = name
    if isinstance(name, str):
        parsed = TableName.parse(name)
        if parsed.partition is not None:
            raise NotAcceptable(table=name, why=evaluator.why_gone(name))
        key = dg.AssetKey(parsed.asset_key)
    assets = evaluator.assets(evaluator.location.select(key))
    if not assets:
        raise InvalidTarget(target=name, why="no asset of the definitions makes such a table")
    if partition is not None:
        return {asset.table(partition): asset for asset in assets}, False
    return {table: asset for asset in assets for table in asset.tables()}, True


# --- proof --------------------------------------------------------------------------------------------


def _prove(evaluator: Evaluator, offers: Sequence[_Offer]) -> None:
    """Compute tables by the present code, without moving a name. Raise `NotAcceptable` for other bytes."""
    of_table = {offer.record.table: offer for offer in offers}
    tags = {metadata_keys.MOVES_TAG: "false"}
    for run in runs_again(evaluator, makers_of(evaluator, of_table)):
        run_id = compute_here(evaluator, run, set(of_table), tags=tags)
        for offer in (of_table[table] for table in run.tables if table in of_table):
            _compare(offer, run_id)


def _compare(offer: _Offer, run_id: str) -> None:
    store, table = offer.asset.store, offer.record.table
    made = store.reader.of_run(run_id, [table]).get(table)
    record = None if made is None else store.reader.get(made.materialization_id)
    if record is None or record.definition_hash != offer.definition.hash:
        why = "its recomputation was made by another definition"
    elif set(record.input_anchors) != set(offer.anchors):
        why = "an input changed while it was recomputed"
    elif record.artifact_digest != offer.record.artifact_digest:
        why = f"the present code makes other bytes (materialization {record.materialization_id})"
    else:
        return
    raise NotAcceptable(table=table, why=why)
