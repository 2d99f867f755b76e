"""The facts that a step is decided on, gathered with no step running.

`plan_of` answers for a run that would begin now, of this asset alone: it sees current tables, not those that an
upstream step of the same run would make first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jammi_dagster.adapters.code_location.current_asset import CurrentAsset, NotReplayable, Unknowable
from jammi_dagster.adapters.code_location.dry_step import first_line
from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.recipe.annotation import read_annotation
from jammi_dagster.adapters.recipe.draft import other_checks
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.contract import CachePolicy, DefinitionHash
from jammi_dagster.errors import JammiError
from jammi_dagster.planning.step_plan import PLAIN, Match, StepPlan, TableFacts, decide_step
from jammi_dagster.sensing import lookup_cached

_DECORATE = "decorate it with @result_table to reuse its table"


def plan_of(
    asset: CurrentAsset,
    partitions: tuple[str, ...] | None,
    replay: Replay,
    present: Present,
    policy: CachePolicy | None = None,
    *,
    look_at_bytes: bool = True,
) -> StepPlan:
    """Plan a run that makes these partitions of an asset together, or the whole under None, with a recorded config.

    `policy` is the asset's own unless given. Without `look_at_bytes` a match counts though its artifact may be gone.
    One plan answers for all tables of a range. Raises `InvalidPolicy`, and any error of the catalog or the storage.
    """
    policy = asset.policy() if policy is None else policy
    facts = facts_of(asset, partitions, replay, present)
    if policy is CachePolicy.USE:
        facts = _probed(asset, facts, look_at_bytes=look_at_bytes)
    return decide_step(facts, policy)


def facts_of(
    asset: CurrentAsset, partitions: tuple[str, ...] | None, replay: Replay, present: Present
) -> list[TableFacts]:
    """Gather everything but matches. Raises nothing for inputs, config or resources that are not as they should be."""
    obstacles: list[str] = []
    unknown: list[str] = []
    try:
        inputs = asset.inputs(partitions, present)
        obstacles += [f"{source} is not there" for source in inputs.missing]
        obstacles += [str(error) for error in inputs.failed.values()]
        facts = asset.draft(partitions, replay, inputs).facts()
    except (NotReplayable, JammiError) as error:
        obstacles.append(str(error) if isinstance(error, NotReplayable) else first_line(error))
        facts = _unknown(asset, partitions)
    except Unknowable as error:
        unknown.append(str(error))
        facts = _unknown(asset, partitions)
    barriers = [f"{PLAIN}; {_DECORATE}"] if asset.is_plain else []
    return [
        replace(
            fact,
            obstacles=tuple(obstacles),
            unknown=tuple(unknown),
            barriers=(*barriers, *fact.barriers),
        )
        for fact in facts
    ]


def _unknown(asset: CurrentAsset, partitions: tuple[str, ...] | None) -> list[TableFacts]:
    keys: Sequence[str | None] = (None,) if partitions is None else partitions
    return [TableFacts(table=asset.table(key), definition=None) for key in keys]


def _probed(asset: CurrentAsset, facts: list[TableFacts], *, look_at_bytes: bool) -> list[TableFacts]:
    """Look for the match of each table, up to the first without one."""
    probed: list[TableFacts] = []
    is_open = True
    for fact in facts:
        if is_open and fact.may_match:
            match = _match(asset, fact, look_at_bytes=look_at_bytes, in_range=len(facts) > 1)
            fact = replace(fact, match=match)
        else:
            fact = replace(fact, is_probed=False)
        is_open = is_open and fact.match is not None and fact.match.bytes != "gone"
        probed.append(fact)
    return probed


def _match(asset: CurrentAsset, fact: TableFacts, *, look_at_bytes: bool, in_range: bool) -> Match | None:
    store, definition = asset.store, DefinitionHash(str(fact.definition))
    record = store.probe_cache_record(definition, fact.anchors) if look_at_bytes else None
    if record is None:
        best = next(lookup_cached(store.reader, definition, fact.anchors), None)
        if best is None:
            return None
        if look_at_bytes:
            return Match(materialization=best.materialization_id, bytes="gone")
        record = best
    text = store.reader.annotation(record.materialization_id)
    annotation = read_annotation(store, record, text, or_of_sidecar=in_range)
    if annotation is None:
        return None
    reported = [str(result.check_name) for result in annotation.check_results]
    return Match(
        materialization=record.materialization_id,
        digest=record.artifact_digest,
        seconds=record.compute_seconds,
        other_checks=other_checks(reported, asset.check_names),
        failed_checks=tuple(
            str(result.check_name) for result in annotation.check_results if not result.passed
        ),
        bytes="seen" if look_at_bytes else "not looked at",
    )
