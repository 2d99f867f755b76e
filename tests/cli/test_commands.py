"""Each command over a small project, as text and as JSON."""

import json
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from cli_kit import PIPELINE, Answer, Project, ask, ask_process

from jammi_dagster.cli.render import FORMAT
from jammi_dagster.planning.plan import Plan

COMMANDS = {
    "status": ("status",),
    "why": ("why", "total"),
    "plan": ("plan",),
    "report": ("report",),
    "diff": ("diff", "by_letter[a]", "by_letter[b]"),
    "lineage": ("lineage", "total"),
    "history": ("history", "total"),
    "verify": ("verify",),
    "recover": ("recover", "--dry-run"),
    "adopt": ("adopt", "--dry-run"),
    "explain": ("explain",),
    "doctor": ("doctor",),
}
ONLY_CODE = {"plan", "explain"}
WORK = {"plan": 2}  # `clocked` is never reused


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_answers_over_code_in_text_and_in_json(ran: Project, command: str) -> None:
    """JSON is one object on stdout with the version of its format; the text says the same to people."""
    text = ask(*COMMANDS[command], "-f", ran.file)
    assert (text.code, text.err) == (WORK.get(command, 0), "")
    assert text.out.strip()
    answer = ask(*COMMANDS[command], "-f", ran.file, "--json")
    assert (answer.code, answer.err) == (WORK.get(command, 0), "")
    assert (answer.json["format"], answer.json["command"]) == (FORMAT, command)


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - ONLY_CODE))
def test_commands_that_need_no_code_answer_over_a_store(ran: Project, command: str) -> None:
    """`--store` names the root; nothing of the code is imported."""
    answer = ask(*COMMANDS[command], "--store", ran.root, "--json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.json["command"] == command


# --- status -----------------------------------------------------------------------------------------


def counts(answer: Answer) -> dict[str, dict[str, int]]:
    return {one["asset"]: one["counts"] for one in answer.json["assets"]}


def test_status_judges_every_table_against_the_code(project: Project) -> None:
    """The verdicts and reasons are the sensor's; a fresh table below a stale one is so for now."""
    assert counts(ask("status", "-f", project.file, "--json")) == {
        "by_letter": {"fresh": 2},
        "clocked": {"undecidable": 1},
        "orders": {"fresh": 1},
        "total": {"fresh": 1},
    }
    project.edit("number * FACTOR", "number * FACTOR + 1")
    answer = ask("status", "-f", project.file, "--json")
    assert answer.json["totals"] == {"stale": 1, "fresh_for_now": 3, "undecidable": 1}
    first = answer.json["explained"][0]
    assert first == {
        "table": "orders",
        "verdict": "stale",
        "reasons": ["helper scaled (pipeline.py) changed"],
    }
    text = ask("status", "-f", project.file).out
    assert "stale          orders" in text
    assert "helper scaled (pipeline.py) changed" in text


def test_status_counts_missing_and_gone_tables(project: Project) -> None:
    """A defined table that was never made is missing, one that no asset makes any more is gone."""
    project.edit('["a", "b"]', '["b", "c"]')
    found = counts(ask("status", "-f", project.file, "--json"))["by_letter"]
    assert found["missing"] == 1
    assert found["gone"] == 1


def test_status_of_a_store_alone_never_calls_a_table_fresh(project: Project) -> None:
    """Without the code only inputs are compared: an input that moved makes a table stale, nothing makes it fresh."""
    answer = ask("status", "--store", project.root, "--json")
    assert answer.json["code_known"] is False
    assert answer.json["totals"] == {"inputs_as_recorded": 3, "undecidable": 2}
    assert "no table is called fresh" in ask("status", "--store", project.root).out
    (project.folder / "orders.csv").write_text("customer,amount\nada,1\n")
    project.run("orders")
    answer = ask("status", "--store", project.root, "--json")
    assert {
        one["table"]: one["reasons"] for one in answer.json["explained"] if one["verdict"] == "stale"
    } == {
        "by_letter[a]": ["orders changed"],
        "by_letter[b]": ["orders changed"],
    }


def test_status_of_a_store_shows_every_deployment_unless_one_is_named(project: Project) -> None:
    store = project.store
    branch = store.beside(deployment="branch")
    record = store.current("total")
    branch.materialize(
        "mine", store.read("total"), descriptor=store.producing_descriptor("total"), env=_env(), inputs=()
    )
    assert record.deployment == "default"
    found = ask("status", "--store", project.root, "--json").json["assets"]
    assert {one["deployment"] for one in found} == {"default", "branch"}
    found = ask("status", "--store", project.root, "--deployment", "branch", "--json").json["assets"]
    assert [one["asset"] for one in found] == ["mine"]


def _env() -> dict[str, object]:
    return {"ffi": {}, "python": "3"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda project: project.edit("return total.append", "return total  # total.append"), 0),
        (lambda project: None, 3),
        (lambda project: project.edit('@result_table(cache="use")\ndef clocked', "def clocked"), 2),
    ],
    ids=["nothing to do", "undecidable", "work to do"],
)
def test_exit_codes_of_status_are_asked_for(
    project: Project, change: Callable[[Project], None], code: int
) -> None:
    """Without `--exit-code`, an answer is no failure, whatever it is."""
    change(project)
    if code == 0:
        project.run("clocked")
    if code == 2:
        project.edit("by_letter, total, clocked]", "by_letter, total]")
        project.edit("FACTOR = 1", "FACTOR = 2")
    assert ask("status", "-f", project.file).code == 0
    assert ask("status", "-f", project.file, "--exit-code").code == code


