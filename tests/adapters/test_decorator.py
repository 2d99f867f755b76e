"""`@result_table` takes what `@dagster.asset` takes, and refuses clearly what it cannot keep (DESIGN 4)."""

import datetime
import inspect
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table

from jammi_dagster import ResultTableIOManager, result_table
from jammi_dagster.errors import UnsupportedArgument

letters = dg.StaticPartitionsDefinition(["a", "b"])
eager = dg.AutomationCondition.eager()
hourly = dg.FreshnessPolicy.time_window(fail_window=datetime.timedelta(hours=1))
retry = dg.RetryPolicy(max_retries=1)


@dg.success_hook
def hook(context: dg.HookContext) -> None:
    """Does nothing."""


@result_table(reads=[])
def raw() -> pa.Table:
    return table(1, 2)


def spec_of(asset: dg.AssetsDefinition) -> dg.AssetSpec:
    (spec,) = asset.specs
    return spec


# argument -> (its value, what of the asset shows that it was taken)
TAKEN: dict[str, tuple[Any, Any]] = {
    "name": ("other", lambda a: a.key == dg.AssetKey("other")),
    "key": (["deep", "down"], lambda a: a.key == dg.AssetKey(["deep", "down"])),
    "key_prefix": ("deep", lambda a: a.key == dg.AssetKey(["deep", "made"])),
    "ins": ({"raw": dg.AssetIn("x")}, lambda a: a.dependency_keys == {dg.AssetKey("x")}),
    "deps": (["x"], lambda a: dg.AssetKey("x") in a.dependency_keys),
    "metadata": ({"a": 1}, lambda a: spec_of(a).metadata["a"] == 1),
    "tags": ({"a": "b"}, lambda a: spec_of(a).tags["a"] == "b"),
    "description": ("told", lambda a: spec_of(a).description == "told"),
    "config_schema": ({"k": int}, lambda a: "k" in a.op.config_schema.config_type.fields),
    "required_resource_keys": ({"db"}, lambda a: "db" in a.required_resource_keys),
    "resource_defs": ({"db": dg.ResourceDefinition.none_resource()}, lambda a: "db" in a.resource_defs),
    "hooks": ({hook}, lambda a: len(a.hook_defs) == 1),
    "io_manager_key": ("other", lambda a: a.get_io_manager_key_for_asset_key(a.key) == "other"),
    "partitions_def": (letters, lambda a: a.partitions_def == letters),
    "op_tags": ({"a": "b"}, lambda a: a.op.tags["a"] == "b"),
    "group_name": ("mine", lambda a: spec_of(a).group_name == "mine"),
    "output_required": (True, lambda a: True),
    "automation_condition": (eager, lambda a: spec_of(a).automation_condition == eager),
    "freshness_policy": (hourly, lambda a: spec_of(a).freshness_policy == hourly),
    "backfill_policy": (
        dg.BackfillPolicy.single_run(),
        lambda a: a.backfill_policy.max_partitions_per_run is None,
    ),
    "retry_policy": (retry, lambda a: a.op.retry_policy == retry),
    "code_version": ("7", lambda a: spec_of(a).code_version == "7"),
    "check_specs": ([dg.AssetCheckSpec("c", asset="made")], lambda a: len(list(a.check_specs)) == 1),
    "owners": (["me@example.com"], lambda a: spec_of(a).owners == ["me@example.com"]),
    "kinds": ({"sql"}, lambda a: spec_of(a).kinds == {"sql"}),
    "pool": ("small", lambda a: a.op.pool == "small"),
    "is_virtual": (False, lambda a: True),
    "compute_kind": ("sql", lambda a: a.op.tags["dagster/compute_kind"] == "sql"),
}
REFUSED: dict[str, tuple[Any, str]] = {
    "dagster_type": (dg.DagsterType(lambda c, v: True, "Any thing"), "annotate the function's result"),
    "output_required": (False, "return an empty table instead"),
    "is_virtual": (True, "use @dg.asset"),
}
HAS_ITS_OWN_TEST = {"compute_fn", "io_manager_def", "kwargs"}


def test_every_argument_of_dagsters_decorator_has_a_case() -> None:
    """A new argument of Dagster's is looked at before it is passed on unseen."""
    parameters = set(inspect.signature(dg.asset).parameters)

    assert parameters <= set(TAKEN) | set(REFUSED) | HAS_ITS_OWN_TEST


