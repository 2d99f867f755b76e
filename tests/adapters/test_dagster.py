"""What we lean on in Dagster, and that we import nothing of its inside (DESIGN 3, 9)."""

import ast
import inspect
import typing
from pathlib import Path
from typing import Any, cast

import dagster as dg
import pytest
from adapters_kit import Lab, note, table, taken

import jammi_dagster.adapters
from jammi_dagster import result_table
from jammi_dagster.adapters.assets.signature import _CONTEXT_NAMES, _RESOURCE_MARK
from jammi_dagster.adapters.execution.outputs import _NO_VALUE
from jammi_dagster.adapters.metadata_keys import DATA_VERSION_TAG, USER_PROVIDED_TAG

# an event log storage can only be made of Dagster's own
STORAGES = {"event_log_storage.py", "postgres_event_log_storage.py"}
SOURCES = [
    path
    for path in sorted(Path(jammi_dagster.adapters.__file__).parent.glob("*.py"))
    if path.name not in STORAGES
]


def imported(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_nothing_is_imported_from_dagsters_inside(path: Path) -> None:
    """Only `import dagster as dg`, and where a plugin registers itself."""
    of_dagster = {name for name in imported(path) if name.split(".")[0].startswith("dagster")}

    assert of_dagster <= {"dagster", "dagster_shared.libraries"}


def test_the_step_context_has_what_we_read() -> None:
    """Names that are not part of Dagster's documented interface."""
    seen = {}

    @dg.asset
    def probe(context: dg.AssetExecutionContext) -> None:
        seen["step"] = step = context.get_step_execution_context()
        for path in (
            "input_asset_records",
            "resolved_run_config.original_config_dict",
            "op_config",
            "op_def.config_schema.config_type",
            "job_def.config_mapping",
            "job_def.asset_layer.asset_graph.get",
            "job_def.asset_layer.get_assets_def_for_node",
            "node_handle.name",
            "previous_attempt_count",
            "step.key",
            "run_id",
            "dagster_run.tags",
            "instance",
            "log.info",
            "resources",
            "has_asset_partitions_for_input",
            "asset_partitions_subset_for_input",
            "set_data_version",
            "add_asset_metadata",
        ):
            value = step
            for name in path.split("."):
                value = getattr(value, name)

    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([probe], instance=instance).success
    assert seen["step"].input_asset_records == {}


def test_the_marks_that_we_took_from_dagster() -> None:
    """No value of a result, a resource parameter, an asset input without a type, the names of a context."""
    assert dg.MaterializeResult().value is _NO_VALUE
    assert dg.MaterializeResult(value=None).value is None
    assert typing.get_args(dg.ResourceParam[str])[1] == _RESOURCE_MARK
    assert dg.AssetIn().dagster_type is dg.AssetIn("x").dagster_type

    for name in ("context", "_context", "context_", "_", "__context", "ctx"):

        def made(given: object) -> None:
            """Takes one parameter of any name."""

        cast(Any, made).__signature__ = inspect.Signature(
            [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)]
        )
        is_input = bool(dg.asset(made).dependency_keys)
        assert is_input is (name not in _CONTEXT_NAMES)


def test_dagsters_tags_of_a_data_version(lab: Lab) -> None:
    """A version that a function gives is marked as given; one that Dagster makes up is not."""
    lab.more = {"memory": dg.InMemoryIOManager()}

    @dg.asset(io_manager_key="memory")
    def given():
        return dg.Output(1, data_version=dg.DataVersion("v"))

    @dg.asset(io_manager_key="memory")
    def made_up():
        return 1

    events = lab.run([given, made_up]).events

    assert events["given"].tags[DATA_VERSION_TAG] == "v"
    assert events["given"].tags[USER_PROVIDED_TAG] == "true"
    assert DATA_VERSION_TAG in events["made_up"].tags
    assert USER_PROVIDED_TAG not in events["made_up"].tags


def test_events_can_be_fetched_by_their_ids(lab: Lab) -> None:
    """The last event of each partition, of an asset that another IO manager stores."""
    lab.more = {"memory": dg.InMemoryIOManager()}
    letters = dg.StaticPartitionsDefinition(["a", "b"])

    @dg.asset(io_manager_key="memory", partitions_def=letters)
    def part():
        return 1

    for key in "aba":
        lab.run(part, partition=key)
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    ids = lab.instance.get_latest_storage_id_by_partition(part.key, kind, partitions={"a", "b"})
    only = dg.AssetRecordsFilter(asset_key=part.key, storage_ids=list(ids.values()))
    records = lab.instance.fetch_materializations(only, limit=2).records

    assert {record.partition_key: record.storage_id for record in records} == ids
    assert ids["a"] > ids["b"]
    assert all(record.run_id for record in records)


def test_an_event_without_a_run_has_none(lab: Lab) -> None:
    """How a reported materialization is told from one that a run made."""
    lab.instance.report_runless_asset_event(dg.AssetMaterialization("outside"))
    (record,) = lab.instance.fetch_materializations(dg.AssetKey("outside"), limit=1).records

    made = record.event_log_entry.asset_materialization
    assert not record.run_id
    assert made is not None
    assert DATA_VERSION_TAG not in (made.tags or {})


def test_an_input_loads_before_the_body_and_outside_of_a_run(lab: Lab) -> None:
    """What tells the two apart: the step's context, and the input's name."""

    class Probe(dg.IOManager):
        def handle_output(self, context: dg.OutputContext, obj: object) -> None:
            """Keeps nothing."""

        def load_input(self, context: dg.InputContext) -> int:
            try:
                inside = context.step_context is not None
            except dg.DagsterInvariantViolationError:
                inside = False
            note((inside, context.has_input_name, dict(context.definition_metadata or {})))
            return 1

    lab.more = {"probe": Probe()}

    @dg.asset(io_manager_key="probe")
    def up():
        return 1

    @dg.asset(io_manager_key="probe", ins={"up": dg.AssetIn(metadata={"a": 1})})
    def down(up):
        return 1

    assert lab.run([up, down]).calls == [(True, True, {"a": 1})]
    dg.Definitions(assets=[up], resources=lab.resources).load_asset_value("up", instance=lab.instance)

    assert [call[:2] for call in taken()] == [(False, False)]


def test_dagster_sees_the_signature_of_the_decorated_function() -> None:
    """Its context, config, inputs and resources, so that Dagster's own direct invocation can fill them in."""

    class Db(dg.ConfigurableResource):
        host: str = ""

    @result_table
    def made(up, *, db: Db):
        return table(1)

    body = cast(Any, made.op.compute_fn).decorated_fn
    assert list(inspect.signature(body).parameters) == ["up", "db"]
    assert made.op.required_resource_keys == {"db"}
