"""One asset for each way to declare a table: their recorded descriptors are goldens, so this file never changes.

The name of this module and the names and bodies in it are part of code identities.
"""

from pathlib import Path

import dagster as dg
import pandas as pd
import polars as pl
import pyarrow as pa

from jammi_dagster import (
    AnchorKind,
    CachePolicy,
    InputAnchor,
    JammiError,
    LineageResource,
    ResultStore,
    ResultStoreResource,
    ResultTableIOManager,
    result_table,
)
from jammi_dagster.surfaces import file

SECRET = "GOLDEN_SECRET"
POLICY = CachePolicy.USE
letters = dg.StaticPartitionsDefinition(["b", "a", "c"])
days = dg.DailyPartitionsDefinition("2024-01-01", end_date="2024-01-04")
grid = dg.MultiPartitionsDefinition({"day": days, "letter": letters})
dynamic = dg.DynamicPartitionsDefinition(name="golden_dynamic")


class Limit(dg.Config):
    k: int = 2
    label: str = "none"


class Login(dg.Config):
    password: str = dg.EnvVar(SECRET)
    user: str = "me"


class Nested(dg.Config):
    limit: Limit = Limit()
    logins: list[Login] = []  # noqa: RUF012  # a pydantic field


class Vault(dg.ConfigurableResource):  # type: ignore[type-arg]
    password: str
    retries: int = 3


class Service(dg.ConfigurableResource):  # type: ignore[type-arg]
    vault: Vault
    url: str = "https://example.org"

    def rows(self) -> list[int]:
        return list(range(self.vault.retries))


def helper(value: int) -> int:
    return value + 1


@result_table(reads=[])
def raw() -> pa.Table:
    """Return two numbers, over no inputs."""
    return pa.table({"x": [1, helper(1)]})


@result_table
def unpinned() -> pa.Table:
    return pa.table({"x": [0]})


@result_table(reads=[], code_version="v7")
def versioned() -> pa.Table:
    return pa.table({"x": [7]})


@result_table
def one_input(raw: pa.Table) -> pa.Table:
    return raw


@result_table
def several_inputs(raw: pa.Table, one_input: pa.Table, versioned: pa.Table) -> pa.Table:
    return pa.concat_tables([raw, one_input, versioned])


@result_table(ins={"left": dg.AssetIn("versioned"), "right": dg.AssetIn(["deep", "down", "prefixed"])})
def renamed_inputs(left: pa.Table, right: pa.Table) -> pa.Table:
    return pa.concat_tables([left, right])


@result_table(deps=["raw"])
def not_loaded() -> pa.Table:
    return pa.table({"x": [1]})


@result_table(deps=["versioned"])
def loaded_and_not(raw: pa.Table) -> pa.Table:
    return raw


@result_table(reads=[], key_prefix=["deep", "down"])
def prefixed() -> pa.Table:
    return pa.table({"x": [4]})


@result_table(reads=[], partitions_def=dg.StaticPartitionsDefinition(["a/b [c]%"]))
def strange() -> pa.Table:
    return pa.table({"x": [4]})


@result_table(reads=[file(Path(__file__).parent / "golden.txt", name="golden.txt")])
def of_a_file() -> pa.Table:
    return pa.table({"x": [3]})


# --- kinds of value


@result_table(reads=[])
def of_pandas() -> pd.DataFrame:
    return pd.DataFrame({"x": [1, 2]})  # type: ignore[no-any-return]


@result_table(reads=[])
def of_polars() -> pl.DataFrame:
    return pl.DataFrame({"x": [1, 2]})


@result_table
def pandas_to_polars(of_pandas: pd.DataFrame, of_polars: pl.DataFrame) -> pl.DataFrame:
    return of_polars


@result_table
def lazily(of_polars: pl.LazyFrame) -> pa.Table:
    return of_polars.collect().to_arrow()


@result_table
def without_annotations(raw):  # type: ignore[no-untyped-def]
    return raw


