"""`collect`, `why-alive` and `prune`: each says what the store says."""

import pytest
from cli_kit import Project, ask
from core_kit import make, numbers


def _old_ones(project: Project) -> None:
    """Makes a table of no asset twice."""
    for count in (1, 2):
        make(project.store, "scratch", numbers(count), step=count)


def test_a_collection_is_reported_and_then_done(project: Project) -> None:
    """By default nothing changes; a run deletes what the dry one named, and `why-alive` explains the rest."""
    _old_ones(project)
    given = ("--keep-last", "0", "--grace-seconds", "0", "--store", project.root)
    said = ask("collect", *given)
    assert said.code == 0
    assert "1 materialization would be deleted" in said.out
    assert "do it with --no-dry-run" in said.out
    assert ask("collect", *given, "--table", "scratch=2", "--json").json["report"]["collected"] == []
    done = ask("collect", *given, "--no-dry-run", "--json").json["report"]
    assert len(done["collected"]) == 1
    assert done["kept_count"] == len(done["kept"])
    why = ask("why-alive", "scratch", "--store", project.root)
    assert why.out.count("current in deployment default") == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("collect", "--keep-last", "-1"), "--keep-last"),
        (("collect", "--table", "raw/*"), "PATTERN=N"),
        (("collect", "--table", "raw/*=some"), "PATTERN=N"),
        (("why-alive", "nothing"), "table nothing does not exist"),
        (("prune",), "this command reads code"),
    ],
)
def test_a_bad_option_names_the_way_out(project: Project, given: tuple[str, ...], said: str) -> None:
    """In one error, before anything changes."""
    answer = ask(*given, "--store", project.root)
    assert answer.code != 0
    assert said in answer.err


@pytest.mark.slow
def test_a_lost_table_is_restored_by_the_code(project: Project) -> None:
    """No second time while it is whole. It exits with 1 where the code makes other bytes, and then restores nothing."""
    lost, given = project.store.current("orders"), ("restore", "orders", "-f", project.file)
    assert ask(*given).out == f"orders {lost.materialization_id}: nothing to do: its bytes are there.\n"
    project.store.artifacts.delete(lost.artifact_path)
    assert ask(*given, "--json").json["restoration"]["outcome"] == "restored"
    again = ask(*given, "--materialization", lost.materialization_id, "--json").json["restoration"]
    copy = project.store.current("orders")
    assert (again["outcome"], again["restored_id"]) == ("there", copy.materialization_id)
    project.store.artifacts.delete(copy.artifact_path)
    project.edit("FACTOR = 1", "FACTOR = 2")
    diverged = ask(*given, "--materialization", lost.materialization_id)
    assert (diverged.code, "not restored: other bytes were made" in diverged.out) == (1, True)
    assert "reads code" in ask("restore", "orders", "--store", project.root).err


def test_prune_drops_the_names_of_assets_that_are_gone(project: Project) -> None:
    """The code's own tables stay, with all of their partitions, and so do held ones."""
    _old_ones(project)
    make(project.store, "kept elsewhere", numbers(1), step=5)
    make(project.store, "held", numbers(1), step=6)
    project.store.rollback("held", project.store.current("held").materialization_id, by="ada")
    before = project.store.tables()
    given = ("prune", "--keep", "kept elsewhere", "-f", project.file)
    assert "1 table would be dropped" in ask(*given).out
    assert project.store.tables() == before
    answer = ask(*given, "--no-dry-run")
    assert "held by ada" in answer.out
    assert project.store.tables() == sorted({*before} - {"scratch"})
