"""An input without annotation comes as the kind of table that its upstream declares to return."""

from typing import Any

import dagster as dg
import geopandas
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from adapters_kit import Held, Lab, note
from sensing_kit import evaluate, kinds
from shapely import Point

from jammi_dagster import result_table

letters = dg.StaticPartitionsDefinition(["a", "b"])
DECLARED: dict[str, tuple[Any, type]] = {
    "pandas": (pd.DataFrame, pd.DataFrame),
    "polars": (pl.DataFrame, pl.DataFrame),
    "optional": (pd.DataFrame | None, pd.DataFrame),
    "output": (dg.Output[pd.DataFrame], pd.DataFrame),
    "arrow": (pa.Table, pa.Table),
    "none": (Any, pd.DataFrame),
}


def upstream(annotation: Any, *, is_plain: bool = False, **more: Any) -> Any:
    def base() -> Any:
        frame = pd.DataFrame({"a": [1, 9]})
        return dg.Output(frame) if annotation is dg.Output[pd.DataFrame] else frame

    base.__annotations__["return"] = annotation
    if is_plain:
        return dg.asset(code_version="1", **more)(base)
    return result_table(reads=[], code_version="1", **more)(base)


def consumer(*, is_plain: bool = False, **more: Any) -> Any:
    def f(base) -> pa.Table:
        note(type(base))
        return pa.table({"x": [len(base)]})

    return dg.asset(code_version="1")(f) if is_plain else result_table(code_version="1", **more)(f)


@pytest.mark.parametrize(
    "case", [c if c == "pandas" else pytest.param(c, marks=pytest.mark.slow) for c in DECLARED]
)
def test_the_kind_is_that_of_the_upstream(lab: Lab, case: str) -> None:
    """A run that makes both, one of the consumer alone, and a code location at rest see the same kind."""
    annotation, kind = DECLARED[case]
    assets = [upstream(annotation), consumer()]
    assert lab.run(assets).calls == [kind]
    assert lab.run(assets, select=[assets[1]]).outcomes == {"f": "reused"}
    assert not evaluate(lab, assets).tables


@pytest.mark.parametrize("made_by", ["plain", pytest.param("result_table", marks=pytest.mark.slow)])
@pytest.mark.parametrize("read_by", ["plain", pytest.param("result_table", marks=pytest.mark.slow)])
def test_plain_assets_follow_the_same_rule(lab: Lab, made_by: str, read_by: str) -> None:
    """A plain asset tells its kind by its annotation, and gets the kind of its upstream."""
    assets = [upstream(pd.DataFrame, is_plain=made_by == "plain"), consumer(is_plain=read_by == "plain")]
    for select in (None, [assets[1]]):
        ran = lab.run(assets, select=select, tags={"jammi/cache": "bypass"})
        assert ran.calls == [pd.DataFrame]
    assert lab.store.producing_descriptor("f").fields["inputs"]["base"]["kind"] == "pandas.DataFrame"


def test_a_changed_kind_of_the_upstream_changes_the_consumer(lab: Lab) -> None:
    """The function gets another type of value. A consumer with an annotation is reused: the bytes are the same."""

    @result_table(code_version="1")
    def annotated(base: pa.Table) -> pa.Table:
        note("annotated")
        return base

    lab.run([upstream(pd.DataFrame), consumer(), annotated])
    changed = [upstream(pl.DataFrame), consumer(), annotated]
    found = kinds(evaluate(lab, changed))
    assert found["f"] == "stale"
    assert found.get("annotated") != "stale"
    ran = lab.run(changed)
    assert ran.calls == [pl.DataFrame]
    assert ran.outcomes["annotated"] == "reused"
    assert "input.base.kind pandas.DataFrame -> polars.DataFrame" in ran.said("f")["jammi/why"]


@pytest.mark.slow  # some runs more
def test_several_partitions_come_as_a_dict_of_the_kind(lab: Lab) -> None:
    """The declaration of one partition's table tells the kind of each."""

    @result_table(partitions_def=letters, reads=[], code_version="1")
    def base() -> pd.DataFrame:
        return pd.DataFrame({"a": [1]})

    @result_table(code_version="1")
    def f(base) -> pa.Table:
        note({key: type(value) for key, value in base.items()})
        return pa.table({"x": [1]})

    for key in "ab":
        lab.run([base, f], select=[base], partition=key)
    assert lab.run([base, f], select=[f]).calls == [{"a": pd.DataFrame, "b": pd.DataFrame}]


def test_an_object_stays_an_object(lab: Lab) -> None:
    """Under an upstream that declares one, and under one that declares a table and gave an object."""

    @result_table(reads=[], code_version="1")
    def base() -> dict[str, int]:
        return {"a": 1}

    assert lab.run([base, consumer()]).calls == [dict]