def test_without_code_the_exit_code_is_undecidable(ran: Project) -> None:
    """The exit code of a store alone never says that there is nothing to do: the code may have changed."""
    assert ask("status", "--store", ran.root, "--exit-code").code == 3


# --- plan -------------------------------------------------------------------------------------------


def test_a_plan_takes_selection_partitions_config_and_tags(project: Project, tmp_path: Path) -> None:
    """They are those of the launch."""
    config = tmp_path / "run.yaml"
    config.write_text("ops: {total: {config: {limit: 1}}}")
    for given, expected in [
        (("orders",), {"orders": "reuse"}),
        (("by_letter", "--partition", "a"), {"by_letter[a]": "reuse"}),
        (
            ("by_letter", "--partition", "a", "--partition", "b"),
            {"by_letter[a]": "reuse", "by_letter[b]": "reuse"},
        ),
        (("total", "--config", str(config)), {"total": "compute"}),
        (("total", "--tags", '{"jammi/cache": "bypass"}'), {"total": "compute"}),
        (("total", "--recorded-config"), {"total": "reuse"}),
        (("orders", "--deployment", "branch"), {"orders": "reuse"}),
    ]:
        answer = ask("plan", *given, "-f", project.file, "--json")
        assert answer.err == ""
        assert {one["table"]: one["action"] for one in answer.json["plan"]["rows"]} == expected, given
        assert answer.code == answer.json["exit_code"] == (0 if set(expected.values()) == {"reuse"} else 2)


def test_a_plan_shows_cause_way_and_cost(project: Project) -> None:
    project.edit("number * FACTOR", "number * FACTOR + 1")
    answer = ask("plan", "-f", project.file)
    assert answer.code == 2
    assert "compute           orders" in answer.out
    assert "helper scaled (pipeline.py) changed" in answer.out
    assert "by way of by_letter[a] < orders" in answer.out
    assert "Computing takes at least" in answer.out


ELSEWHERE = """
@dg.asset(io_manager_key="files")
def elsewhere() -> dg.MaterializeResult[int]:
    return dg.MaterializeResult(value=1, data_version=dg.DataVersion("1"))


@result_table(cache="use")
def counted(elsewhere: int) -> pa.Table:
    return pa.table({"n": [elsewhere]})


files = dg.FilesystemIOManager(base_dir=str(HERE / "files"))
defs = finalize(
    dg.Definitions(
        [orders, elsewhere, counted], resources={"io_manager": ResultTableIOManager(store=store), "files": files}
    )
)
"""


def test_a_plan_that_cannot_be_known_wins(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that is unknown until the run makes the exit code 3, beside tables to compute."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").touch()
    project.write(PIPELINE.replace("FACTOR = 1", "FACTOR = 11") + ELSEWHERE)
    project.run("elsewhere", "counted")
    answer = ask("plan", "-f", project.file, "--json")
    assert answer.json["plan"]["counts"] == {"compute": 2, "unknown until run": 1}
    assert answer.code == 3


def test_a_saved_plan_is_checked(project: Project, tmp_path: Path) -> None:
    """It holds while its basis stands; then it is refused with one line that names what moved."""
    file = tmp_path / "plan.json"
    made = ask("plan", "orders", "-f", project.file, "--save", str(file), "--json")
    assert Plan.from_dict(json.loads(file.read_text())) == Plan.from_dict(made.json["plan"])
    held = ask("plan", "--check", str(file), "-f", project.file)
    assert held.code == 0
    assert "The plan still holds." in held.out
    project.edit("FACTOR = 1", "FACTOR = 22")
    moved = ask("plan", "--check", str(file), "-f", project.file)
    assert moved.code == 1
    assert moved.err == "Error: plan: no longer as it was planned: code orders; make the plan again\n"