@pytest.mark.filterwarnings("ignore:.*compute_kind.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*is currently in preview:dagster.PreviewWarning")
@pytest.mark.parametrize("argument", TAKEN)
def test_an_argument_is_taken(argument: str) -> None:
    """It does what it does under `@dagster.asset`."""
    value, shows = TAKEN[argument]

    @result_table(**{argument: value})
    def made(raw: pa.Table) -> pa.Table:
        """Told by the function."""
        return raw

    assert shows(made)
    assert dg.Definitions(assets=[made])


@pytest.mark.parametrize("argument", REFUSED)
def test_an_argument_is_refused(argument: str) -> None:
    """At decoration, naming the asset, the argument and the way out."""
    value, way_out = REFUSED[argument]

    with pytest.raises(UnsupportedArgument, match=rf"@result_table on made: {argument}= .*{way_out}"):

        @result_table(**{argument: value})
        def made() -> pa.Table:
            return table(1)


def test_an_unknown_argument_is_an_error() -> None:
    """As under `@dagster.asset`."""
    with pytest.raises(TypeError, match="cach"):

        @result_table(cach="use")
        def made() -> pa.Table:
            return table(1)


def test_what_a_bare_decorator_says() -> None:
    """Name, description and kinds come from the function and from us."""

    @result_table
    def made() -> pa.Table:
        """Told by the function."""
        return table(1)

    assert made.key == dg.AssetKey("made")
    assert spec_of(made).description == "Told by the function."
    assert spec_of(made).kinds == {"parquet", "jammi"}


@pytest.mark.parametrize(
    ("ins", "complaint"),
    [
        ({"nobody": dg.AssetIn("x")}, "use deps= for those"),
        ({"raw": dg.AssetIn(dagster_type=dg.Nothing)}, "annotate the parameter"),
    ],
)
def test_an_input_that_cannot_be_is_refused(ins: dict[str, dg.AssetIn], complaint: str) -> None:
    """One without a parameter, and one whose type would check a reference."""
    with pytest.raises(UnsupportedArgument, match=complaint):

        @result_table(ins=ins)
        def made(raw: pa.Table) -> pa.Table:
            return raw


BOTH: dict[str, Any] = {
    "partition_mapping": dg.IdentityPartitionMapping(),
    "metadata": {"a": 1},
    "key_prefix": "deep",
    "dagster_type": dg.Nothing,
}


@pytest.mark.parametrize("said", BOTH)
@pytest.mark.parametrize("decorator", [dg.asset, result_table], ids=["asset", "result_table"])
def test_properties_of_an_input_beside_a_dependency_are_refused(decorator: Any, said: str) -> None:
    """Dagster takes from `ins=` only the key of an asset that `deps=` names too."""
    key = ["deep", "raw"] if said == "key_prefix" else "raw"

    with pytest.raises(dg.DagsterInvalidDefinitionError, match=r"both an input .* and a dependency"):

        @decorator(deps=[key], ins={"raw": dg.AssetIn(**{said: BOTH[said]})})
        def made(raw: pa.Table) -> pa.Table:
            return raw


@pytest.mark.parametrize("decorator", [dg.asset, result_table], ids=["asset", "result_table"])
def test_a_resource_parameter_beside_required_keys_is_refused(decorator: Any) -> None:
    """A function names its resources in one way."""
    with pytest.raises(Exception, match="Cannot specify resource requirements in both"):

        @decorator(required_resource_keys={"other"})
        def made(db: dg.ResourceParam[Any]) -> pa.Table:
            return table(1)


class Options(dg.Config):
    k: int = 1


class Tables(dg.ConfigurableIOManagerFactory[Any]):
    """A factory, whose product is what a function would get."""

    def create_io_manager(self, context: dg.InitResourceContext) -> Any:
        return dg.InMemoryIOManager()


class OldClient(dg.ResourceDefinition):
    pass


@pytest.mark.parametrize("decorator", [dg.asset, result_table], ids=["asset", "result_table"])
@pytest.mark.parametrize("annotation", [Tables, OldClient])
def test_a_resource_that_gives_another_value_is_refused(decorator: Any, annotation: type) -> None:
    """Its parameter is to be annotated by the value that the function gets."""

    def made(client: Any) -> pa.Table:
        return table(1)

    made.__annotations__["client"] = annotation
    with pytest.raises(dg.DagsterInvalidDefinitionError, match="ResourceParam"):
        decorator(made)


