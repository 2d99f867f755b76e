"""Asset checks: staleness of an asset's tables, and verification of their bytes against the manifest."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any, Literal

import dagster as dg

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.code_location.current_asset import CurrentAsset
from jammi_dagster.adapters.code_location.location import (
    Location,
    Target,
    named_keys,
    repository_of,
    select,
    selection_of,
)
from jammi_dagster.adapters.code_location.running_job import DefinitionsOf, location_of
from jammi_dagster.adapters.judgement.evaluation import Evaluation
from jammi_dagster.adapters.judgement.evaluator import Evaluator
from jammi_dagster.adapters.judgement.missing_bytes import is_gone
from jammi_dagster.adapters.judgement.table_state import TableState
from jammi_dagster.adapters.judgement.wording import expectation, reasons, sentence
from jammi_dagster.contract.tables import table_names
from jammi_dagster.errors import InvalidTarget, JammiError

STALENESS, VERIFICATION = "jammi_staleness", "jammi_verification"
_MOST_SHOWN = 50
_MOST_NAMED = 3
_COLUMNS = ("table", "verdict", "reasons", "run", "recorded", "current")


def build_materialization_checks(
    assets: Target,
    *,
    verification: Literal["sampled", "full"] = "sampled",
    sample: int = 10,
    blocking: bool = False,
    defs: DefinitionsOf | None = None,
) -> list[dg.AssetChecksDefinition]:
    """Build two checks for each asset, to run with it or apart from it, for example on a schedule.

    `jammi_staleness` passes if every table is fresh. A stale table, or one without bytes, fails it with an error; a
    table that cannot be decided fails it with a warning. It says when it looked: a later change shows once it looks
    again, as `build_staleness_check_schedule` has it do. `jammi_verification` reads bytes and compares their digest
    with the manifest. In the run of a partition both checks judge that partition alone, otherwise all tables.

    Args:
        assets: definitions, specs, keys or names of assets on a `ResultTableIOManager`, one or many, or a selection
            such as `AssetSelection.groups("g")`, which is resolved at once in the definitions that `defs` returns
        verification: `full` reads every table, `sampled` some of them, chosen anew each time
        sample: how many tables are read
        blocking: let assets downstream wait for both checks, and fail with them
        defs: as for `build_recompute_job`; for a selection, definitions that exist before the checks

    Raises `InvalidTarget`.
    """
    is_full = verification == "full"
    return [_checks(key, is_full, sample, blocking, defs) for key in _keys(assets, defs)]


def build_staleness_check_schedule(
    cron_schedule: str,
    assets: Target,
    *,
    name: str = "staleness_checks",
    defs: DefinitionsOf | None = None,
    execution_timezone: str | None = None,
    default_status: dg.DefaultScheduleStatus = dg.DefaultScheduleStatus.STOPPED,
    description: str | None = None,
) -> dg.ScheduleDefinition:
    """Build a schedule that evaluates the check `jammi_staleness` of assets again, without materializing anything.

    `assets` and `defs` are those that `build_materialization_checks` was given. The schedule brings its own job, of the
    same name. Raises `InvalidTarget`.

        schedules = [build_staleness_check_schedule("*/15 * * * *", [orders, turnover])]
    """
    checks = [dg.AssetCheckKey(key, STALENESS) for key in _keys(assets, defs)]
    says = description or "Looks again whether the tables are fresh. Materializes nothing."
    job = dg.define_asset_job(name, selection=dg.AssetSelection.checks(*checks), description=says)
    return dg.ScheduleDefinition(
        name=name,
        cron_schedule=cron_schedule,
        job=job,
        execution_timezone=execution_timezone,
        default_status=default_status,
        description=says,
    )


def _checks(
    key: dg.AssetKey, is_full: bool, sample: int, blocking: bool, defs: DefinitionsOf | None
) -> dg.AssetChecksDefinition:
    says = {
        STALENESS: "Every table is fresh.",
        VERIFICATION: "The bytes of each table have the digest that its manifest records.",
    }
    specs = [
        dg.AssetCheckSpec(name=name, asset=key, description=text, blocking=blocking)
        for name, text in says.items()
    ]

    def check(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        location = location_of(context.op_execution_context, defs)
        evaluator = Evaluator(location)
        asset = evaluator.asset(key)
        wanted = {selected.name for selected in context.selected_asset_check_keys}
        for name in sorted(wanted):
            if asset is None:
                why = evaluator.problems.get(key, "no definition here stores it with a ResultTableIOManager")
                why = f"{key.to_user_string()} cannot be judged: {why}. Give the checks defs=lambda: defs."
                yield _result(key, name, why, dg.AssetCheckSeverity.WARN)
                continue
            only = _of_run(location, asset, context.run.tags)
            if name == STALENESS:
                yield _staleness(evaluator, asset, only, is_beside=_is_made_by(context, key))
            else:
                yield _verification(asset, only, None if is_full else sample)

    check.__annotations__["context"] = dg.AssetCheckExecutionContext
    name = "__".join(["jammi_checks_of", *key.path])
    return dg.multi_asset_check(name=name, specs=specs, can_subset=True)(check)


def _staleness(
    evaluator: Evaluator, asset: CurrentAsset, only: frozenset[str] | None, *, is_beside: bool
) -> dg.AssetCheckResult:
    """Judge the asset's tables; `is_beside` says that the same run makes them."""
    looked_at = datetime.now(timezone.utc)
    found = evaluator.evaluate([asset], only=only)
    if not sum(found.counts.values()):
        return _nothing(asset.key, STALENESS)
    lost = _lost(asset, [table for table, is_there in found.looked_at.items() if is_there])
    found.tables.update(evaluator.fresh(found, lost - found.tables.keys()))
    for table in lost:
        found.tables[table].bytes_missing = True
    found.count()
    states = sorted(found.tables.values(), key=lambda state: state.table)
    certain = [s for s in states if s.bytes_missing or s.verdict.reasons]
    open_ones = [s for s in states if not (s.bytes_missing or s.verdict.reasons or s.verdict.is_fresh)]
    listed = [*certain, *open_ones]
    severity = dg.AssetCheckSeverity.ERROR if certain else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        asset_key=asset.key,
        check_name=STALENESS,
        passed=not listed,
        severity=severity,
        description=f"{_description(found, listed)} {_looked(looked_at, is_beside)}",
        metadata={
            **_metadata(found, listed),
            metadata_keys.LOOKED_AT: dg.MetadataValue.timestamp(looked_at),
        },
    )


