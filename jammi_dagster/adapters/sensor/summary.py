"""The text of a tick: counts, the first tables that are not fresh with reason and outcome, leftovers, and problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set

from jammi_dagster.adapters.judgement.evaluation import Evaluation
from jammi_dagster.adapters.judgement.table_state import TableState
from jammi_dagster.adapters.judgement.wording import sentence
from jammi_dagster.adapters.sensor.cursor import Round
from jammi_dagster.adapters.sensor.groups import Group, grouped
from jammi_dagster.adapters.sensor.requests_of_tick import WAITS, SensorDecision
from jammi_dagster.contract.tables import asset_of
from jammi_dagster.contract.verdicts import FRESH_FOR_NOW, in_words
from jammi_dagster.contract.wording import counted

MOST_SAID = 5
NOT_MADE = "not made"
ACCEPTED = "accepted"
UNCHANGED = "Nothing changed since."
LEFT_AS_IT_WAS = "its run left it as it was"
_RELOAD = "The code on disk differs from the code that this location loaded: reload the code location."
_ALWAYS = ("fresh", "stale", "undecidable")
_IF_ANY = (FRESH_FOR_NOW, "missing_manifest", "bytes_missing", "not_replayable", "missing")
_KINDS = {"bytes_missing": "incomplete", "missing": "missing", "not_replayable": "not requested"}
_NO_REASON = {"missing_manifest": "nothing says how it was made"}
_ONE_RUN = (
    "{assets}: each partition takes a run of its own; backfill_policy=dg.BackfillPolicy.single_run() on the asset lets "
    "one run make neighbours together."
)
_WAYS_OUT = {
    "missing_manifest": "Materialize it once by hand.",
    "not_replayable": "Materialize it once with a config that is valid.",
    "stale": 'Not requested, as the sensor has cascade="report_only".',
    "undecidable": 'Not requested, unless the sensor has on_undecidable="materialize".',
}


def told(evaluation: Evaluation, decision: SensorDecision, before: int) -> list[Group]:
    """Choose the groups of tables that the tick names, the most urgent first; `before` lines were said already."""
    requested = _requested(decision)

    def outcome(state: TableState) -> str:
        is_due = state.table in requested or state.table in decision.later
        return "due" if is_due else _not_requested(state, decision)

    return grouped(evaluation.tables.values(), outcome)[: MOST_SAID - before]


def round_after(before: Round, evaluation: Evaluation, decision: SensorDecision, named: int) -> Round:
    """Return the findings of a round with those of this tick, which named so many tables."""
    instants = [instant for instant in (before.again_at, decision.again_at) if instant is not None]
    there = sum(not is_there for is_there in evaluation.looked_at.values())
    counts = Counter(before.counts) + evaluation.counts
    if there and not evaluation.counts["missing"]:
        counts[NOT_MADE] += there
    if accepted := evaluation.accepted.keys() & evaluation.looked_at.keys():
        counts[ACCEPTED] += len(accepted)
    return Round(
        after=evaluation.last,
        token=before.token if decision.is_at_rest else None,
        again_at=min(instants, default=None),
        counts=dict(counts),
        listed=before.listed + len(evaluation.tables),
        told=before.told + named,
        is_outdated=before.is_outdated or any(state.is_outdated for state in evaluation.tables.values()),
    )


def line(group: Group, reasons: Sequence[str], decision: SensorDecision, expected: str) -> str:
    """Say how the tables of a group stand, why, if they are requested, and the expected outcome of a run."""
    state = group.first
    above = state.verdict.stale_ancestor
    outcome = _outcome(group, decision)
    kind = _KINDS.get(state.kind, in_words(state.word))
    why = "; ".join(reasons) or _NO_REASON.get(state.kind, LEFT_AS_IT_WAS)
    if state.word == FRESH_FOR_NOW and above is not None:
        why = f"{'waits' if len(group.states) == 1 else 'wait'} for {above}"
        outcome = "" if outcome == WAITS else outcome
    if any(state.table in request.bypassed for request in decision.requests):
        expected = "the run computes it in any case, as only that decides"
    elif state.is_outdated and state.table in _requested(decision):
        expected = "an input of it changes in any case, and its run loads the code on disk"
    said = [f"{kind}: {why}.", outcome, sentence(expected)]
    return f"{group.subject} {group.worded(' '.join(filter(None, said)))}"


def summary(
    so_far: Round,
    named: Sequence[str],
    evaluation: Evaluation,
    decision: SensorDecision,
    problems: Mapping[str, str],
) -> str:
    """Put the findings of a round into words, one line each.

    `named` are the lines about tables, `problems` the assets that cannot be opened, with the reason.
    """
    counts = Counter(so_far.counts)
    words = [f"{counts[kind]:,} {kind}" for kind in _ALWAYS]
    if counts[ACCEPTED]:
        words[0] += f" ({counts[ACCEPTED]:,} accepted)"
    words += [f"{counts[kind]:,} {in_words(kind)}" for kind in _IF_ANY if counts[kind]]
    if counts[NOT_MADE]:
        has = "table has" if counts[NOT_MADE] == 1 else "tables have"
        words[-1] += f". {counts[NOT_MADE]:,} defined {has} no materialization in this store"
    lines = [", ".join(words) + ".", *([_RELOAD] if so_far.is_outdated else []), *named]
    if so_far.listed > so_far.told:
        lines.append(f"And {so_far.listed - so_far.told:,} more.")
    lines += [f"{table} is left over: {why}." for table, why in list(evaluation.gone.items())[:MOST_SAID]]
    lines += [f"{name} cannot be judged: {why}." for name, why in list(problems.items())[:MOST_SAID]]
    if singly := _made_singly(decision):
        lines.append(_ONE_RUN.format(assets=", ".join(singly[:MOST_SAID])))
    if decision.requests:
        lines.append(f"Requested {counted(len(decision.requests), 'run')}.")
    if evaluation.is_complete:
        return "\n".join(lines)
    judged = f"Judged {len(evaluation.looked_at):,} tables, up to {evaluation.last}; the next tick goes on."
    return "\n".join([f"{judged} So far: {lines[0]}", *lines[1:]])


def _requested(decision: SensorDecision) -> Set[str]:
    return frozenset(table for request in decision.requests for table in request.run.tables)


def _made_singly(decision: SensorDecision) -> list[str]:
    """Name the assets with several partitions that are made in a run each, as their backfill policy asks."""
    nodes = [node for request in decision.requests for node in request.run.nodes]
    single = [asset_of(n.table) for n in nodes if n.partition is not None and n.most_at_once == 1]
    return sorted(name for name, runs in Counter(single).items() if runs > 1)


def _outcome(group: Group, decision: SensorDecision) -> str:
    """Say how many of the tables are requested, in how many runs; if none is, why not."""
    tables = {state.table for state in group.states}
    runs = [request.run for request in decision.requests if not tables.isdisjoint(request.run.tables)]
    now, later = tables & _requested(decision), tables & decision.later
    if not now and not later:
        return _not_requested(group.first, decision)
    if not now:
        return "To be requested by a later tick."
    if len(tables) == 1:
        return "Requested."
    more = f", {len(later):,} to be requested by later ticks" if later else ""
    return f"{len(now):,} requested in {counted(len(runs), 'run')}{more}."


def _not_requested(state: TableState, decision: SensorDecision) -> str:
    """Say why a table that is not fresh is not requested."""
    if state.table in decision.held:
        return decision.held[state.table]
    if state.held is not None:
        return "Not requested before it is released."
    if state.is_outdated:
        return "Not requested before the code location is reloaded."
    if state.needs:
        return "Not requested before that is there."
    return _WAYS_OUT.get(state.kind, "")
