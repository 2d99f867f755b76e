"""Objects between assets of a real run: what is returned is what the next asset gets, and both are reused."""

from __future__ import annotations

import dataclasses
import pickle
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from adapters_kit import Lab, letters, note, raw, table

from jammi_dagster import plan, recompute, register_format, result_table
from jammi_dagster.errors import ArtifactCorrupt, InvalidField, UnsupportedArgument


class Model:
    """An object of no type that is stored without a format."""

    def __init__(self, rows: int) -> None:
        self.rows = rows


class Registered(Model):
    """A class with a registered format."""


register_format(Registered, "pickle")


@result_table
def metrics(raw: pa.Table) -> dict[str, float]:
    note("metrics")
    return {"rows": float(raw.num_rows), "loss": float("inf")}


@result_table(format="pickle")
def model(raw: pa.Table, metrics: dict[str, float]) -> Model:
    note("model")
    return Model(raw.num_rows + len(metrics))


@result_table
def predictions(model: Model, raw: pd.DataFrame) -> pd.DataFrame:
    note("predictions")
    return raw.assign(y=model.rows)


@result_table
def named(metrics, model) -> list[str]:
    note((metrics, type(model).__name__))
    return [*metrics]


def test_a_pipeline_with_objects_is_reused(lab: Lab) -> None:
    """Twice the same: no body runs the second time. An input without annotation comes as the object that it is."""
    assets = [raw, metrics, model, predictions, named]
    first = lab.run(assets)
    told = ({"rows": 3.0, "loss": float("inf")}, "Model")
    assert sorted(map(str, first.calls)) == sorted(map(str, ["metrics", "model", told, "predictions"]))
    again = lab.run(assets)
    assert again.calls == []
    assert set(again.outcomes.values()) == {"reused"}
    assert lab.store.read_object("metrics") == {"rows": 3.0, "loss": float("inf")}
    assert lab.store.read_object("model").rows == 5


def test_an_object_has_a_media_type_in_place_of_rows(lab: Lab) -> None:
    """The page of an asset shows no columns of the bytes; of a reuse neither."""
    for ran in (lab.run([raw, metrics]), lab.run([raw, metrics])):
        said = ran.said("metrics")
        assert said["jammi/media_type"] == "application/json"
        assert not {"dagster/row_count", "dagster/column_schema"} & set(said)


OUTPUTS: list[tuple[Any, Any]] = [
    (dict[str, float], {"x": 1.0}),
    (dict, {"x": {"y": [None]}}),
    (list[int], [3, 1, 2]),
    (str, "text"),
    (int, 0),
    (float, -0.0),
    (bool, False),
    (bytes, b"\x00\xff"),
    (typing.Optional[dict[str, int]], None),  # noqa: UP045
    (int | None, None),
    (bytes | None, None),
    (Path | None, None),
    (dg.Output[dict[str, int]], dg.Output({"x": 1}, metadata={"of": "user"})),
    (dg.MaterializeResult[int], dg.MaterializeResult(value=7)),
    (Any, [1, {"x": 2}]),
]


@pytest.mark.parametrize(("annotation", "value"), OUTPUTS, ids=[str(one) for one, _ in OUTPUTS])
def test_what_is_returned_is_what_is_read(lab: Lab, annotation: Any, value: Any) -> None:
    """Type for type, through `Output` and `MaterializeResult` too; a plain asset reads it as well."""

    def made() -> Any:
        return value

    made.__annotations__ = {"return": annotation}
    asset = result_table(reads=[])(made)

    def below(made: Any) -> None:
        note(made)

    lab.run([asset, dg.asset(below)])
    expected = value.value if isinstance(value, (dg.Output, dg.MaterializeResult)) else value
    assert repr(lab.store.read_object("made")) == repr(expected)


class Opaque(tuple[int, ...]):
    """A tuple of the user's own."""


@dataclasses.dataclass
class Settings:
    """A dataclass."""

    x: int


