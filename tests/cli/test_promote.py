"""`promote`: a branch's tables made current in production at a prompt, looked at first, and taken back."""

import json
import shlex
from pathlib import Path

import dagster as dg
import pytest
from cli_kit import Project, ask

from jammi_dagster.cli.target import Target

_OWN, _BRANCH = 'root=str(HERE / "results")', 'root=str(HERE / "results"), deployment="branch"'


@pytest.fixture
def branched(project: Project) -> Project:
    """The project, and a branch whose code has another factor; the code at hand is production's again."""
    project.edit(_OWN, _BRANCH)
    project.edit("FACTOR = 1", "FACTOR = 2")
    project.run("orders", "by_letter", "total")
    project.edit("FACTOR = 2", "FACTOR = 1")
    project.edit(_BRANCH, _OWN)
    return project


def _ids(project: Project, deployment: str = "default") -> dict[str, str]:
    store = project.store.beside(deployment=deployment)
    return {name: store.current(name).materialization_id for name in store.tables()}


def test_a_branch_is_looked_at_promoted_and_taken_back(branched: Project, tmp_path: Path) -> None:
    """The plan lists refusals and tables that become stale; after the merge there are none, and the plan is kept."""
    before, from_branch = _ids(branched), ("--deployment", "branch", "--to", "default", "-f", branched.file)
    refused = ask("promote", *from_branch, "--dry-run")
    assert (refused.code, refused.err) == (1, "")
    assert "refused" in refused.out
    assert "merge first, or use ahead_of_code" in refused.out
    assert "Becoming stale in default: clocked." in refused.out
    assert "4 tables to promote from branch to default." in refused.out
    answer = ask("promote", *from_branch)
    assert (answer.code, answer.out, answer.err.count("\n")) == (1, "", 1)
    assert answer.err.startswith("Error: table orders: not promoted from branch to default")

    branched.edit("FACTOR = 1", "FACTOR = 2")
    saved = str(tmp_path / "plan.json")
    planned = ask("promote", *from_branch, "--dry-run", "--save", saved, "--json")
    assert (planned.code, planned.json["plan"]["refusals"]) == (2, {})
    assert _ids(branched) == before
    done = ask("promote", *from_branch, "--plan", saved, "--by", "ada", "--reason", "release", "--json")
    assert done.code == 0
    promotion = done.json["promotion"]
    assert (promotion["by"], promotion["reason"]) == ("ada", "release")
    assert {**before, **_ids(branched, "branch")} == _ids(branched)
    again = ask("promote", *from_branch, "--dry-run")
    assert (again.code, again.out) == (0, "0 tables to promote from branch to default.\n")
    assert ask("promote", *from_branch).out == "Nothing to promote: default has these tables already.\n"
    moved = ask("promote", *from_branch, "--plan", saved)
    assert (moved.code, moved.out) == (1, "")
    assert "no longer as it was planned: table" in moved.err

    undo = ("promote", "--to", "default", "--store", branched.root, "--undo", str(promotion["sequence"]))
    assert "4 tables promoted to default." in ask(*undo).out
    assert _ids(branched) == before
    told = ask("history", "orders", "--store", branched.root, "--json").json
    assert [move["outcome"] for move in told["moves"] if move["deployment"] == "default"] == [
        "promoted",
        "promoted",
        "computed",
    ]


@pytest.mark.slow
def test_some_tables_are_promoted_without_code(branched: Project) -> None:
    """Definitions are not compared then. A partition is named after an @; an input that does not fit is refused."""
    at = ("--to", "default", "--store", branched.root, "--deployment", "branch")
    assert "promote orders along" in ask("promote", "by_letter@a", *at, "--dry-run", "--json").out
    answer = ask("promote", "by_letter@a", "orders", *at)
    assert (answer.code, answer.err) == (0, "")
    assert "Becoming stale in default: by_letter[b], clocked, total." in answer.out
    assert (
        "2 tables promoted to default.\nTake it back with: jammi-dagster promote --to default --undo "
        in answer.out
    )
    assert ask("promote", "nothing", *at).err.startswith("Error: table nothing")