def _is_made_by(context: dg.AssetCheckExecutionContext, key: dg.AssetKey) -> bool:
    """Tell if the run of a check also makes the asset."""
    layer = context.op_execution_context.job_def.asset_layer
    return key in (context.run.asset_selection or layer.executable_asset_keys)


def _looked(at: datetime, is_beside: bool) -> str:
    """Say when the tables were judged: the result stands until the check is evaluated again."""
    beside = ", in the run that made them; a later change shows once it looks again" if is_beside else ""
    return f"Looked at {at:%Y-%m-%d %H:%M:%S} UTC{beside}."


def _lost(asset: CurrentAsset, tables: Sequence[str]) -> set[str]:
    """Return the tables whose bytes are gone."""
    records = asset.store.reader.current_of(tables).items()
    return {
        table for table, record in records if is_gone(asset.store, record.artifact_path, record.size_bytes)
    }


def _description(found: Evaluation, states: Sequence[TableState]) -> str:
    """Count the tables by verdict, then name the first that are not fresh: reasons, plan of a run, way out.

    Last come the first tables that are fresh because somebody accepted them.
    """
    kinds = [f"{count:,} {kind.replace('_', ' ')}" for kind, count in sorted(found.counts.items()) if count]
    named = [_named(state) for state in states[:_MOST_NAMED]]
    more = [f"And {len(states) - len(named):,} more."] if len(states) > len(named) else []
    way_out = ["Materialize these tables, or let the staleness sensor do it."] if states else []
    accepted = [
        f"{table} is {said}." for table, said in itertools.islice(found.accepted.items(), _MOST_NAMED)
    ]
    return " ".join([f"{', '.join(kinds)}.", *named, *more, *way_out, *accepted])


def _named(state: TableState) -> str:
    why = reasons(state)
    said = f"{state.table} is {state.kind.replace('_', ' ')}: {'; '.join(why)}."
    return " ".join(filter(None, [said, sentence(expectation(state, why))]))


