"""What the code does not declare must not lead to a reuse (DESIGN 4, "Undeclared inputs")."""

import os
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Lab, table

from jammi_dagster import InputAnchor, result_table
from jammi_dagster.surfaces import file

letters = dg.StaticPartitionsDefinition(["a", "b"])


class Remote(dg.ConfigurableResource):
    host: str = "localhost"

    def folder(self) -> str:
        return os.getcwd()


class Connection(dg.ConfigurableResource):
    host: str = "localhost"


@result_table(reads=[])
def raw() -> pa.Table:
    return table(1)


def twice(lab: Lab, asset: Any, **more: Any) -> tuple[list[str], str]:
    """The outcomes of two runs, and why the table is unpinned."""
    name = asset.key.to_user_string()
    runs = [lab.run([raw, asset], select=[raw, asset] if not more else [asset], **more) for _ in range(2)]
    (shown,) = {next(key for key in ran.outcomes if key.partition("[")[0] == name) for ran in runs}
    return [ran.outcomes[shown] for ran in runs], runs[-1].why_unpinned(shown)


def test_a_function_without_upstream_may_read_the_world(lab: Lab) -> None:
    """It is never reused, and the reason names the argument that would change that."""

    @result_table
    def made() -> pa.Table:
        return table(1)

    outcomes, why = twice(lab, made)

    assert outcomes == ["computed", "computed"]
    assert "it has no upstream: declare reads=[…], or reads=[] where it reads nothing else" in why
    (anchor,) = lab.anchors("made").values()
    assert anchor.source == "undeclared:made"
    assert anchor.is_unpinned


def test_reads_nothing_says_so(lab: Lab) -> None:
    """`reads=[]` is the author's word that the function reads nothing else."""

    @result_table(reads=[])
    def made() -> pa.Table:
        return table(1)

    assert twice(lab, made) == (["computed", "reused"], "")
    assert lab.anchors("made") == {}


def test_a_function_of_its_upstreams_alone_is_reused(lab: Lab) -> None:
    """With upstream assets and nothing else, no declaration is asked for."""

    @result_table
    def made(raw: pa.Table) -> pa.Table:
        return raw

    assert twice(lab, made) == (["computed", "reused"], "")


@pytest.mark.parametrize("declared", [True, False])
def test_resources_may_bring_in_anything(lab: Lab, declared: bool) -> None:
    """A resource whose used code may read: unpinned. One that is handed on counts whole."""
    lab.more = {"db": Remote()}
    arguments: dict[str, Any] = {"reads": []} if declared else {}

    @result_table(**arguments)
    def made(raw: pa.Table, db: Remote) -> pa.Table:
        str(db)
        return raw

    outcomes, why = twice(lab, made)

    assert outcomes == ["computed", "computed"]
    assert "os.getcwd" in why
    assert ("it takes resources (db): declare reads=" in why) is not declared


def test_a_resource_that_shows_no_config_is_never_recorded(lab: Lab) -> None:
    """A plain object or a legacy resource cannot be told from another: `reads=[]` does not help."""

    @dg.resource(config_schema={"host": str})
    def legacy(context):
        return context.resource_config["host"]

    lab.more = {
        "legacy": legacy.configured({"host": "a"}),
        "plain": dg.ResourceDefinition.hardcoded_resource(5),
    }

    @result_table(reads=[])
    def made(raw: pa.Table, legacy: dg.ResourceParam[str], plain: dg.ResourceParam[int]) -> pa.Table:
        return raw

    outcomes, why = twice(lab, made)

    assert outcomes == ["computed", "computed"]
    assert "legacy: resource builtins.str shows no config: make it a ConfigurableResource" in why
    assert "plain: resource builtins.int shows no config" in why


