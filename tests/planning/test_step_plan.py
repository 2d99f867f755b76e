"""The decision on one step, rule by rule, over values alone."""

import doctest

import pytest

from jammi_dagster.contract import CachePolicy, InputAnchor
from jammi_dagster.planning import step_plan
from jammi_dagster.planning.step_plan import NO_MATCH, Match, TableFacts, decide_step

ANCHOR = InputAnchor.result_digest("up", "d" * 64)
MATCH = Match(materialization="m", seconds=2.5)


def facts(table: str = "t", **more: object) -> TableFacts:
    return TableFacts(table=table, definition="d", anchors=(ANCHOR,), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("table", "policy", "verdict", "reason"),
    [
        (facts(match=MATCH), CachePolicy.USE, "reuse", None),
        (facts(), CachePolicy.USE, "compute", NO_MATCH),
        (facts(match=MATCH), CachePolicy.BYPASS, "compute", "cache=bypass"),
        (facts(match=MATCH, barriers=("no version",)), CachePolicy.USE, "compute", "no version"),
        (facts(match=MATCH, barriers=("no version",)), CachePolicy.BYPASS, "compute", "cache=bypass"),
        (facts(match=MATCH, unknown=("no resource",)), CachePolicy.USE, "undecidable", "no resource"),
        (facts(unknown=("no resource",)), CachePolicy.BYPASS, "compute", "cache=bypass"),
        (facts(unknown=("no resource",), barriers=("plain",)), CachePolicy.USE, "compute", "plain"),
        (
            facts(match=MATCH, obstacles=("up is not there",)),
            CachePolicy.USE,
            "undecidable",
            "up is not there",
        ),
        (facts(obstacles=("up is not there",)), CachePolicy.BYPASS, "undecidable", "up is not there"),
        (
            facts(match=Match(materialization="m", other_checks=("small",))),
            CachePolicy.USE,
            "compute",
            "materialization m was made with other checks (small)",
        ),
        (
            facts(match=Match(materialization="m", bytes="gone")),
            CachePolicy.USE,
            "compute",
            "the bytes of materialization m are gone",
        ),
    ],
)
def test_one_table_is_decided_by_the_first_rule_that_applies(
    table: TableFacts, policy: CachePolicy, verdict: str, reason: str | None
) -> None:
    """Obstacle, bypass, barrier, unknown definition, match: in this order, each with its reason."""
    plan = decide_step([table], policy)
    assert (plan.verdict, plan.reasons) == (verdict, () if reason is None else (reason,))
    assert plan.tables[0].verdict == verdict
    assert (plan.tables[0].definition, plan.tables[0].anchors) == ("d", (ANCHOR,))


def test_a_reuse_names_the_materialization_and_the_seconds() -> None:
    """Of each table; a computed one names none."""
    reused = decide_step([facts("a", match=MATCH), facts("b", match=MATCH)], CachePolicy.USE)
    assert [(t.materialization, t.saved_seconds, t.bytes) for t in reused.tables] == [("m", 2.5, "seen")] * 2
    assert reused.saved_seconds == 5.0
    computed = decide_step([facts(match=MATCH)], CachePolicy.BYPASS).tables[0]
    assert (computed.materialization, computed.saved_seconds) == (None, None)


def test_one_table_without_a_match_makes_all_of_the_step_compute() -> None:
    """The tables that would have been reused, or were not looked for after the first miss, name it."""
    plan = decide_step(
        [facts("a", match=MATCH), facts("b"), facts("c", is_probed=False), facts("d", is_probed=False)],
        CachePolicy.USE,
    )
    because = ("b, which the same step makes, is computed",)
    assert plan.verdict == "compute"
    assert [table.reasons for table in plan.tables] == [because, (NO_MATCH,), because, because]
    assert [table.materialization for table in plan.tables] == [None] * 4
    assert plan.saved_seconds == 0


def test_one_table_with_an_obstacle_makes_the_step_undecidable() -> None:
    """Though another would compute for certain: the step would not begin."""
    plan = decide_step([facts("a"), facts("b", obstacles=("x is not there",))], CachePolicy.USE)
    assert plan.verdict == "undecidable"
    assert plan.tables[0].reasons == (NO_MATCH, "b, which the same step makes, cannot be decided")


def test_the_example_of_the_module_runs() -> None:
    """The documented plan is the plan."""
    assert doctest.testmod(step_plan).attempted == 6
    assert doctest.testmod(step_plan).failed == 0