@result_table(reads=[])
def of_a_result() -> dg.MaterializeResult:  # type: ignore[type-arg]
    return dg.MaterializeResult(value=pa.table({"x": [1]}), metadata={"author": "me"})


@result_table(reads=[])
def of_an_output() -> dg.Output[pa.Table]:
    return dg.Output(pa.table({"x": [1]}), metadata={"author": "me"})


# --- config and resources


@result_table(reads=[])
def limited(config: Limit) -> pa.Table:
    return pa.table({"x": [config.k]})


@result_table(reads=[])
def limited_otherwise(config: Limit) -> pa.Table:
    return pa.table({"x": [config.k]})


@result_table(reads=[])
def with_login(config: Login) -> pa.Table:
    return pa.table({"x": [len(config.password)]})


@result_table(reads=[])
def with_nested(config: Nested) -> pa.Table:
    return pa.table({"x": [config.limit.k]})


@result_table(reads=[], config_schema={"word": dg.Field(dg.StringSource, default_value={"env": SECRET})})
def with_old_schema(context: dg.AssetExecutionContext) -> pa.Table:
    return pa.table({"x": [len(context.op_execution_context.op_config["word"])]})


@result_table(reads=[])
def with_resource(vault: Vault) -> pa.Table:
    return pa.table({"x": [vault.retries]})


@result_table(reads=[])
def with_nested_resource(service: Service) -> pa.Table:
    return pa.table({"x": service.rows()})


@result_table(reads=[])
def with_store(shelf: ResultStoreResource) -> pa.Table:
    return pa.table({"x": [shelf.deployment]})


@result_table(reads=[])
def with_lineage(lineage: LineageResource) -> pa.Table:
    return pa.table({"x": [lineage.store.deployment]})


@result_table(reads=[])
def with_io_manager(archive: dg.ResourceParam[ResultTableIOManager]) -> pa.Table:
    return pa.table({"x": [archive.cache]})


@result_table(reads=[], code_version="1")
def versioned_with_lineage(lineage: LineageResource) -> pa.Table:
    return pa.table({"x": [lineage.store.deployment]})


# --- our own names in the code of an asset: where they live must not count


class Shelf(ResultStoreResource):
    shelf: int = 1


@result_table(reads=[])
def with_own_store(own_shelf: Shelf) -> pa.Table:
    return pa.table({"x": [own_shelf.shelf]})


@result_table(reads=[])
def with_our_names() -> pa.Table:
    anchors = [InputAnchor.source_version("a:b", "1"), AnchorKind.RESULT_DIGEST]
    return pa.table({"x": [len(anchors), len(ResultStore.__name__), len(file.__name__), len(str(POLICY))]})


def holding(name: str, value: object) -> dg.AssetsDefinition:
    @result_table(name=name, reads=[])
    def holds() -> pa.Table:
        return pa.table({"x": [str(type(value))]})

    return holds


holding_ours = [
    holding("holding_policy", CachePolicy.USE),
    holding("holding_class", ResultStoreResource),
    holding("holding_resource", LineageResource(store=ResultStoreResource(root="/apart"))),
    holding("holding_anchor", InputAnchor.source_version("a:b", "1")),
    holding("holding_function", file),
    holding("holding_decorator", result_table),
    holding("holding_surface", file("/apart/golden.txt", name="golden.txt").observe),
    holding("holding_error", JammiError),
]


# --- other assets around


@dg.asset
def plain() -> pa.Table:
    return pa.table({"x": [5]})


@dg.asset
def plain_below(raw: pa.Table, config: Limit) -> pa.Table:
    return raw


@dg.asset(io_manager_key="elsewhere")
def kept_elsewhere() -> int:
    return 3


@result_table
def of_elsewhere(kept_elsewhere: int, plain: pa.Table) -> pa.Table:
    return pa.table({"x": [kept_elsewhere]})


outside = dg.AssetSpec("outside")


@result_table(deps=["outside"])
def of_outside() -> pa.Table:
    return pa.table({"x": [1]})


# --- partitions


@result_table(partitions_def=letters, reads=[])
def letter(context: dg.AssetExecutionContext) -> pa.Table:
    return pa.table({"x": [context.partition_key]})


