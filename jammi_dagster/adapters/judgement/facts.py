"""The facts that a step is decided on, gathered with no step running.

`plan_of` answers for a run that would begin now, of this asset alone: it sees current tables, not those that an
upstream step of the same run would make first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jammi_dagster.adapters.code_location.current_asset import CurrentAsset, NotReplayable, Unknowable
from jammi_dagster.adapters.code_location.dry_step import first_line
from jammi_dagster.adapters.code_location.present import Present
from jammi_dagster.adapters.recipe.annotation import read_annotation
from jammi_dagster.adapters.recipe.determinants import reused
from jammi_dagster.adapters.recipe.draft import named_checks, other_checks
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.catalog import CurrentMatch, MaterializationRecord
from jammi_dagster.contract import Acceptance, CachePolicy
from jammi_dagster.errors import JammiError
from jammi_dagster.planning.step_plan import Match, StepPlan, TableFacts, decide_step
from jammi_dagster.sensing import Wanted, probe_tables
from jammi_dagster.sensing.probe import Answer, damage

Step = tuple[tuple[str, ...] | None, Replay]
"""A run that makes these partitions of an asset together, or the whole under None, with a recorded config."""


class Known:
    """Current materializations that were read already: each is the best match of its definition and anchor set.

    `acceptances` are those of the current materializations; None where they were not read.
    """

    def __init__(
        self, current: Iterable[CurrentMatch] = (), acceptances: Mapping[str, Acceptance] | None = None
    ) -> None:
        self.acceptances = acceptances
        self.records: dict[tuple[str, str], MaterializationRecord] = {}
        self.annotations: dict[str, str | None] = {}
        for match in current:
            record = match.record
            if match.set_key is not None and record.definition_hash is not None:
                self.records[record.definition_hash, match.set_key] = record
                self.annotations[record.materialization_id] = match.annotation


def plan_of(
    asset: CurrentAsset,
    partitions: tuple[str, ...] | None,
    replay: Replay,
    present: Present,
    policy: CachePolicy | None = None,
) -> StepPlan:
    """Plan one step. Everything else is as `plans_of` has it; one plan answers for all tables of a range."""
    return plans_of(asset, [(partitions, replay)], present, policy)[0]


def plans_of(
    asset: CurrentAsset,
    steps: Iterable[Step],
    present: Present,
    policy: CachePolicy | None = None,
    known: Known | None = None,
) -> list[StepPlan]:
    """Plan steps of one asset, each as if it were launched now: a few queries answer for all of them.

    `policy` is the asset's own unless given; `known` are current materializations that were read already.
    Raises `InvalidPolicy`, and any error of the catalog or the storage.
    """
    policy = asset.policy() if policy is None else policy
    found = [facts_of(asset, partitions, replay, present) for partitions, replay in steps]
    if policy is CachePolicy.USE:
        found = _probed(asset, found, known or Known())
    return [decide_step(facts, policy) for facts in found]


def facts_of(
    asset: CurrentAsset, partitions: tuple[str, ...] | None, replay: Replay, present: Present
) -> list[TableFacts]:
    """Gather everything but matches. Raises nothing for inputs, config or resources that are not as they should be."""
    obstacles: list[str] = []
    unknown: list[str] = []
    barriers = [] if asset.why_run is None else [asset.why_run]
    try:
        inputs = asset.inputs(partitions, present)
        if inputs.missing or inputs.failed:
            obstacles += [*map(not_there, inputs.missing), *map(str, inputs.failed.values())]
        facts = asset.facts(partitions, replay, inputs)
    except (NotReplayable, JammiError) as error:
        obstacles.append(str(error) if isinstance(error, NotReplayable) else first_line(error))
        facts = _unknown(asset, partitions)
    except Unknowable as error:
        unknown.append(str(error))
        facts = _unknown(asset, partitions)
    if not (obstacles or unknown or barriers):
        return facts
    return [
        fact._replace(
            obstacles=tuple(obstacles),
            unknown=tuple(unknown),
            barriers=(*barriers, *fact.barriers),
        )
        for fact in facts
    ]


def not_there(source: str) -> str:
    """Word the obstacle of an input that does not exist."""
    return f"{source} is not there"


def _unknown(asset: CurrentAsset, partitions: tuple[str, ...] | None) -> list[TableFacts]:
    keys: Sequence[str | None] = (None,) if partitions is None else partitions
    return [TableFacts(table=asset.table(key), definition=None) for key in keys]


def _probed(asset: CurrentAsset, steps: Sequence[list[TableFacts]], known: Known) -> list[list[TableFacts]]:
    """Look for the match of each table, in each step up to the first without one."""
    store = asset.store
    wanted = [
        Wanted(fact.table, str(fact.definition), fact.anchors)
        for facts in steps
        for fact in facts
        if fact.may_match
    ]
    answers = list(
        probe_tables(store.reader, store.artifacts, wanted, known.records, acceptances=known.acceptances)
    )
    ids = (probed.record.materialization_id for probed in answers if probed.record and probed.has_bytes)
    read = store.reader.annotations(one for one in ids if one not in known.annotations)
    rest, found = iter(answers), []
    for facts in steps:
        looked: list[TableFacts] = []
        is_open = True
        for fact in facts:
            probed = next(rest) if fact.may_match else None
            match = None
            if probed and is_open:
                match = _match(asset, probed, read, known, in_range=len(facts) > 1)
            looked.append(fact._replace(match=match, is_probed=is_open and fact.may_match))
            is_open = is_open and match is not None and match.bytes != "gone"
        found.append(looked)
    return found


def _match(
    asset: CurrentAsset, probed: Answer, read: Mapping[str, str], known: Known, *, in_range: bool
) -> Match | None:
    record = probed.record
    if record is None:
        return None
    if not probed.has_bytes:
        said = damage(asset.store.artifacts, record.artifact_path, record.size_bytes)
        return Match(materialization=record.materialization_id, bytes="gone", why=said)
    text = known.annotations.get(record.materialization_id, read.get(record.materialization_id))
    annotation = read_annotation(asset.store, record, text, or_of_sidecar=in_range, is_shared=True)
    if annotation is None:
        return None
    results = annotation.check_results
    other: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    if results or asset.check_names:
        other = other_checks((result.check_name for result in results), asset.check_names)
        bad = (result.check_name for result in results if not result.passed)
        failed = tuple(sorted(named_checks(bad, asset.check_names)))
    return Match(
        materialization=record.materialization_id,
        digest=record.artifact_digest,
        seconds=record.compute_seconds,
        other_checks=other,
        failed_checks=failed,
        why=reused(record, probed.accepted),
        distrusted=asset.spec.distrusted(record, asset.store),
        deployment=record.deployment,
    )