def test_a_long_plan_is_summed_up(project: Project) -> None:
    project.edit("number * FACTOR", "number * FACTOR + 1")
    answer = ask("plan", "-f", project.file, "--most", "1")
    assert "and  by_letter  2 compute or reuse" in answer.out


# --- why and diff -----------------------------------------------------------------------------------


def test_why_tells_the_reason_of_the_past_and_of_now(project: Project) -> None:
    """The reason that was recorded; with code also the present verdict, and why it is none of fresh."""
    assert ask("why", "total", "--store", project.root, "--json").json["reasons"] == ["first time"]
    assert "now" not in ask("why", "total", "--store", project.root, "--json").json
    assert ask("why", "total", "-f", project.file).out.splitlines()[1:] == [
        "  first time",
        "At present it is fresh.",
    ]
    project.edit("number * FACTOR", "number * FACTOR + 1")
    now = ask("why", "orders", "-f", project.file)
    assert now.out.splitlines()[2:] == ["At present it is stale:", "  helper scaled (pipeline.py) changed"]
    assert ask("why", "total", "-f", project.file, "--json").json["now"] == {
        "verdict": "fresh_for_now",
        "reasons": ["it derives from orders, which is stale"],
    }
    project.run("orders")
    made = ask("why", "orders", "--store", project.root)
    assert "helper scaled (pipeline.py) changed" in made.out


def test_diff_compares_definition_rows_and_bytes(project: Project) -> None:
    """Two ids or two tables; with key columns, rows are compared too."""
    before = project.store.current("orders").materialization_id
    project.edit("number * FACTOR", "number * FACTOR + 1")
    project.run("orders")
    found = ask("diff", before, "orders", "--keys", "n", "--store", project.root, "--json").json
    assert [one["text"] for one in found["definition"]] == ["helper scaled (pipeline.py) changed"]
    assert found["rows"] == {
        "keys": ["n"],
        "added": 1,
        "removed": 1,
        "changed": 0,
        "unchanged": 0,
        "repeated": 0,
    }
    text = ask("diff", before, "orders", "--keys", "n", "--store", project.root).out.splitlines()
    assert text == [
        "definition  helper scaled (pipeline.py) changed",
        "rows        1, as before",
        "by n        1 added, 1 removed, 0 changed",
        "bytes       other ones",
    ]
    wrong = ask("diff", before, "orders", "--keys", "nope", "--store", project.root)
    assert (wrong.code, wrong.err.count("\n")) == (1, 1)


# --- the record -------------------------------------------------------------------------------------


def test_history_marks_the_current_one(project: Project) -> None:
    (project.folder / "orders.csv").write_text("customer,amount\nada,1\n")
    project.run("orders")
    found = ask("history", "orders", "--store", project.root, "--json").json["materializations"]
    assert [one["is_current"] for one in found] == [True, False]
    assert found[0]["materialization_id"] == project.store.current("orders").materialization_id
    text = ask("history", "orders", "--store", project.root).out.splitlines()
    assert [line[:1] for line in text[:3]] == [" ", "*", " "]
    assert text[4].split() == [
        "moved",
        "sequence",
        "outcome",
        "materialization",
        "deployment",
        "run",
        "reason",
    ]
    assert [line.split()[2] for line in text[5:]] == ["computed", "computed"]
    assert "file orders.csv changed" in text[5]


def test_a_table_is_rolled_back_and_released(project: Project) -> None:
    """The hold is told by status, plan and history; while it is there, a run is recorded and moves nothing."""
    first = project.store.current("orders").materialization_id
    (project.folder / "orders.csv").write_text("customer,amount\nada,1\n")
    project.run("orders")
    told = ask(
        "rollback", "orders", "--to", first, "--by", "ada", "--reason", "wrong units", "-f", project.file
    )
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith(f"orders is at materialization {first}, made on ")
    assert "held by ada since" in told.out
    status = ask("status", "-f", project.file, "--json").json
    assert [hold["table"] for hold in status["holds"]] == ["orders"]
    (reasons,) = [one["reasons"] for one in status["explained"] if one["table"] == "orders"]
    assert reasons[0] == "file orders.csv changed"
    assert reasons[-1].startswith("held by ada since ")
    for where in (("-f", project.file), ("--store", project.root)):
        assert "(wrong units)" in ask("status", *where).out
    (planned,) = ask("plan", "orders", "-f", project.file, "--json").json["plan"]["rows"]
    assert planned["reasons"][-1].startswith(
        "it is recorded, but does not become current: held by ada since "
    )
    project.run("orders")
    assert project.store.current("orders").materialization_id == first
    history = ask("history", "orders", "--store", project.root, "--json").json
    assert history["hold"]["by"] == "ada"
    assert [move["outcome"] for move in history["moves"]] == ["rolled_back", "computed", "computed"]
    released = ask("release", "orders", "--store", project.root, "--json").json
    assert released["hold"] == history["hold"]
    assert ask("release", "orders", "--store", project.root).out == "orders was not held.\n"
    project.run("orders")
    assert project.store.current("orders").materialization_id != first