@result_table(partitions_def=letters)
def letter_below(letter: pa.Table) -> pa.Table:
    return letter


@result_table
def fan_in(letter: dict[str, pa.Table]) -> pa.Table:
    return pa.concat_tables(letter.values())


@result_table(
    ins={"some": dg.AssetIn("letter", partition_mapping=dg.SpecificPartitionsPartitionMapping(["c"]))}
)
def specific(some: pa.Table) -> pa.Table:
    return some


@result_table(partitions_def=days, reads=[])
def daily(context: dg.AssetExecutionContext) -> pa.Table:
    return pa.table({"x": [context.partition_key]})


@result_table(
    partitions_def=days,
    ins={
        "running": dg.AssetIn(
            partition_mapping=dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1),
        )
    },
)
def running(daily: pa.Table, running: dict[str, pa.Table]) -> pa.Table:
    return pa.concat_tables([*running.values(), daily])


@result_table(partitions_def=grid, reads=[])
def cell(context: dg.AssetExecutionContext) -> pa.Table:
    return pa.table({"x": [context.partition_key]})


@result_table(partitions_def=dynamic, reads=[])
def grown(context: dg.AssetExecutionContext) -> pa.Table:
    return pa.table({"x": [context.partition_key]})


@result_table
def grown_fan_in(grown: dict[str, pa.Table]) -> pa.Table:
    return pa.concat_tables(grown.values())


@result_table(partitions_def=letters, reads=[], backfill_policy=dg.BackfillPolicy.single_run())
def ranged(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
    return {key: pa.table({"x": [key]}) for key in context.partition_keys}


@result_table(partitions_def=letters, backfill_policy=dg.BackfillPolicy.single_run())
def ranged_below(context: dg.AssetExecutionContext, ranged: dict[str, pa.Table]) -> dict[str, pa.Table]:
    return {key: ranged[key] for key in context.partition_keys}


UNPARTITIONED = [
    raw,
    unpinned,
    versioned,
    one_input,
    several_inputs,
    renamed_inputs,
    not_loaded,
    loaded_and_not,
    prefixed,
    of_a_file,
    of_pandas,
    of_polars,
    pandas_to_polars,
    lazily,
    without_annotations,
    of_a_result,
    of_an_output,
    limited,
    limited_otherwise,
    with_login,
    with_nested,
    with_old_schema,
    with_resource,
    with_nested_resource,
    with_store,
    with_lineage,
    with_io_manager,
    versioned_with_lineage,
    with_own_store,
    with_our_names,
    *holding_ours,
    plain,
    plain_below,
    kept_elsewhere,
    of_elsewhere,
    outside,
    of_outside,
]
CONFIG = {
    "limited_otherwise": {"k": 3, "label": "three"},
    "with_nested": {"limit": {"k": 5}, "logins": [{"password": {"env": SECRET}}]},
    "plain_below": {"label": "plain"},
}
BY_LETTER = [letter, letter_below]
RANGES = [ranged, ranged_below]
FAN_INS = [fan_in, specific, grown_fan_in]
DAILY = [daily, running]
ALL = [*UNPARTITIONED, *BY_LETTER, *RANGES, *FAN_INS, *DAILY, cell, grown, strange]


def resources() -> dict[str, object]:
    """Return the resources that the assets ask for by name; the stores among them are never opened."""
    apart = ResultStoreResource(root="/apart", deployment="apart", storage_options={"b": 1, "a": [True]})
    vault = Vault(password=dg.EnvVar(SECRET))
    return {
        "elsewhere": dg.InMemoryIOManager(),  # type: ignore[no-untyped-call]
        "vault": vault,
        "service": Service(vault=Vault(password=dg.EnvVar(SECRET), retries=1)),
        "shelf": apart,
        "own_shelf": Shelf(root="/apart"),
        "lineage": LineageResource(store=ResultStoreResource(root="/apart", catalog="sqlite://")),
        "archive": ResultTableIOManager(store=apart, cache="use"),
    }