RETURNED: dict[str, tuple[Any, Any]] = {
    "pandas": (pd.DataFrame({"a": [1]}), pd.DataFrame),
    "geopandas": (geopandas.GeoDataFrame({"a": [1]}, geometry=[Point(0, 1)]), geopandas.GeoDataFrame),
    "arrow": (pa.table({"a": [1]}), pa.Table),
    "polars": (pl.DataFrame({"a": [1]}), pa.Table),
    "object": ({"a": 1}, dict),
}


@pytest.mark.parametrize("case", RETURNED)
def test_without_annotations_everybody_gets_what_was_returned(lab: Lab, case: str) -> None:
    """A result table, a check and an asset on another IO manager: as before the upstream moved to this package."""
    value, kind = RETURNED[case]
    lab.more["other"] = Held()

    @result_table(reads=[], code_version="1")
    def base():
        return value

    @dg.asset(io_manager_key="other")
    def one(base) -> None:
        note(type(base))

    @dg.asset_check(asset=base)
    def checked(base) -> dg.AssetCheckResult:
        note(type(base))
        return dg.AssetCheckResult(passed=True)

    ran = lab.run([base, one, checked, consumer()])
    assert ran.calls == [kind, kind, kind]
    assert isinstance(ran.result.output_for_node("base"), kind)


def test_partitions_come_as_they_were_returned(lab: Lab) -> None:
    """Each of them, to an asset on another IO manager."""
    lab.more["other"] = Held()

    @result_table(reads=[], code_version="1", partitions_def=letters)
    def base(context: dg.AssetExecutionContext):
        return pd.DataFrame({"a": [1]}) if context.partition_key == "a" else pa.table({"a": [1]})

    @dg.asset(io_manager_key="other")
    def several(base) -> None:
        note({key: type(found) for key, found in base.items()})

    for key in "ab":
        lab.run([base, several], select=[base], partition=key)
    assert lab.run([base, several], select=[several]).calls == [{"a": pd.DataFrame, "b": pa.Table}]


def test_a_definition_holds_that_the_kind_is_the_returned_one(lab: Lab) -> None:
    """Plain or not, and with the version of pandas, whose frames the function may get."""
    for is_plain in (False, True):
        assets = [upstream(Any), consumer(is_plain=is_plain)]
        assert lab.run(assets, tags={"jammi/cache": "bypass"}).calls == [pd.DataFrame]
        described = lab.store.producing_descriptor("f").fields
        assert described["inputs"]["base"]["kind"] == "the kind that was returned"
        assert described["io_semantics"] == 2


def test_another_kind_with_other_bytes_is_computed_anew(lab: Lab) -> None:
    """The bytes of a frame of pandas say what they are; equal ones become an equal value."""

    def base(value: Any) -> Any:
        def base():
            return value

        return result_table(reads=[], code_version=str(type(value)))(base)

    frame = pd.DataFrame({"a": [1]})
    for value, outcome in [(frame, "computed"), (frame.to_dict("list"), "computed"), (frame, "reused")]:
        assert lab.run([base(value), consumer()]).outcomes["f"] == outcome


@pytest.mark.slow  # some runs more
def test_a_value_of_another_io_manager_is_left_alone(lab: Lab) -> None:
    """That manager decides about it, and the definition stays as it was."""
    lab.more["other"] = Held()
    assets = [upstream(pd.DataFrame, is_plain=True, io_manager_key="other"), consumer()]
    assert lab.run(assets).calls == [pd.DataFrame]
    assert lab.store.producing_descriptor("f").fields["inputs"]["base"]["kind"] == "pyarrow.Table"


@pytest.mark.slow  # some runs more
def test_each_op_of_a_graph_follows_the_rule(lab: Lab) -> None:
    """An op without an annotation gets the upstream's kind, beside one that has one; both are in the definition."""

    @dg.op
    def annotated(base: pa.Table) -> int:
        note(type(base))
        return base.num_rows

    @dg.op
    def open_op(base, rows: int) -> dict[str, int]:
        note(type(base))
        return {"rows": rows + len(base)}

    @dg.graph_asset
    def f(base) -> dict[str, int]:
        return open_op(base, annotated(base))

    lab.run([upstream(pd.DataFrame), f])
    ran = lab.run([upstream(pl.DataFrame), f])
    assert ran.calls == [pa.Table, pl.DataFrame]
    kinds = lab.store.producing_descriptor("f").fields["inputs"]["base"]["kinds"]
    assert kinds == ["polars.DataFrame", "pyarrow.Table"]
