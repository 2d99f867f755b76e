"""Run tag > decorator > IO manager > `BYPASS`; a tag cannot turn an explicit `BYPASS` into a reuse (DESIGN 4)."""

import json

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table

from jammi_dagster import CachePolicy, ResultTableIOManager, result_table
from jammi_dagster.errors import InvalidPolicy

TAG = "jammi/cache"


def make(policy: CachePolicy | str | None) -> dg.AssetsDefinition:
    @result_table(cache=policy, reads=[], name="made", key_prefix="up")
    def made() -> pa.Table:
        return table(1)

    return made


def second_outcome(lab: Lab, policy: CachePolicy | str | None, tag: str | None) -> str:
    lab.run(make(policy))
    return str(lab.run(make(policy), tags={} if tag is None else {TAG: tag}).outcomes["up/made"])


@pytest.mark.parametrize(
    ("io_manager", "decorator", "tag", "expected"),
    [
        ("bypass", None, None, "computed"),
        ("use", None, None, "reused"),
        ("bypass", CachePolicy.USE, None, "reused"),
        ("bypass", "use", None, "reused"),
        ("use", CachePolicy.BYPASS, None, "computed"),
        ("bypass", None, "use", "reused"),
        ("use", None, "bypass", "computed"),
        ("use", CachePolicy.USE, "bypass", "computed"),
        ("use", CachePolicy.BYPASS, "use", "computed"),
        ("USE", None, None, "reused"),
        ("bypass", None, " Use ", "reused"),
        ("bypass", None, json.dumps({"up/made": "use"}), "reused"),
        ("use", None, json.dumps({"up/made": "bypass"}), "computed"),
        ("use", None, json.dumps({"another": "bypass"}), "reused"),
        ("bypass", None, json.dumps({"another": "use"}), "computed"),
        ("use", CachePolicy.BYPASS, json.dumps({"up/made": "use"}), "computed"),
    ],
)
def test_the_first_that_speaks_decides(
    lab: Lab, io_manager: str, decorator: CachePolicy | str | None, tag: str | None, expected: str
) -> None:
    """The first place that states a policy decides, for every pair that disagrees."""
    lab.cache = io_manager

    assert second_outcome(lab, decorator, tag) == expected


def test_without_any_policy_a_step_computes(lab: Lab) -> None:
    """Reuse is asked for, never inferred: an IO manager that says nothing bypasses."""
    assert ResultTableIOManager(store=lab.store_resource).policy is CachePolicy.BYPASS


@pytest.mark.parametrize(
    "tag", ["", "yes", "{", '{"up/made": "yes"}', '{"up/made": 1}', '["use"]', "use,bypass", "null"]
)
def test_a_tag_that_is_no_policy_is_an_error(lab: Lab, tag: str) -> None:
    """An invalid tag fails the step before it computes, and the error names the tag."""
    ran = lab.run(make(None), tags={TAG: tag}, ok=False)

    assert "InvalidPolicy" in ran.error
    assert f"run tag {TAG}" in ran.error
    assert lab.store.tables() == []


def test_a_decorator_that_has_no_policy_is_an_error_at_decoration() -> None:
    """The error names the asset."""
    with pytest.raises(InvalidPolicy, match="@result_table on made"):
        make("sometimes")


def test_an_io_manager_that_has_no_policy_is_an_error(lab: Lab) -> None:
    """The error names the IO manager, and nothing is computed."""
    lab.cache = "sometimes"

    assert "ResultTableIOManager(cache=" in lab.run(make(None), ok=False).error
    assert lab.store.tables() == []