@pytest.mark.parametrize(
    "value",
    [Model(1), (1, 2), bytearray(b"x"), iter([1]), pd.Series([1])],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_is_nothing_of_it(lab: Lab, value: Any) -> None:
    """Of a function whose annotation says nothing: the error names tables, objects, and `format=`."""

    @result_table(reads=[], code_version="1")
    def made() -> Any:
        return value

    error = lab.run(made, ok=False).error
    assert "give one of: a table (pyarrow, pandas" in error
    assert "any other object with format=, such as pickle\n" in error


REFUSED = [Model, Settings, Opaque, tuple[int, ...], set[str], dict[str, Model], dict[str, set[int]],
           list[pd.DataFrame], Model | None, complex, dg.Output[Model], pd.Series]  # fmt: skip
ACCEPTED = [pd.DataFrame, pa.Table, dict[str, pd.DataFrame], Iterator[pa.RecordBatch], Any, object, dict, Path, bytes,
            typing.Generator[pa.Table, None, None], dict[str, Any], pd.DataFrame | None, Registered,
            typing.Mapping[str, int], typing.TypeVar("T"), "pd.DataFrame"]  # fmt: skip


def _annotated(annotation: Any) -> Callable[..., Any]:
    def made(raw: Any) -> Any:
        return raw

    made.__annotations__ = {"return": annotation}
    return made


@pytest.mark.parametrize("annotation", REFUSED, ids=str)
def test_an_annotation_without_a_format_is_told_at_decoration(annotation: Any) -> None:
    """Not after computing. With a format each of them is taken."""
    with pytest.raises(UnsupportedArgument, match=r"made: the annotation .* give format="):
        result_table(_annotated(annotation))
    format_ = result_table(format="pickle")(_annotated(annotation)).result_table.format
    assert format_ is not None
    assert format_.name == "pickle"


def test_an_annotation_is_shown_with_its_items() -> None:
    """`list[Model]`, and not `list`, is told to need a format."""
    with pytest.raises(UnsupportedArgument, match=r"the annotation list\[.*Model\] of its result"):
        result_table(_annotated(list[Model]))


@pytest.mark.parametrize("annotation", ACCEPTED, ids=str)
def test_annotations_that_may_be_stored(annotation: Any) -> None:
    """A table, JSON, bytes, a path, a class with a registered format, and whatever says nothing."""
    assert result_table(_annotated(annotation)).result_table.shape.output is not None


@pytest.mark.parametrize(
    ("annotation", "asked"),
    [(pd.DataFrame, "pandas.DataFrame, but metrics is an object"), (ds.Dataset, "metrics is an object"),
     (list[int], None), (Model, None), (dict[str, Any], None), (dict[str, object] | None, None),
     (dict[str, list[int]], "dict[str, list[int]], but metrics is an object"),
     (dict[str, pa.Table], "dict[str, pyarrow.Table], but metrics is an object")],
    ids=str,
)  # fmt: skip
def test_a_table_is_asked_for_where_an_object_is(lab: Lab, annotation: Any, asked: str | None) -> None:
    """The error says so. An annotation of objects is for people: it is not checked, but that of a dict."""

    def below(metrics: Any) -> dict[str, int]:
        return {"x": len(metrics)}

    below.__annotations__ = {"metrics": annotation, "return": dict[str, int]}
    ran = lab.run([raw, metrics, result_table(below)], ok=asked is None)
    assert asked is None or asked in ran.error


def test_none_fits_an_optional_dict(lab: Lab) -> None:
    """An upstream that may give nothing is read where it gave nothing."""

    @result_table(reads=[])
    def made() -> dict[str, Any] | None:
        return None

    @result_table
    def below(made: dict[str, Any] | None) -> bool:
        return made is None

    lab.run([made, below])
    assert lab.store.read_object("below") is True


def test_an_object_is_asked_for_where_a_table_is(lab: Lab) -> None:
    """As before there were objects: the error names the kinds of table."""

    @result_table
    def below(raw: Model) -> pa.Table:
        return table(1)

    assert "which a result table cannot become" in lab.run([raw, below], ok=False).error


@result_table(partitions_def=letters, reads=[])
def counted(context: dg.AssetExecutionContext) -> dict[str, float]:
    return {context.partition_key: 1.0, "all": 2.0}


@result_table(partitions_def=letters)
def each(counted: dict[str, float]) -> list[str]:
    note(counted)
    return [*counted]


@result_table
def together(counted: dict[str, dict[str, float]]) -> dict[str, list[str]]:
    note(counted)
    return {key: [*value] for key, value in counted.items()}


def test_partitions_of_objects(lab: Lab) -> None:
    """One partition is read as the dict that it is; several, or one where that is asked for, as a dict by partition."""
    a, b = {"a": 1.0, "all": 2.0}, {"b": 1.0, "all": 2.0}
    assert lab.run([counted, each], partition="a").calls == [a]
    assert lab.run([counted, each], partition="b").calls == [b]
    assert lab.run([counted, together], select=["together"]).calls == [{"a": a, "b": b}]
    assert lab.store.read_object("each[b]") == ["b", "all"]


@result_table(partitions_def=letters, reads=[])
def ranged(context: dg.AssetExecutionContext) -> dict[str, dict[str, int]]:
    return {key: {"x": at} for at, key in enumerate(context.partition_keys)}


@pytest.mark.parametrize("span", [("a", "b"), ("b", "b")], ids=str)
def test_a_range_of_objects(lab: Lab, span: tuple[str, str]) -> None:
    """A function that makes a range returns a dict by partition, also for a range of one."""
    lab.run(ranged, span=span)
    assert lab.store.read_object("ranged[b]") == {"x": 1 if span[0] == "a" else 0}


@result_table(partitions_def=letters, reads=[])
def keyed(context: dg.AssetExecutionContext) -> dict[str, float]:
    return {context.partition_key: 1.0}


def test_an_object_whose_only_key_is_its_partition(lab: Lab) -> None:
    """Such as counts by year: the object is the dict, and no dict by partition, unless its function makes ranges."""

    @result_table(partitions_def=letters, reads=[], backfill_policy=dg.BackfillPolicy.single_run())
    def spanned(context: dg.AssetExecutionContext) -> dict[str, dict[str, int]]:
        return {key: {"x": 1} for key in context.partition_keys}

    for asset in (keyed, spanned):
        lab.run(asset, partition="a")
    assert lab.store.read_object("keyed[a]") == {"a": 1.0}
    assert lab.store.read_object("spanned[a]") == {"x": 1}


def test_a_folder_goes_through_a_run(lab: Lab, tmp_path: Path) -> None:
    """The next asset reads files of its own copy, which counts as no undeclared read, and is reused."""
    place = str(tmp_path / "weights")

    @result_table(reads=[])
    def weights() -> Path:
        folder = Path(place)
        folder.mkdir(exist_ok=True)
        (folder / "layer").write_text("0.5")
        return folder

    @result_table
    def summed(weights: Path) -> float:
        note("summed")
        return float((weights / "layer").read_text())

    assert lab.run([weights, summed]).calls == ["summed"]
    ran = lab.run([weights, summed])
    assert (ran.calls, ran.outcomes) == ([], {"weights": "reused", "summed": "reused"})
    assert lab.store.read_object("summed") == 0.5


def test_bytes_of_a_pickle_are_compared_before_they_are_read(lab: Lab) -> None:
    """A pickle that somebody changed runs nothing, also where inputs are not verified."""

    @result_table
    def below(model: Any) -> int:
        note("below")
        return 1

    lab.run([raw, metrics, model])
    path = lab.root / lab.store.current("model").artifact_path
    data = bytearray(path.read_bytes())
    at = data.index(b"Model")
    data[at : at + 5] = b"Other"
    path.write_bytes(data)
    ran = lab.run(
        [raw, metrics, model, below], select=["below"], tags={"jammi/verify_inputs": "off"}, ok=False
    )
    assert "does not hold the recorded bytes" in ran.error
    assert ran.calls == []
    with pytest.raises(ArtifactCorrupt):
        lab.store.read_object("model")


def test_a_pickle_of_another_deployment_is_no_hit(lab: Lab) -> None:
    """The plan says so; JSON of another deployment is one, and so is a pickle where that is allowed."""
    assets = [raw, metrics, model]
    lab.run(assets)
    lab.options = {"deployment": "branch"}
    planned = plan(dg.Definitions(assets, resources=lab.resources), instance=lab.instance)
    reasons = {row.asset: (row.action, row.reasons) for row in planned.rows}
    assert reasons["metrics"][0] == "reuse"
    assert reasons["model"][0] == "compute"
    assert "was written by deployment default, and reading its format runs code" in reasons["model"][1][0]
    assert lab.run(assets).outcomes == {"raw": "reused", "metrics": "reused", "model": "computed"}
    lab.options = {"deployment": "other"}
    trusting = result_table(format="pickle", trust_other_deployments=True)(model.result_table.function)
    assert lab.run([raw, metrics, trusting]).outcomes["model"] == "reused"


_draws = iter(range(1_000))


def test_pickles_are_not_compared(lab: Lab) -> None:
    """Equal objects may have other bytes: no divergence is reported, and `recompute` says that nothing was compared."""

    @result_table(format="pickle", reads=[], allow_reads=["*"], code_version="1")
    def drawn() -> Model:
        return Model(next(_draws))

    lab.run(drawn)
    assert "jammi/reproducibility" not in lab.run(drawn, tags={"jammi/cache": "bypass"}).said("drawn")
    report = recompute(lab.store, dg.Definitions([drawn], resources=lab.resources), "drawn")
    assert [one.outcome for one in report.recomputed] == ["not_compared"]


def dump_text(value: Any) -> bytes:
    """Write a text."""
    return str(value).encode()


def load_text(data: bytes) -> str:
    """Read a text."""
    return data.decode()


def load_loud(data: bytes) -> str:
    """Read a text in capitals."""
    return data.decode().upper()


def test_the_users_own_functions_count(lab: Lab) -> None:
    """Where another `load` reads the same bytes, the object and what is below it are made again."""

    def pipeline(load: Any) -> list[Any]:
        @result_table(reads=[], format=(dump_text, load))
        def said() -> str:
            return "x"

        @result_table
        def below(said: str) -> str:
            note(said)
            return said

        return [said, below]

    assert lab.run(pipeline(load_text)).calls == ["x"]
    assert lab.run(pipeline(load_text)).calls == []
    assert lab.run(pipeline(load_loud)).calls == ["X"]


@dg.asset
def absent() -> int | None:
    """Return an object that is None, and declared to be one."""
    return None


def test_a_plain_asset_may_return_none(lab: Lab) -> None:
    """Where its annotation says so, as a result table may."""
    lab.run(absent)
    assert lab.store.read_object("absent") is None


def test_tables_and_objects_are_read_by_their_own_methods(lab: Lab) -> None:
    """Each error names the other."""
    lab.run([raw, metrics])
    with pytest.raises(InvalidField, match="read_object"):
        lab.store.read("metrics")
    with pytest.raises(InvalidField, match="read\\(\\)"):
        lab.store.read_object("raw")


def test_values_are_loaded_outside_of_a_run(lab: Lab) -> None:
    """`load_asset_value` gives the object, and refuses one of another kind of table."""
    lab.run([raw, metrics, model])
    defs = dg.Definitions([raw, metrics, model], resources=lab.resources)
    assert defs.load_asset_value("metrics", instance=lab.instance) == {"rows": 3.0, "loss": float("inf")}
    assert isinstance(defs.load_asset_value("model", instance=lab.instance), Model)
    assert pickle.loads(pickle.dumps(lab.store.read_object("model"))).rows == 5
