"""A function that writes elsewhere: its state is the version of its `writes=` surfaces after it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest
from adapters_kit import Lab, note, table
from executor_kit import definitions as job_definitions
from executor_kit import launch
from sensing_kit import Ticking, definitions, evaluate, kinds
from sensing_kit import plan as plan_of

from jammi_dagster import JammiError, MatchVerdict, plan, recompute, result_table
from jammi_dagster.adapters.judgement.wording import reasons
from jammi_dagster.contract.anchors import is_written
from jammi_dagster.errors import SurfaceUnavailable, UnsupportedArgument
from jammi_dagster.surfaces import FileSurface

letters = dg.StaticPartitionsDefinition(["a", "b"])


@dataclass
class Warehouse:
    """A table elsewhere with a version; `down` makes it unreachable."""

    source: str = "warehouse:daily"
    version: str | None = None
    down: bool = False

    def observe(self) -> str | None:
        if self.down:
            raise SurfaceUnavailable(source=self.source, why="no connection")
        return self.version


def pipeline(folder: Path, text: str = "1", version: str = "1", **more: Any) -> list[Any]:
    """A table, a file that is written from it, and a table below the file."""
    path = folder / "out.csv"
    out = FileSurface(source="file:out.csv", path=str(path))

    @result_table(reads=[], code_version=text)
    def numbers() -> pa.Table:
        return table(text)

    @result_table(writes=[out], code_version=version, **more)
    def export(numbers: pa.Table) -> None:
        note("export")
        path.write_text(str(numbers.column("x").to_pylist()))

    @result_table(deps=[export], reads=[out], code_version="1")
    def after() -> pa.Table:
        note("after")
        return table(len(path.read_text()))

    return [numbers, export, after]


def test_it_is_reused_while_the_surface_is_as_it_left_it(lab: Lab, tmp_path: Path) -> None:
    """The second run calls nothing, and everything below is reused; the record is an object that holds the versions."""
    assets = pipeline(tmp_path)
    first = lab.run(assets)
    assert first.calls == ["export", "after"]
    again = lab.run(assets)
    assert again.calls == []
    assert again.outcomes == dict.fromkeys(["numbers", "export", "after"], "reused")
    held = lab.store.read_object("export")
    assert list(held) == ["file:out.csv"]
    assert lab.anchors("export")["written:file:out.csv"].anchor == held["file:out.csv"]
    assert lab.anchors("after").keys() == {"export", "file:out.csv"}
    assert first.said("export")["jammi/media_type"] == "application/vnd.jammi.versions+json"
    assert "dagster/row_count" not in first.said("export")
    assert again.said("export")["jammi/inputs"].startswith("1 input")
    assert not evaluate(lab, assets).tables


CHANGES: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    "changed": (lambda path: path.write_text("other"), "stale", "file:out.csv, which it writes, changed"),
    "gone": (lambda path: path.unlink(), "bytes_missing", "file:out.csv, which it writes, is gone"),
    "no_file": (
        lambda path: path.mkdir(),
        "undecidable",
        "file:out.csv, which it writes, has no version to compare",
    ),
}


def test_the_verdict_compares_the_surface(lab: Lab, tmp_path: Path) -> None:
    """Somebody else changed it: stale. Gone: without bytes. Not to be observed: undecidable. The reason names it."""
    assets = pipeline(tmp_path)
    lab.run(assets)
    for move, kind, reason in CHANGES.values():
        move(tmp_path / "out.csv")
        found = evaluate(lab, assets)
        assert kinds(found)["export"] == kind
        assert reasons(found.tables["export"]) == [reason]


def test_a_changed_surface_is_written_again(lab: Lab, tmp_path: Path) -> None:
    """The plan says compute and why; the run does; below nothing is computed, since the same was written."""
    assets = pipeline(tmp_path)
    lab.run(assets)
    (tmp_path / "out.csv").write_text("other")
    planned = {row.table: row for row in plan(definitions(lab, assets), instance=lab.instance).rows}
    assert planned["export"].action == "compute"
    assert planned["export"].reasons == ("file:out.csv, which it writes, changed",)
    ran = lab.run(assets)
    assert (ran.calls, ran.outcomes["after"]) == (["export"], "reused")
    assert ran.said("export")["jammi/why"] == "file:out.csv, which it writes, changed"
    assert not evaluate(lab, assets).tables


@pytest.mark.slow  # many runs
def test_another_result_reaches_the_tables_below(lab: Lab, tmp_path: Path) -> None:
    """A changed input is written, and the table below the file is computed; the old one comes back by a rerun alone."""
    lab.run(pipeline(tmp_path))
    ran = lab.run(pipeline(tmp_path, text="22"))
    assert ran.calls == ["export", "after"]
    back = lab.run(pipeline(tmp_path))
    assert back.calls == ["export"], "a stored version that the surface no longer has is no hit"
    assert back.outcomes["after"] == "reused"


@pytest.mark.slow  # many runs
def test_the_sensor_writes_it_again_and_rests(lab: Lab, tmp_path: Path) -> None:
    """It asks for the table whose surface changed or is gone, and comes to rest once it is written."""
    assets = pipeline(tmp_path)
    lab.run(assets)
    sensor = Ticking(lab, assets)
    assert sensor.settle() == []
    (tmp_path / "out.csv").write_text("other")
    assert sensor.settle() == [{"export": "computed", "after": "reused"}]
    (tmp_path / "out.csv").unlink()
    assert sensor.settle() == [{"export": "computed"}]
    assert (tmp_path / "out.csv").read_text() == "['1']"


@pytest.mark.slow  # many runs
def test_checks_recompute_reuse_first_and_the_store_know_it(lab: Lab, tmp_path: Path) -> None:
    """Each of the other ways to ask gives the same answer."""
    assets = pipeline(tmp_path)
    defs = job_definitions(lab, assets)
    launch(lab, defs)
    assert launch(lab, defs).outcomes == dict.fromkeys(["numbers", "export", "after"], "reused")
    out = FileSurface(source="file:out.csv", path=str(tmp_path / "out.csv"))
    recorded = lab.store.current("export").definition_hash
    assert recorded is not None
    assert lab.store.staleness("export", recorded, surfaces=[out]).is_fresh
    (tmp_path / "out.csv").write_text("other")
    (reason,) = lab.store.staleness("export", recorded, surfaces=[out]).reasons
    assert (reason.reason, reason.source) == ("input_advanced", "written:file:out.csv")
    assert launch(lab, defs).outcomes["export"] == "computed"
    recompute(lab.store, definitions(lab, assets), "export", instance=lab.instance)
    assert lab.store.verify_materialization("export") == MatchVerdict.match()
    report = lab.store.recover()
    assert [*report.missing, *report.damaged] == []
    assert launch(lab, defs).outcomes["export"] == "reused"


@pytest.mark.slow  # many runs
def test_partitions_write_apart(lab: Lab, tmp_path: Path) -> None:
    """`writes=` of the partition key: each partition has its own state; a range of them is one step."""

    def path_of(key: str | None) -> Path:
        return tmp_path / f"{key}.csv"

    @result_table(
        reads=[],
        code_version="1",
        partitions_def=letters,
        backfill_policy=dg.BackfillPolicy.single_run(),
        writes=lambda key: [FileSurface(source=f"file:{key}.csv", path=str(path_of(key)))],
    )
    def export(context: dg.AssetExecutionContext) -> None:
        for key in context.partition_keys:
            note(key)
            path_of(key).write_text(key)

    for key in "ab":
        lab.run([export], partition=key)
    path_of("a").write_text("other")
    assert kinds(evaluate(lab, [export])) == {"export[a]": "stale"}
    assert lab.run([export], partition="b").calls == []
    assert lab.run([export], partition="a").calls == ["a"]
    assert lab.run([export], span=("a", "b")).calls == ["a", "b"], "made together, it is another definition"
    assert lab.run([export], span=("a", "b")).calls == []
    assert lab.store.read_object("export[a]").keys() == {"file:a.csv"}


def test_a_surface_that_is_gone_after_the_body_publishes_nothing(lab: Lab, tmp_path: Path) -> None:
    """The error names the surface, and so does that of one which cannot be observed."""
    place = Warehouse()

    @result_table(reads=[], writes=[place], code_version="1")
    def export() -> None:
        place.down = place.version == "1"

    assert (
        "warehouse:daily, which writes= names, is not there after its function"
        in lab.run([export], ok=False).error
    )
    place.version = "1"
    assert "no connection" in lab.run([export], ok=False).error
    assert "no connection" in lab.run([export], ok=False).error, "nor does it begin"
    assert plan_of(lab, [export], "export").verdict == "undecidable"
    assert not lab.store.tables()


RESULTS: dict[str, Callable[[], Any]] = {
    "table": lambda: pa.table({"x": [1]}),
    "dict": dict,
    "output": lambda: dg.Output(1),
    "result": lambda: dg.MaterializeResult(value="x"),
}


def _batches() -> Iterator[pa.RecordBatch]:
    yield from pa.table({"x": [1]}).to_batches()


@pytest.mark.parametrize(
    "result",
    ["table", *(pytest.param(r, marks=pytest.mark.slow) for r in [*RESULTS, "generator"] if r != "table")],
)
def test_a_body_that_returns_a_value_is_refused(lab: Lab, result: str) -> None:
    """It says that it stores its result itself: a value would be lost."""
    give = RESULTS.get(result, _batches)

    @result_table(reads=[], writes=[Warehouse(version="1")], code_version="1")
    def export() -> Any:
        return give()

    assert (
        "but writes= says that it stores its result itself; return None" in lab.run([export], ok=False).error
    )
    assert not lab.store.tables()


@pytest.mark.parametrize("way", ["result", pytest.param("yielded", marks=pytest.mark.slow)])
def test_metadata_and_checks_are_kept(lab: Lab, way: str) -> None:
    """A `MaterializeResult` without a value is a result like None; a reuse tells its metadata again."""
    result: dg.MaterializeResult[Any] = dg.MaterializeResult(
        metadata={"rows": 3}, check_results=[dg.AssetCheckResult(passed=True)]
    )

    @result_table(
        reads=[],
        writes=[Warehouse(version="1")],
        code_version="1",
        check_specs=[dg.AssetCheckSpec("fine", asset="export")],
    )
    def export() -> Any:
        if way == "result":
            return result
        return (one for one in [result])

    lab.run([export])
    again = lab.run([export])
    assert again.outcomes == {"export": "reused"}
    assert again.said("export")["rows"] == 3


def _of(**arguments: Any) -> Any:
    def export() -> None:
        return None

    return result_table(**{"reads": [], **arguments})(export)


OUT = FileSurface(source="file:out.csv", path="/nowhere/out.csv")
SAME = FileSurface(source="file:other", path="/nowhere/out.csv")
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "read": ({"writes": [OUT], "reads": [OUT]}, "names file:out.csv, which reads= names too"),
    "read_by_path": ({"writes": [OUT], "reads": [SAME]}, "which reads= names too"),
    "twice": ({"writes": [OUT, OUT]}, "names file:out.csv twice"),
    "nothing": ({"writes": []}, "names nothing"),
    "no_list": ({"writes": OUT}, "writes= gives FileSurface.*, which is no list of version surfaces"),
    "a_text": ({"writes": "out.csv"}, "gives 'out.csv', which is no list of version surfaces"),
    "reads_no_list": ({"reads": SAME, "writes": [OUT]}, "reads= gives FileSurface.*, which is no list"),
    "reads_no_surface": ({"reads": [5], "writes": [OUT]}, "reads= holds 5, which is no version surface"),
    "no_surface": ({"writes": ["out.csv"]}, "holds 'out.csv', which is no version surface"),
    "format": ({"writes": [OUT], "format": "json"}, "has nothing to store"),
    "partitions": ({"writes": [OUT], "partitions_def": letters}, "is the same for each partition"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_arguments_that_cannot_be_combined(case: str) -> None:
    """They are refused at decoration, with the argument and the way out."""
    arguments, why = REFUSED[case]
    with pytest.raises(UnsupportedArgument, match=why):
        _of(**arguments)


@pytest.mark.parametrize(
    ("given", "why"),
    [([], "names nothing"), (OUT, "is no list"), (None, "gives None")],
    ids=["nothing", "no_list", "none"],
)
def test_a_function_gives_surfaces_as_a_list(lab: Lab, given: Any, why: str) -> None:
    """A partition whose function names nothing would be reused for good."""

    @result_table(reads=[], writes=lambda partition: given, partitions_def=letters, code_version="1")
    def export() -> None:
        note("export")

    ran = lab.run([export], partition="a", ok=False)
    assert why in ran.error
    assert not ran.calls


def test_an_annotated_result_is_refused_at_decoration() -> None:
    """A table that nobody stores would be lost."""
    with pytest.raises(UnsupportedArgument, match="annotation DataFrame of its result beside writes="):

        @result_table(writes=[OUT], reads=[])
        def export() -> pd.DataFrame:
            return pd.DataFrame()


@pytest.mark.slow  # some runs more
def test_a_partition_may_not_read_what_it_writes(lab: Lab) -> None:
    """Functions of the partition are compared when they are asked."""
    out = Warehouse(version="1")
    export = _of(partitions_def=letters, writes=lambda key: [out], reads=lambda key: [out], code_version="1")
    assert "which reads= names too" in lab.run([export], partition="a", ok=False).error


WRITERS = {
    "open": "with open(PATH, 'w') as out: out.write('1')",
    "read_back": "with open(PATH, 'w') as out: out.write('1')\n    assert pd.read_csv(PATH).empty",
    "pandas": "pd.DataFrame({'x': [1]}).to_csv(PATH)",
    "native": "pq.write_table(pa.table({'x': [1]}), PATH)\n    assert pq.read_table(PATH).num_rows",
    "sqlite": "with sqlite3.connect(PATH) as db: db.execute('create table if not exists t (x)')",
    "append": "with open(PATH, 'a+') as out: out.write('1')",
}


@pytest.mark.parametrize(
    "writer",
    [w if w == "native" else pytest.param(w, marks=pytest.mark.slow) for w in WRITERS],
)
def test_a_declared_file_is_no_undeclared_read(
    lab: Lab, tmp_path: Path, module: Callable[[str, str], Any], writer: str
) -> None:
    """However the body opens the file that it writes, the step is pinned, and reused."""
    source = f"""
