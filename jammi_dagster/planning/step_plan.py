"""The decision on one step: reuse stored tables, compute, or undecidable.

Role: `decide_step` is the only place where this is decided. A running step gathers its facts in
`adapters.execution.materialize` and does what the plan says; `adapters.judgement.facts` gathers the same facts with no
step running, so that the plan of a run is known before it begins. A plan holds hashes, texts, ids and seconds.

1. A step with an obstacle is undecidable, because it would not begin: an input is not there, a surface cannot be
   observed, the recorded config is not valid any more. Only with no step running can that be.
2. Under `BYPASS` a step computes.
3. A step with a barrier computes, because nothing stored may stand in for its tables: an input has no version, a value
   cannot be recorded, Dagster runs a plain asset's body in any case. Such a table is not fresh either; but a plan is
   about a run, not about freshness.
4. A step with a table whose definition is not known is undecidable. Only with no step running can that be.
5. A table with a match computes where the match holds results of other checks than the asset declares, or where it is
   an object whose bytes are code for its readers, and another deployment wrote it.
6. A table with a match is reused, a table without one computes. An accepted materialization is a match like any other.
7. The tables of one step are decided together: one that computes makes all compute. After the first table without a
   match nothing needs to be looked for.

>>> match = Match(materialization="m-1", seconds=2.5)
>>> known = TableFacts(table="flights[a]", definition="d1", match=match)
>>> decide_step([known], CachePolicy.USE).verdict
'reuse'
>>> plan = decide_step([known, TableFacts(table="flights[b]", definition="d2")], CachePolicy.USE)
>>> plan.verdict, plan.tables[0].reasons
('compute', ('flights[b], which the same step makes, is computed',))
>>> decide_step([known], CachePolicy.BYPASS).reasons
('cache=bypass',)

Not done here: to look for a match, to read inputs, to judge whether a table is fresh (`sensing.staleness`), to order
steps (`planning.waves`).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal, NamedTuple

from jammi_dagster.contract import CachePolicy, InputAnchor

Verdict = Literal["reuse", "compute", "undecidable"]
BytesSeen = Literal["seen", "not looked at", "gone"]

BYPASSED = "cache=bypass"
NO_MATCH = "nothing stored has this definition and these inputs"
LOST, GONE = "the bytes of materialization", "gone"
DISTRUSTED = (
    "and reading its format runs code (trust_other_deployments=True in the decorator of its asset allows it)"
)
GRAPH = "only an executor under reuse_first skips the ops of a graph"
GRAPH_LEFT = (
    "reuse_first left its graph to the ops: they began before all that they read was made, were tried again or named, "
    "or have hooks or an environment of their own"
)
GRAPH_CHECKS = "the ops of a graph with asset checks run in any case: no table holds the results"
PLAIN = "Dagster runs the body of a plain asset in any case"


class Match(NamedTuple):
    """A stored materialization with the table's definition and inputs, or one that was accepted for them.

    `digest` is that of its artifact, `seconds` the time that computing it took. `other_checks` are declared checks that
    it holds no result of, and checks with a result that are not declared; `failed_checks` are those that it failed.
    `bytes` tells whether its artifact was seen to be there, and `why` words how it came to be, or how its bytes are.
    `distrusted` is the other deployment that wrote an object whose bytes are code for its readers.
    """

    materialization: str
    digest: str | None = None
    seconds: float | None = None
    other_checks: tuple[str, ...] = ()
    failed_checks: tuple[str, ...] = ()
    bytes: BytesSeen = "seen"
    why: str = ""
    distrusted: str | None = None
    deployment: str | None = None


class TableFacts(NamedTuple):
    """Everything that the decision on one table depends on, besides the policy.

    `obstacles` are the reasons why a step would not begin, `barriers` the reasons why nothing stored may stand in for
    the table, `unknown` the reasons why its definition is not known. `match` is None where none was found, or none was
    looked for (`is_probed` is False).
    """

    table: str
    definition: str | None
    anchors: tuple[InputAnchor, ...] = ()
    barriers: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    match: Match | None = None
    is_probed: bool = True

    @property
    def may_match(self) -> bool:
        """Tell whether a match would be used, so that looking for one is worth its while."""
        return not (self.barriers or self.unknown or self.obstacles)


class TablePlan(NamedTuple):
    """The decision on one table.

    `definition` and `anchors` are those that its materialization has or would get. `materialization` is the id to
    reuse, `digest` that of its artifact, `deployment` the one that made it and `why` words how it came to be;
    `saved_seconds` is the compute time that a reuse saves, and `failed_checks` are recorded checks that failed.
    `begins` is False where an obstacle keeps the step from beginning.
    """

    table: str
    definition: str | None
    anchors: tuple[InputAnchor, ...]
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    materialization: str | None = None
    digest: str | None = None
    saved_seconds: float | None = None
    failed_checks: tuple[str, ...] = ()
    bytes: BytesSeen = "not looked at"
    begins: bool = True
    why: str = ""
    deployment: str | None = None


class StepPlan(NamedTuple):
    """The decision on the tables of one step, which share a verdict."""

    tables: tuple[TablePlan, ...]
    verdict: Verdict

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons of all tables, each once."""
        every = (table.reasons for table in self.tables)
        return tuple(dict.fromkeys(itertools.chain.from_iterable(every)))

    @property
    def is_open(self) -> bool:
        """True if other inputs could lead to the other verdict: nothing but stored results decided."""
        return self.verdict == "reuse" or NO_MATCH in self.reasons

    @property
    def begins(self) -> bool:
        """True unless an obstacle keeps the step from beginning."""
        return all(table.begins for table in self.tables)

    @property
    def saved_seconds(self) -> float:
        """The compute time that the step's reuses save."""
        return sum(table.saved_seconds or 0.0 for table in self.tables)