@pytest.mark.slow
def test_tables_ahead_of_the_code_are_held(
    branched: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until they agree. The Dagster instance at hand is that of production, and told at once."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    ahead = ("--deployment", "branch", "-f", branched.file, "--ahead-of-code")
    answer = ask("promote", "orders", "--to", "default", *ahead)
    assert (answer.code, answer.out.splitlines()[1].split()[0]) == (0, "hold")
    made = branched.store.current("orders")
    with dg.DagsterInstance.get() as instance:
        (last,) = instance.fetch_materializations(dg.AssetKey("orders"), limit=1).records
        assert last.asset_materialization is not None
        assert (last.asset_materialization.tags or {})["dagster/data_version"] == made.artifact_digest
    status = ask("status", "-f", branched.file, "--json").json
    assert [hold["table"] for hold in status["holds"]] == ["orders"]
    branched.edit("FACTOR = 1", "FACTOR = 2")
    assert ask("status", "-f", branched.file, "--json").json["holds"] == []


@pytest.mark.slow
def test_a_recovery_tells_dagster_of_a_promotion(
    branched: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was made without code."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    assert (
        ask("promote", "orders", "--to", "default", "--store", branched.root, "--deployment", "branch").code
        == 0
    )
    assert ask("recover", "-f", branched.file).code == 0
    with dg.DagsterInstance.get() as instance:
        (last,) = instance.fetch_materializations(dg.AssetKey("orders"), limit=1).records
        assert last.asset_materialization is not None
        assert str(last.asset_materialization.metadata["jammi/why"].value).startswith(
            "promoted from branch by "
        )


@pytest.mark.slow
def test_a_misspelt_target_is_refused(branched: Project) -> None:
    """It names the deployment that may be meant; `--create` makes a new one."""
    branch = ("--store", branched.root, "--deployment", "branch")
    at = ("promote", "orders", *branch, "--dry-run", "--to", "defualt")
    answer = ask(*at)
    assert answer.code == 1
    assert "there is no such deployment, but default" in answer.err
    assert ask(*at, "--create").code == 2


def test_a_table_that_is_no_own_one_is_named(ran: Project) -> None:
    """With code, too, it is said that only own tables are promoted."""
    said = (
        "in deployment default among its own tables, which alone can be promoted, and no asset has that name;"
    )
    assert said in ask("promote", "nope", "--to", "prod", "-f", ran.file).err


def test_the_way_out_can_be_typed(ran: Project) -> None:
    """A name with brackets is quoted for the shell, and the command asks the same store."""
    at = ("by_letter[a]", "--store", ran.root)
    current = ask("history", *at, "--json").json["materializations"][0]["materialization_id"]
    answer = ask("rollback", *at, "--to", current)
    typed = answer.out.rpartition("Let runs move it again with: jammi-dagster ")[2]
    assert typed == f"release 'by_letter[a]' --store {ran.root}\n"
    assert "is released; it was held" in ask(*shlex.split(typed)).out


def test_a_way_out_holds_no_secret() -> None:
    """Options with a secret come from a file; a password in a URL is hidden."""
    options = '{"key": "abc"}'
    asked = Target(
        store="s3://b", catalog="postgresql://u:secret@h/d", storage_options=options, parent="prod"
    )
    typed = asked.again("release", "a b")
    assert "secret" not in typed
    assert "abc" not in typed
    assert typed.startswith("jammi-dagster release 'a b' --store s3://b --catalog ")
    assert typed.endswith(" --storage-options @FILE --parent prod")


def test_misuse_is_one_line(ran: Project, tmp_path: Path) -> None:
    """It says what is wrong, and exits with 1."""
    at = ("promote", "--to", "prod", "--store", ran.root)
    no_plan = tmp_path / "plan.json"
    no_plan.write_text("{")
    for options, said in (
        (("--undo", "1", "orders"), "give no others"),
        (("--undo", "1"), "no promotion to prod with sequence 1 is on record"),
        (("--save", "x"), "--save belongs to --dry-run"),
        (("--plan", str(no_plan)), "cannot be read"),
        (("--plan", str(tmp_path / "none.json")), "cannot be read"),
    ):
        answer = ask(*at, *options)
        assert (answer.code, answer.out) == (1, "")
        assert said in answer.err
    no_plan.write_text(json.dumps({"format": 9}))
    assert "make the plan again with this version" in ask(*at, "--plan", str(no_plan)).err
    assert "nowhere" in ask(*at, "--deployment", "nowhere").err


@pytest.mark.slow
def test_a_dropped_table_is_undropped(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command says where it is, and Dagster is told; one that is not dropped is an error of one line."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    before = project.store.current("orders")
    project.store.drop("orders")
    answer = ask("undrop", "orders", "-f", project.file, "--by", "ada", "--reason", "a mistake")
    assert answer.out.startswith(f"orders is at materialization {before.materialization_id}, made on ")
    with dg.DagsterInstance.get() as instance:
        (last,) = instance.fetch_materializations(dg.AssetKey("orders"), limit=1).records
        assert last.asset_materialization is not None
        assert last.asset_materialization.metadata["jammi/why"].value == "undropped by ada: a mistake"
    again = ask("undrop", "orders", "--store", project.root)
    assert (again.code, again.out) == (1, "")
    assert "table orders in deployment default: it cannot be undropped, it is not dropped" in again.err