def _metadata(found: Evaluation, states: Sequence[TableState]) -> dict[str, Any]:
    rows = list(itertools.islice((row for state in states for row in _rows(state)), _MOST_SHOWN))
    columns = [dg.TableColumn(name=name, type="string") for name in _COLUMNS]
    records = [dg.TableRecord(dict(zip(_COLUMNS, row, strict=True))) for row in rows]
    table = dg.MetadataValue.table(records, schema=dg.TableSchema(columns=columns))
    return {
        "jammi/verdicts": dict(found.counts),
        **({"jammi/not_fresh": table} if rows else {}),
        **({"jammi/verdict": states[0].verdict.to_dict()} if len(states) == 1 else {}),
        **({"jammi/accepted": _accepted(found)} if found.accepted else {}),
    }


def _accepted(found: Evaluation) -> dict[str, str]:
    """Return the first tables that are fresh by an acceptance, each with who accepted it and why."""
    return {table: str(said) for table, said in itertools.islice(found.accepted.items(), _MOST_SHOWN)}


def _rows(state: TableState) -> Iterator[tuple[str, ...]]:
    """Yield a row for each reason with both of its sides, at least one for each table."""
    said, run = "; ".join(reasons(state)), expectation(state)
    sides = [(r.recorded or "", r.current or "") for r in state.verdict.reasons] or [("", "")]
    for recorded, current in sides:
        yield state.table, state.kind, said, run, recorded, current


def _verification(
    asset: CurrentAsset, only: frozenset[str] | None, sample: int | None
) -> dg.AssetCheckResult:
    there = asset.store.reader.current_of(list(asset.tables()) if only is None else sorted(only))
    tables = sorted(there)
    if not tables:
        return _nothing(asset.key, VERIFICATION)
    chosen = tables if sample is None else sorted(random.sample(tables, min(sample, len(tables))))
    wrong: dict[str, str] = {}
    for table in chosen:
        try:
            verdict = asset.store.verify_materialization(table)
        except JammiError as error:
            wrong[table] = str(error)
            continue
        if verdict.verdict == "mismatch":
            wrong[table] = (
                f"its manifest records the digest {verdict.expected}, its bytes have {verdict.found}"
            )
        elif verdict.verdict == "missing_manifest":
            wrong[table] = "it has no manifest"
    said = f"{len(chosen):,} of {len(tables):,} tables verified, {len(wrong):,} not as recorded."
    named = [f"{table} is not as recorded: {why}." for table, why in list(wrong.items())[:_MOST_NAMED]]
    way_out = ["Materialize it again without reuse (run tag jammi/cache: bypass)."] if wrong else []
    return dg.AssetCheckResult(
        asset_key=asset.key,
        check_name=VERIFICATION,
        passed=not wrong,
        description=" ".join([said, *named, *way_out]),
        metadata={
            "jammi/verified": len(chosen),
            "jammi/not_as_recorded": dict(list(wrong.items())[:_MOST_SHOWN]),
        },
    )


def _of_run(location: Location, asset: CurrentAsset, tags: Any) -> frozenset[str] | None:
    """Return the tables of a run of a partition or a range; None for a run of no partition in particular."""
    partitions_def = asset.partitions_def
    if partitions_def is None:
        return None
    first, last = (tags.get(tag) for tag in metadata_keys.RANGE_TAGS)
    if first and last:
        return frozenset(table_names(asset.key.path, location.span(partitions_def, first, last)))
    one = tags.get(metadata_keys.PARTITION_TAG)
    table = None if one is None else asset.table(one)
    return frozenset({table}) if table in asset.tables() else None


def _result(key: dg.AssetKey, name: str, why: str, severity: dg.AssetCheckSeverity) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key, check_name=name, passed=False, severity=severity, description=why
    )


def _nothing(key: dg.AssetKey, name: str) -> dg.AssetCheckResult:
    why = f"{key.to_user_string()} was never materialized. Materialize it once."
    return _result(key, name, why, dg.AssetCheckSeverity.WARN)


def _keys(target: Target, defs: DefinitionsOf | None) -> list[dg.AssetKey]:
    """List the assets of a target, each once."""
    selection = selection_of(target)
    named = named_keys(selection)
    if named is not None:
        return list(dict.fromkeys(named))
    why = "only definitions tell which assets it selects, so give the assets, or defs= of definitions made before"
    if defs is None:
        raise InvalidTarget(target=selection, why=why)
    try:
        repository = repository_of(defs)
    except Exception as error:  # a name that the module gives only below, say
        raise InvalidTarget(target=selection, why=f"{why} (defs: {type(error).__name__}: {error})") from error
    return select(selection, repository.asset_graph)