def test_partition_and_log_of_the_context_are_inside(lab: Lab) -> None:
    """What the context says of the table itself is in the descriptor; the log takes and gives nothing."""

    @result_table(partitions_def=letters)
    def made(context: dg.AssetExecutionContext, raw: pa.Table) -> pa.Table:
        context.log.info("making %s", context.partition_key)
        assert context.asset_key == dg.AssetKey("made")
        return table(context.partition_key, *context.partition_keys)

    lab.run(raw)
    assert twice(lab, made, partition="a") == (["computed", "reused"], "")


@pytest.mark.filterwarnings("ignore:AssetExecutionContext.run_id is deprecated:DeprecationWarning")
@pytest.mark.parametrize("use", ["run_id", "instance", "run", "op_execution_context", "resources"])
def test_other_uses_of_the_context_may_bring_in_anything(lab: Lab, module: Any, use: str) -> None:
    """The run id, the instance, the op's config: unpinned, and the reason names the use."""
    made = module(
        "context_use",
        f"""
        from jammi_dagster import result_table
        @result_table
        def made(context, raw):
            str(context.{use})
            return raw
        """,
    ).made

    outcomes, why = twice(lab, made)

    assert outcomes == ["computed", "computed"]
    assert f"context.{use}" in why


def test_a_context_that_is_handed_on_may_be_used_for_anything(lab: Lab) -> None:
    """What another function does with it is not looked into."""

    def helper(context: Any) -> pa.Table:
        return table(context.run.run_id)

    @result_table
    def made(context: dg.AssetExecutionContext, raw: pa.Table) -> pa.Table:
        return helper(context)

    outcomes, why = twice(lab, made)

    assert outcomes == ["computed", "computed"]
    assert "context.run in " in why


def test_a_declaration_covers_the_resources_of_the_context(lab: Lab) -> None:
    """`reads=[]` is the author's word for reads by way of the context."""

    @result_table(reads=[])
    def made(context: dg.AssetExecutionContext, raw: pa.Table) -> pa.Table:
        str(context.resources)
        return raw

    assert twice(lab, made) == (["computed", "reused"], "")


def test_no_declaration_covers_the_run(lab: Lab) -> None:
    """`reads=[]` says nothing about the run: its id differs every time."""

    @result_table(reads=[])
    def made(context: dg.AssetExecutionContext, raw: pa.Table) -> pa.Table:
        return table(context.run.run_id)

    outcomes, why = twice(lab, made)

    assert outcomes == ["computed", "computed"]
    assert "context.run tells about the run" in why


@pytest.mark.parametrize("expression", ["time.time()", "random.random()", "os.environ.get('X')"])
def test_clock_chance_and_environment_in_the_code_unpin(lab: Lab, module: Any, expression: str) -> None:
    """A declaration does not make a clock stand still: only `code_version=` is the author's word for the code."""
    source = f"""
        import os, random, time
        from jammi_dagster import result_table
        @result_table(reads=[]{{}})
        def made(raw):
            {expression}
            return raw
    """
    outcomes, why = twice(lab, module("impure", source.format("")).made)
    assert outcomes == ["computed", "computed"]
    assert expression.partition("(")[0].removesuffix(".get") in why
    assert "code_version=" in why

    vouched = module("vouched", source.format(", code_version='1'")).made
    assert twice(lab, vouched) == (["computed", "reused"], "")


def test_a_declared_file_is_an_input(lab: Lab, tmp_path: Path) -> None:
    """By the digest of its content: touched is the same, changed is another, changed back is the first again."""
    path = tmp_path / "raw.csv"

    @result_table(reads=[file(path, name="raw.csv")])
    def made() -> pa.Table:
        return table(path.read_text())

    outcomes = []
    for text in ("one", "one", "two", "one"):
        path.write_text(text)
        outcomes.append(lab.run(made).outcomes["made"])

    assert outcomes == ["computed", "reused", "computed", "reused"]
    assert set(lab.anchors("made")) == {"file:raw.csv"}
    assert lab.anchors("made")["file:raw.csv"].anchor.startswith("sha256:")