def decide_step(facts: Sequence[TableFacts], policy: CachePolicy) -> StepPlan:
    """Decide the tables of one step by the rules of this module."""
    alone = tuple([_decide(table, policy) for table in facts])
    if len(alone) == 1 and (alone[0].reasons or alone[0].verdict == "reuse"):
        return StepPlan(tables=alone, verdict=alone[0].verdict)
    for verdict in _STRONGEST_FIRST:
        cause = next((p for p in alone if p.verdict == verdict and (p.reasons or verdict == "reuse")), None)
        if cause is not None:
            return StepPlan(tables=tuple(_with_cause(plan, cause) for plan in alone), verdict=verdict)
    return StepPlan(tables=(), verdict="reuse")


_STRONGEST_FIRST: tuple[Verdict, ...] = ("undecidable", "compute", "reuse")
_WORD = {"undecidable": "cannot be decided", "compute": "is computed"}


def _decide(facts: TableFacts, policy: CachePolicy) -> TablePlan:
    """Decide one table, as if its step made no other."""
    if facts.obstacles:
        return _plan(facts, "undecidable", facts.obstacles)
    if policy is not CachePolicy.USE:
        return _plan(facts, "compute", [BYPASSED])
    if facts.barriers:
        return _plan(facts, "compute", facts.barriers)
    if facts.unknown:
        return _plan(facts, "undecidable", facts.unknown)
    match = facts.match
    if match is None:
        return _plan(facts, "compute", [NO_MATCH] if facts.is_probed else ())
    if match.bytes == "gone":
        return _plan(facts, "compute", [f"{LOST} {match.materialization} are {match.why or GONE}"])
    if match.other_checks:
        checks = ", ".join(match.other_checks)
        why = f"materialization {match.materialization} was made with other checks ({checks})"
        return _plan(facts, "compute", [why])
    if match.distrusted is not None:
        why = f"materialization {match.materialization} was written by deployment {match.distrusted}, {DISTRUSTED}"
        return _plan(facts, "compute", [why])
    return TablePlan(
        table=facts.table,
        definition=facts.definition,
        anchors=facts.anchors,
        verdict="reuse",
        materialization=match.materialization,
        digest=match.digest,
        saved_seconds=match.seconds,
        failed_checks=match.failed_checks,
        bytes=match.bytes,
        why=match.why,
        deployment=match.deployment,
    )


def _plan(facts: TableFacts, verdict: Verdict, reasons: Sequence[str]) -> TablePlan:
    return TablePlan(
        table=facts.table,
        definition=facts.definition,
        anchors=facts.anchors,
        verdict=verdict,
        reasons=tuple(reasons),
        bytes="not looked at" if facts.match is None else facts.match.bytes,
        begins=not facts.obstacles,
    )


def _with_cause(plan: TablePlan, cause: TablePlan) -> TablePlan:
    """Give a table the verdict of the table that decides for the whole step."""
    if plan.verdict == cause.verdict and (plan.reasons or plan.verdict == "reuse"):
        return plan
    why = f"{cause.table}, which the same step makes, {_WORD[cause.verdict]}"
    return plan._replace(
        verdict=cause.verdict,
        reasons=(*plan.reasons, why),
        materialization=None,
        digest=None,
        saved_seconds=None,
        failed_checks=(),
    )