import sqlite3
import pandas as pd, pyarrow as pa, pyarrow.parquet as pq
from jammi_dagster import result_table
from jammi_dagster.surfaces import file
PATH = {str(tmp_path / "out")!r}
@result_table(reads=[], writes=[file(PATH, name="out")])
def export() -> None:
    {WRITERS[writer]}
"""
    export = module(f"writes_{writer}", source).export
    assert lab.run([export]).why_unpinned("export") == ""
    assert lab.run([export]).outcomes == {"export": "reused"}


@pytest.mark.slow  # many runs
def test_two_runs_do_not_write_at_once(lab: Lab, tmp_path: Path) -> None:
    """The second waits, whatever its definition and policy, and sees the surface as the first one left it."""
    path = tmp_path / "out"
    out = FileSurface(source="file:out", path=str(path))
    began, go = threading.Event(), threading.Event()
    runs: dict[str, Any] = {}

    def export_of(version: str) -> Any:
        @result_table(reads=[], writes=[out], code_version=version)
        def export() -> None:
            note(version)
            path.write_text(version)
            if not began.is_set():
                began.set()
                assert go.wait(60)

        return export

    def run(name: str, version: str) -> None:
        runs[name] = lab.run([export_of(version)])

    first = threading.Thread(target=run, args=("first", "1"))
    first.start()
    assert began.wait(60)
    second = threading.Thread(target=run, args=("second", "2"))
    second.start()
    second.join(0.2)
    assert path.read_text() == "1"
    go.set()
    first.join(60)
    second.join(60)
    assert path.read_text() == "2"
    assert [record.status for record in lab.store.history("export")] == ["ready", "ready"]
    assert not evaluate(lab, [export_of("2")]).tables
    assert lab.run([export_of("1")]).calls == ["1"], "its version is that of its own text"


def test_a_run_that_may_not_wait_is_refused(lab: Lab, tmp_path: Path) -> None:
    """Beside the other one nobody would know whose result the surface holds; the error names the way out."""
    path = tmp_path / "out"
    inner: list[str] = []

    def export_of(others: list[Any]) -> Any:
        @result_table(reads=[], writes=[FileSurface(source="file:out", path=str(path))], code_version="1")
        def export() -> None:
            path.write_text("1")
            inner.extend(
                lab.run(others, tags={"jammi/most_wait_seconds": "0"}, ok=False).errors if others else ()
            )

        return export

    export = export_of([export_of([])])
    lab.run([export])
    assert "another run is still writing file:out" in inner[0]
    assert lab.run([export]).outcomes == {"export": "reused"}


@pytest.mark.slow  # some runs more
def test_a_consumer_gets_the_versions(lab: Lab) -> None:
    """A parameter gets the recorded object: the versions by source."""
    place = Warehouse(version="7")
    export = _of(writes=[place], code_version="1")

    @result_table(code_version="1")
    def below(export: dict[str, str]) -> dict[str, str]:
        return export

    lab.run([export, below])
    assert lab.store.read_object("below") == {"warehouse:daily": "7"}
    assert is_written("written:warehouse:daily")
    with pytest.raises(JammiError):
        lab.store.read("export")