def test_a_declared_file_that_is_missing_is_an_error(lab: Lab, tmp_path: Path) -> None:
    """Before the body runs, naming the file."""

    @result_table(reads=[file(tmp_path / "none", name="none")])
    def made() -> pa.Table:
        return table(1)

    assert "InputMissing: table made: its input file:none does not exist" in lab.run(made, ok=False).error


def test_reads_may_depend_on_the_partition(lab: Lab, tmp_path: Path) -> None:
    """A function from the partition key: each partition has its own file, a range those of all its partitions."""
    for key in "ab":
        (tmp_path / key).write_text(key)

    @result_table(
        partitions_def=letters,
        reads=lambda key: [file(tmp_path / key, name=key), file(tmp_path / "a", name="shared")],
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def made(context: dg.AssetExecutionContext) -> dict[str, pa.Table]:
        return {key: table(key) for key in context.partition_keys}

    assert [lab.run(made, partition=key).outcomes for key in "abab"] == [
        {"made[a]": "computed"},
        {"made[b]": "computed"},
        {"made[a]": "reused"},
        {"made[b]": "reused"},
    ]
    assert set(lab.anchors("made[b]")) == {"file:b", "file:shared"}
    (tmp_path / "b").write_text("changed")
    assert lab.run(made, partition="a").outcomes == {"made[a]": "reused"}
    assert lab.run(made, partition="b").outcomes == {"made[b]": "computed"}

    lab.run(made, span=("a", "b"))
    assert set(lab.anchors("made[a]")) == set(lab.anchors("made[b]")) == {"file:a", "file:b", "file:shared"}


def test_reads_of_an_unpartitioned_asset_get_none(lab: Lab, tmp_path: Path) -> None:
    """The function is called with None where there is no partition."""
    (tmp_path / "None").write_text("x")

    @result_table(reads=lambda key: [file(tmp_path / str(key), name=str(key))])
    def made() -> pa.Table:
        return table(1)

    lab.run(made)
    assert set(lab.anchors("made")) == {"file:None"}


def test_one_name_for_two_files_is_an_error(lab: Lab, tmp_path: Path) -> None:
    """One would hide the other, and a change of the hidden one would be reused over."""
    for name in "ab":
        (tmp_path / name).write_text(name)

    @result_table(reads=[file(tmp_path / name, name="raw") for name in "ab"])
    def made() -> pa.Table:
        return table(1)

    assert "DuplicateInput: input file:raw occurs more than once" in lab.run(made, ok=False).error


def test_a_file_that_is_declared_twice_is_one_input(lab: Lab, tmp_path: Path) -> None:
    """The same surface again says nothing new."""
    (tmp_path / "a").write_text("a")

    @result_table(reads=[file(tmp_path / "a", name="a"), file(tmp_path / "a", name="a")])
    def made() -> pa.Table:
        return table(1)

    assert twice(lab, made) == (["computed", "reused"], "")


def test_a_surface_cannot_pass_for_a_table(lab: Lab) -> None:
    """A bare source would stand for the upstream's digest: an error, whichever comes first."""

    class Bare:
        source = "raw"

        def observe(self) -> str:
            return "1"

    @result_table(reads=[Bare()])
    def made(raw: pa.Table) -> pa.Table:
        return raw

    assert "DuplicateInput: input raw occurs more than once" in lab.run([raw, made], ok=False).error


def test_the_unpinned_table_is_an_input_by_its_digest(lab: Lab) -> None:
    """Unpinned is not contagious: what is below is pinned to the bytes that it read."""

    @result_table
    def world() -> pa.Table:
        return table(1)

    @result_table
    def below(world: pa.Table) -> pa.Table:
        return world

    assert [lab.run([world, below]).outcomes for _ in range(2)] == [
        {"world": "computed", "below": "computed"},
        {"world": "computed", "below": "reused"},
    ]
    digest = lab.store.current("world").artifact_digest
    assert lab.anchors("below") == {"world": InputAnchor.result_digest("world", str(digest))}
