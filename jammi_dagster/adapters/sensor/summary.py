"""The text of a tick: counts, the first tables that are not fresh with reason and outcome, leftovers, and problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set

from jammi_dagster.adapters.judgement.evaluation import Evaluation
from jammi_dagster.adapters.judgement.table_state import TableState
from jammi_dagster.adapters.judgement.wording import sentence
from jammi_dagster.adapters.sensor.cursor import Round
from jammi_dagster.adapters.sensor.groups import Group, grouped
from jammi_dagster.adapters.sensor.requests_of_tick import SensorDecision

MOST_SAID = 5
NOT_MADE = "not made"
UNCHANGED = "Nothing changed since."
_RELOAD = "The code on disk differs from the code that this location loaded: reload the code location."
_ALWAYS = {
    "fresh": "fresh",
    "stale": "stale",
    "undecidable": "undecidable",
    "missing_manifest": "without manifest",
}
_IF_ANY = {
    "bytes_missing": "without bytes",
    "not_replayable": "with an invalid config",
    "missing": "never materialized",
}
_KINDS = {
    "bytes_missing": "incomplete",
    "missing": "missing",
    "missing_manifest": "without manifest",
    "not_replayable": "not requested",
}
_WAYS_OUT = {
    "missing_manifest": "Materialize it once by hand.",
    "not_replayable": "Materialize it once with a config that is valid.",
    "stale": 'Not requested, as the sensor has cascade="report_only".',
    "undecidable": 'Not requested, unless the sensor has on_undecidable="materialize".',
}


def told(evaluation: Evaluation, decision: SensorDecision, before: Round) -> list[Group]:
    """Choose the groups of tables that the tick names, the most urgent first."""
    requested = _requested(decision)
    groups = grouped(evaluation.tables.values(), lambda state: _outcome(state, decision, requested))
    return groups[: MOST_SAID - len(before.lines)]


def round_after(
    before: Round, evaluation: Evaluation, decision: SensorDecision, lines: Mapping[str, int]
) -> Round:
    """Return the findings of a round with those of this tick. `lines` are its sentences, with their tables' number."""
    instants = [instant for instant in (before.again_at, decision.again_at) if instant is not None]
    there = sum(not is_there for is_there in evaluation.looked_at.values())
    counts = Counter(before.counts) + evaluation.counts
    if there and not evaluation.counts["missing"]:
        counts[NOT_MADE] += there
    return Round(
        after=evaluation.last,
        token=before.token if decision.is_at_rest else None,
        again_at=min(instants, default=None),
        counts=dict(counts),
        lines=[*before.lines, *lines],
        listed=before.listed + len(evaluation.tables),
        told=before.told + sum(lines.values()),
        is_outdated=before.is_outdated or any(state.is_outdated for state in evaluation.tables.values()),
    )


def line(group: Group, reasons: Sequence[str], decision: SensorDecision, expected: str) -> str:
    """Say how the tables of a group stand, why, if they are requested, and the expected outcome of a run."""
    state = group.first
    why = "; ".join(reasons) or "its run left it as it was"
    kind = _KINDS.get(state.kind, state.kind)
    if any(state.table in request.bypassed for request in decision.requests):
        expected = "the run computes it in any case, as only that decides"
    said = [f"{kind}: {why}.", _outcome(state, decision, _requested(decision)), sentence(expected)]
    return f"{group.subject} {group.worded(' '.join(filter(None, said)))}"


def summary(
    so_far: Round, evaluation: Evaluation, decision: SensorDecision, problems: Mapping[str, str]
) -> str:
    """Put the findings of a round into words. `problems` are the assets that cannot be opened, with the reason."""
    counts = Counter(so_far.counts)
    words = [f"{counts[kind]:,} {word}" for kind, word in _ALWAYS.items()]
    words += [f"{counts[kind]:,} {word}" for kind, word in _IF_ANY.items() if counts[kind]]
    if counts[NOT_MADE]:
        has = "table has" if counts[NOT_MADE] == 1 else "tables have"
        words[-1] += f". {counts[NOT_MADE]:,} defined {has} no materialization in this store"
    lines = [", ".join(words) + ".", *([_RELOAD] if so_far.is_outdated else []), *so_far.lines]
    if so_far.listed > so_far.told:
        lines.append(f"And {so_far.listed - so_far.told:,} more.")
    lines += [f"{table} is left over: {why}." for table, why in list(evaluation.gone.items())[:MOST_SAID]]
    lines += [f"{name} cannot be judged: {why}." for name, why in list(problems.items())[:MOST_SAID]]
    if decision.requests:
        runs = len(decision.requests)
        lines.append(f"Requested {runs:,} run{'s' if runs > 1 else ''}.")
    if evaluation.is_complete:
        return " ".join(lines)
    judged = f"Judged {len(evaluation.looked_at):,} tables, up to {evaluation.last}; the next tick goes on."
    return " ".join([judged, "So far:", *lines])


def _requested(decision: SensorDecision) -> Set[str]:
    return frozenset(table for request in decision.requests for table in request.run.tables)


def _outcome(state: TableState, decision: SensorDecision, requested: Set[str]) -> str:
    """Say if a table that is not fresh is requested, and if not, why."""
    if state.table in requested:
        return "Requested."
    if state.table in decision.held:
        return decision.held[state.table]
    if state.table in decision.later:
        return "To be requested by a later tick."
    if state.is_outdated:
        return "Not requested before the code location is reloaded."
    if state.needs:
        return "Not requested before that is there."
    return _WAYS_OUT.get(state.kind, "")
