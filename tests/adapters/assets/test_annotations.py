"""Functions as people write them: string annotations, contexts of either kind, config, resources, partials."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Annotated, Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table

from jammi_dagster import result_table
from jammi_dagster.adapters.assets.signature import is_subclass
from jammi_dagster.errors import UnsupportedArgument

Write = Callable[[str, str], ModuleType]

FUTURE = """
    from __future__ import annotations
    import dagster as dg
    import pandas as pd
    import pyarrow as pa
    from adapters_kit import note
    from jammi_dagster import result_table

    class Limit(dg.Config):
        k: int = 1

    class Db(dg.ConfigurableResource):
        host: str = "here"

    @result_table(reads=[])
    def raw() -> pa.Table:
        return pa.table({"x": [1, 2]})

    @result_table(reads=[])
    def made(context: dg.AssetExecutionContext, config: Limit, db: Db, raw: pd.DataFrame) -> pa.Table:
        note((context.asset_key.to_user_string(), config.k, db.host, type(raw).__name__))
        return pa.Table.from_pandas(raw.head(config.k))
"""

TYPE_CHECKING = """
    from __future__ import annotations
    from typing import TYPE_CHECKING
    from jammi_dagster import result_table
    if TYPE_CHECKING:
        import pyarrow as pa

    @result_table
    def made(raw: pa.Table) -> pa.Table:
        return raw
"""


class Limit(dg.Config):
    k: int = 1


@result_table(reads=[])
def raw() -> pa.Table:
    return table(1, 2)


def test_annotations_that_are_strings(lab: Lab, module: Write) -> None:
    """`from __future__ import annotations` breaks `@dg.asset` with a context; here every role is found."""
    written = module("with_future", FUTURE)
    lab.more = {"db": written.Db()}

    runs = [lab.run([written.raw, written.made], config={"made": {"k": 2}}) for _ in range(2)]

    assert [ran.calls for ran in runs] == [[("made", 2, "here", "DataFrame")], []]
    assert runs[1].outcomes == {"raw": "reused", "made": "reused"}


def test_an_annotation_under_type_checking_is_an_error(module: Write) -> None:
    """An annotation that is missing at run time is an error that says where to import it."""
    with pytest.raises(
        UnsupportedArgument, match="define or import it at module level, not under TYPE_CHECKING"
    ):
        module("type_checking", TYPE_CHECKING)


def test_a_dagster_type_as_annotation_is_refused() -> None:
    """A Dagster type would check a reference; it is refused for a parameter and for the result."""
    positive = dg.DagsterType(lambda context, value: True, "Positive")

    with pytest.raises(UnsupportedArgument, match="the annotation of raw is the Dagster type Positive"):

        @result_table
        def of_input(raw: positive) -> pa.Table:
            return raw

    with pytest.raises(UnsupportedArgument, match="the annotation of return is the Dagster type Positive"):

        @result_table
        def of_output() -> positive:
            return table(1)

    with pytest.raises(UnsupportedArgument, match="the annotation of return is the Dagster type Positive"):

        @result_table
        def within_output() -> dg.Output[positive]:
            return dg.Output(table(1))


class Note:
    """A value without a stable `repr`."""


def test_annotated_types_are_what_they_annotate(lab: Lab) -> None:
    """Other items of `Annotated` change neither the kind nor the definition."""

    def make() -> dg.AssetsDefinition:
        @result_table(code_version="1")
        def made(
            raw: Annotated[pa.Table, ["no hash"]],
        ) -> Annotated[Iterator[Annotated[pa.RecordBatch, Note()]], Note()]:
            yield from raw.to_batches()

        return made

    assert [lab.run([raw, make()]).outcomes["made"] for _ in range(2)] == ["computed", "reused"]


@pytest.mark.parametrize(
    ("plain", "annotation"),
    [
        (pa.Table, pa.Table),
        (pa.Table, dg.MaterializeResult[pa.Table]),
        (pa.Table, dg.Output[pa.Table]),
        (Any, dg.MaterializeResult),  # neither says that it is no frame
    ],
    ids=str,
)
def test_a_result_in_an_event_of_dagsters_is_the_same_kind(
    lab: Lab, plain: object, annotation: object
) -> None:
    """The way a function returns its table is no part of the definition; the kind of table is."""

    def make(returns: object) -> dg.AssetsDefinition:
        @result_table(code_version="1", reads=[])
        def made() -> returns:
            return dg.MaterializeResult(value=table(1))

        return made

    lab.run(make(plain))
    assert lab.run(make(annotation)).outcomes == {"made": "reused"}
    assert lab.run(make(pa.RecordBatch)).outcomes == {"made": "computed"}


def test_the_context_is_of_the_kind_that_is_asked_for(lab: Lab) -> None:
    """By annotation, or by Dagster's names for one."""

    @result_table(reads=[])
    def by_name(context) -> pa.Table:
        note(type(context))
        return table(1)

    @result_table(reads=[])
    def by_underscore(_) -> pa.Table:
        note(type(_))
        return table(1)

    @result_table(reads=[])
    def by_annotation(ctx: dg.AssetExecutionContext) -> pa.Table:
        note(type(ctx))
        return table(1)

    @result_table(reads=[])
    def of_op(context: dg.OpExecutionContext) -> pa.Table:
        note(type(context))
        return table(1)

    calls = [lab.run(asset).calls[0] for asset in (by_name, by_underscore, by_annotation, of_op)]
    assert calls == [dg.AssetExecutionContext] * 3 + [dg.OpExecutionContext]