@pytest.mark.parametrize("decorator", [dg.asset, result_table], ids=["asset", "result_table"])
def test_config_under_another_name_is_warned_of(decorator: Any) -> None:
    """A parameter of a config class that is not named config is an input."""
    with pytest.warns(dg.ConfigArgumentWarning, match="Did you mean to name this parameter"):

        @decorator
        def made(options: Options) -> pa.Table:
            return table(options.k)


@pytest.mark.parametrize("allow", [True, False])
def test_a_dependency_of_a_parameter_keeps_its_properties(allow: bool) -> None:
    """Mapping and metadata of an `AssetDep` stand in the spec, though a parameter loads the asset."""
    mapping = dg.AllPartitionMapping()

    dep = dg.AssetDep("raw", partition_mapping=mapping, metadata={"a": 1})

    @result_table(deps=[dep], allow_missing_partitions=allow)
    def made(raw: dict[str, pa.Table]) -> pa.Table:
        return pa.concat_tables(raw.values())

    assert list(spec_of(made).deps) == [dep]


@pytest.mark.parametrize(
    "ins",
    [{"raw": dg.AssetIn(dagster_type=dg.Nothing)}, {"any": dg.AssetIn("raw", dagster_type=dg.Nothing)}],
)
def test_an_input_of_nothing_is_a_dependency(lab: Lab, ins: dict[str, dg.AssetIn]) -> None:
    """It is recorded, and not loaded."""

    @result_table(ins=ins)
    def made() -> pa.Table:
        note("made")
        return table(1)

    assert [lab.run([raw, made]).calls for _ in range(2)] == [["made"], []]
    assert set(lab.anchors("made")) == {"raw"}


def test_any_number_of_parameters_is_refused() -> None:
    """`*args` and `**kwargs` have no names that could be inputs."""
    with pytest.raises(UnsupportedArgument, match="parameter tables takes any number of values"):

        @result_table
        def made(*tables: pa.Table) -> pa.Table:
            return tables[0]


def test_a_copied_asset_still_runs_as_a_result_table(lab: Lab) -> None:
    """`map_asset_specs` leaves a plain `AssetsDefinition`, with our step inside."""
    (mapped,) = dg.map_asset_specs(lambda spec: spec.replace_attributes(group_name="mine"), [raw])
    assert [lab.run(mapped).outcomes for _ in range(2)] == [{"raw": "computed"}, {"raw": "reused"}]
    assert mapped.specs_by_key[mapped.key].group_name == "mine"


@pytest.mark.parametrize("named", [True, False])
def test_a_step_needs_our_io_manager(lab: Lab, named: bool) -> None:
    """Another one under its key is an error that says which, and what to do."""
    lab.more = {"files": dg.FilesystemIOManager(base_dir=str(lab.root))}

    @result_table(io_manager_key="files" if named else None, reads=[])
    def made() -> pa.Table:
        return table(1)

    if not named:
        lab.more = {"io_manager": lab.more["files"]}
    error = lab.run(made, ok=False).error

    key = "files" if named else "io_manager"
    assert f"WrongIOManager: asset made: its IO manager {key} is PickledObjectFilesystemIOManager" in error
    assert "or set io_manager_key=" in error


def test_an_io_manager_under_another_key(lab: Lab) -> None:
    """Upstream and downstream share it by its key, whatever it is."""
    lab.more = {"tables": lab.resources["io_manager"], "io_manager": dg.InMemoryIOManager()}

    @result_table(reads=[], io_manager_key="tables")
    def up() -> pa.Table:
        note("up")
        return table(1)

    @result_table(io_manager_key="tables")
    def down(up: pa.Table) -> pa.Table:
        note("down")
        return up

    assert [lab.run([up, down]).calls for _ in range(2)] == [["up", "down"], []]
    assert set(lab.anchors("down")) == {"up"}


def test_an_inline_io_manager(lab: Lab) -> None:
    """Dagster makes up the key of `io_manager_def=`: the step finds it."""
    manager = ResultTableIOManager(store=lab.store_resource, cache="use")

    @result_table(reads=[], io_manager_def=manager)
    def up() -> pa.Table:
        note("up")
        return table(1)

    @result_table(io_manager_def=manager)
    def down(up: pa.Table) -> pa.Table:
        note("down")
        return up

    @result_table(io_manager_def=manager, deps=["up"])
    def after() -> pa.Table:
        note("after")
        return table(1)

    calls = [lab.run([up, down, after]).calls for _ in range(2)]
    assert [sorted(call) for call in calls] == [["after", "down", "up"], []]
    assert set(lab.anchors("down")) == {"up"}