def test_a_rollback_with_code_tells_dagster(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The instance of `DAGSTER_HOME` has the event at once."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    first = project.store.current("orders")
    (project.folder / "orders.csv").write_text("customer,amount\nada,1\n")
    project.run("orders")
    assert ask("rollback", "orders", "--to", first.materialization_id, "-f", project.file).code == 0
    assert "It is held by " in ask("why", "orders", "--store", project.root).out
    with dg.DagsterInstance.get() as instance:
        (last,) = instance.fetch_materializations(dg.AssetKey("orders"), limit=1).records
        assert last.asset_materialization is not None
        assert (last.asset_materialization.tags or {})["dagster/data_version"] == first.artifact_digest


def test_a_rollback_to_nothing_is_one_line(ran: Project) -> None:
    """It names the table and the past that was asked for, and exits with 1."""
    answer = ask("rollback", "total", "--to", "1999-01-01", "--store", ran.root)
    assert (answer.code, answer.out, answer.err.count("\n")) == (1, "", 1)
    assert "table total at 1999-01-01: its history begins on" in answer.err


def test_an_accepted_table_is_shown_wherever_it_is_judged(project: Project) -> None:
    """A renamed helper is accepted with its reason; another constant is refused in one line where config differs."""
    project.edit("scaled", "times")
    assert ask("status", "-f", project.file, "--json").json["totals"]["stale"] == 1
    given = ("--reason", "a better name", "--by", "ada")
    told = ask("accept", "orders", *given, "-f", project.file, "--json").json
    assert [one["table"] for one in told["accepted"]] == ["orders"]
    status = ask("status", "-f", project.file)
    assert "accepted by ada because a better name" in status.out
    assert ask("status", "-f", project.file, "--json").json["accepted"] == told["accepted"]
    why = ask("why", "orders", "-f", project.file)
    assert why.out.endswith("At present it is fresh:\n  accepted by ada because a better name\n")
    assert "It was accepted by ada" in ask("why", "orders", "--store", project.root).out
    (planned,) = ask("plan", "orders", "-f", project.file, "--json").json["plan"]["rows"]
    assert planned["reasons"] == ["accepted by ada because a better name"]
    project.edit("limit: int = 10", "limit: int = 9")
    refused = ask("accept", "total", *given, "-f", project.file)
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert (
        "table total: it cannot be accepted, more than its code differs (config.limit 10 -> 9" in refused.err
    )


def test_lineage_of_a_materialization_goes_by_ids(ran: Project) -> None:
    """Up, down or both, as text, data or a flowchart; it goes with no table."""
    ids = {
        table: ran.store.current(table).materialization_id for table in ("orders", "by_letter[a]", "total")
    }
    asked = ("lineage", "--materialization", ids["by_letter[a]"], "--store", ran.root)
    text = ask(*asked).out.splitlines()
    assert text[:2] == ["upstream", f"  orders {ids['orders']} (current)"]
    assert text[-3:-1] == ["downstream", f"  total {ids['total']} (current)"]
    assert ask(*asked, "--down").out.splitlines() == text[-3:]
    assert ask(*asked, "--json").json["materialization"] == ids["by_letter[a]"]
    assert ask(*asked, "--mermaid").out.startswith("flowchart LR\n")
    assert ask("lineage", "--store", ran.root).code == ask("lineage", "total", *asked[1:]).code == 1
    assert "--mermaid belongs to" in ask("lineage", "total", "--mermaid", "--store", ran.root).err


def test_lineage_goes_up_and_down_as_far_as_asked(ran: Project) -> None:
    """A name that is reached twice is shown once with its own inputs."""
    text = ask("lineage", "total", "--store", ran.root).out.splitlines()
    assert text == [
        "upstream",
        "  by_letter[a]",
        "    orders",
        "      file:orders.csv",
        "  by_letter[b]",
        "    orders (shown elsewhere)",
        "downstream",
        "  clocked",
    ]
    down = ask("lineage", "orders", "--down", "--depth", "1", "--store", ran.root, "--json").json
    assert "upstream" not in down
    assert [(edge["input"], edge["derived"]) for edge in down["downstream"]] == [
        ("orders", "by_letter[a]"),
        ("orders", "by_letter[b]"),
    ]
    assert ask("lineage", "clocked", "--down", "--store", ran.root).out.splitlines() == [
        "downstream",
        "  nothing",
    ]
    up = ask("lineage", "file:orders.csv", "--store", ran.root).out.splitlines()
    assert up[:2] == ["upstream", "  nothing"]


def test_verify_names_damaged_and_lost_tables(project: Project) -> None:
    """The name of an asset stands for its partitions; one table that is not intact is an error."""
    assert ask("verify", "--store", project.root).out == "5 tables: 5 intact, 0 not\n"
    store = project.store
    damaged = Path(project.root, store.current("by_letter[a]").artifact_path)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    Path(project.root, store.current("by_letter[b]").artifact_path).unlink()
    answer = ask("verify", "by_letter", "--store", project.root, "--json")
    assert answer.code == 1
    assert {one["table"]: one["verdict"] for one in answer.json["tables"]} == {
        "by_letter[a]": "mismatch",
        "by_letter[b]": "bytes_missing",
    }
    assert ask("verify", "orders", "--store", project.root).code == 0


def test_a_lost_catalog_is_adopted(project: Project) -> None:
    """Without its catalog a root is no store, and the message says how to make a new one."""
    for file in Path(project.root).glob("catalog.db*"):
        file.unlink()
    refused = ask("status", "--store", project.root)
    assert refused.code == 1
    assert "jammi-dagster adopt --take-over" in refused.err
    assert not Path(project.root, "catalog.db").exists()
    adopted = ask("adopt", "--take-over", "--store", project.root, "--json")
    assert adopted.code == 0
    assert len(adopted.json["report"]["adopted"]) == 5
    assert project.store.tables() == ["by_letter[a]", "by_letter[b]", "clocked", "orders", "total"]


def test_recover_reports_and_then_acts(project: Project) -> None:
    path = project.store.current("orders").artifact_path
    stray = Path(project.root, path.replace(Path(path).stem, "0" * 32))
    stray.write_bytes(b"left over")
    options = ("--grace-seconds", "0", "--store", project.root)
    assert ask("recover", "--dry-run", *options).code == 0
    assert stray.exists()
    assert stray.name in ask("recover", *options).out
    assert not stray.exists()


# --- code -------------------------------------------------------------------------------------------


def test_explain_names_place_and_way_out(ran: Project) -> None:
    """An asset that is not pinned says why; a named asset shows its components."""
    text = ask("explain", "-f", ran.file).out
    assert "not pinned  clocked\n  time.time (pipeline.py:" in text
    assert "    -> pass the value in" in text
    assert text.endswith("3 of 4 assets pinned.\n")
    whole = ask("explain", "orders", "-f", ran.file).out
    assert "helper scaled (pipeline.py)" in whole
    assert "library pyarrow" in whole
    found = ask("explain", "--all", "-f", ran.file, "--json").json["assets"]
    assert {name for name, one in found.items() if one["components"]} == {
        "orders",
        "by_letter",
        "total",
        "clocked",
    }
    assert found["clocked"]["reasons"][0]["place"].startswith("pipeline.py:")


def test_doctor_tells_a_healthy_store_from_a_broken_one(project: Project) -> None:
    """Each line is ok, warn or error, and one that is not ok holds the way out."""
    # in a process of its own: it looks at all loaded code, and other tests edit theirs
    healthy = ask_process("doctor", "-f", project.file, "--json", folder=project.folder)
    assert healthy.code == 0
    levels = {one["what"]: one["level"] for one in healthy.json["checks"]}
    whole = ("root", "catalog", "clock", "loaded code")
    assert {levels[what] for what in whole} == {"ok"}, healthy.json["checks"]
    assert levels["identity"] == "warn"
    assert not list(Path(project.root).glob("*.key")), "looking makes no key"
    Path(project.root, "jammi-root.json").unlink()
    broken = ask("doctor", "--store", project.root)
    assert broken.code == 1
    assert "error  root" in broken.out
    assert "check that the root is mounted" in broken.out


@pytest.mark.parametrize("command", ["doctor", "status"])
def test_a_lost_catalog_is_said(project: Project, command: str) -> None:
    """It is empty until the next write: no table is counted, and the way to have them back is named."""
    for lost in Path(project.root).glob("catalog.db*"):
        lost.unlink()
    told = ask(command, "--store", project.root)
    assert told.code == 1
    assert "jammi-dagster adopt" in told.out + told.err