def test_config_of_either_kind(lab: Lab) -> None:
    """A `Config` class as a parameter, and a `config_schema`."""

    @result_table(reads=[])
    def by_class(config: Limit) -> pa.Table:
        note(config)
        return table(1)

    @result_table(reads=[], config_schema={"k": dg.Field(int, default_value=3)})
    def by_schema(context) -> pa.Table:
        note(context.op_execution_context.op_config)
        return table(1)

    ran = lab.run([by_class, by_schema], config={"by_class": {"k": 2}})

    assert sorted(ran.calls, key=str) == sorted([Limit(k=2), {"k": 3}], key=str)


class Db(dg.ConfigurableResource):
    host: str = "here"


def test_resources_as_parameters(lab: Lab) -> None:
    """A resource class, and any object by `ResourceParam`."""
    lab.more = {"db": Db(host="there"), "number": dg.ResourceDefinition.hardcoded_resource(5)}

    @result_table(reads=[])
    def made(db: Db, number: dg.ResourceParam[int], raw: pa.Table) -> pa.Table:
        note((db.host, number))
        return raw

    assert lab.run([raw, made]).calls == [("there", 5)]


def test_a_method_and_a_wrapped_function(lab: Lab) -> None:
    """A function that a decorator wraps keeps its signature, its inputs and its code."""
    import functools

    def loud(function: Callable[..., pa.Table]) -> Callable[..., pa.Table]:
        @functools.wraps(function)
        def wrapper(*args: object, **kwargs: object) -> pa.Table:
            note("loud")
            return function(*args, **kwargs)

        return wrapper

    @result_table
    @loud
    def made(raw: pa.Table) -> pa.Table:
        return raw

    assert [lab.run([raw, made]).calls for _ in range(2)] == [["loud"], []]


def test_inputs_by_keyword_only(lab: Lab) -> None:
    """Parameters behind a `*` are inputs like any other."""

    @result_table
    def made(*, raw: pa.Table) -> pa.Table:
        note(raw.num_rows)
        return raw

    assert lab.run([raw, made]).calls == [2]


@pytest.mark.parametrize("annotation", [dict[str, pa.Table], list[int], "int", None, int])
def test_an_annotation_that_is_no_class_of_dagster_is_none(annotation: Any) -> None:
    """For Python 3.10 `dict[str, int]` is a `type`, of which `issubclass` knows nothing."""
    assert not is_subclass(annotation, dg.Config, dg.ConfigurableResource)
    assert is_subclass(dg.Config, dg.Config)
