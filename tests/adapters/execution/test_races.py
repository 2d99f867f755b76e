"""What happens while a step runs: inputs that move, other runs that publish (DESIGN 2.5, 4.1, 4.2)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
from adapters_kit import Held, Lab, letters, note, part, table, values

from jammi_dagster import InputAnchor, result_table
from jammi_dagster.surfaces import file

_happens: list[Callable[[], object]] = []


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    assert not _happens, "a test's event never came"


def happen() -> None:
    """Called by a body: what others do while it runs, once."""
    while _happens:
        _happens.pop()()


@result_table(reads=[])
def raw() -> pa.Table:
    return table(1)


@dg.asset
def plain(raw: pa.Table):
    happen()
    return raw


@result_table(reads=[], ignore=["happen"])
def made() -> pa.Table:
    happen()
    return table(1)


def over_a_file(folder: Path) -> tuple[Path, dg.AssetsDefinition]:
    """A file, and an asset that declares to read it."""
    path = folder / "raw.csv"
    path.write_text("one")

    @result_table(reads=[file(path, name="raw.csv")], ignore=["happen"])
    def made() -> pa.Table:
        happen()
        return table(1)

    return path, made


def publish(lab: Lab, name: str, *given: Any) -> Callable[[], None]:
    """Another writer makes a table current."""

    def act() -> None:
        lab.store.materialize(name, table(*given), descriptor={"producer": "other"}, env={}, inputs=[])

    return act


def test_a_loaded_input_is_what_was_pinned(lab: Lab) -> None:
    """The pointer moves while the body runs: what it read, and what is recorded, is what was pinned before."""

    @result_table(ignore=["happen"])
    def slow(raw: pa.Table) -> pa.Table:
        happen()
        return raw

    lab.run(raw)
    before = lab.store.current("raw").artifact_digest
    _happens.append(publish(lab, "raw", 9))
    ran = lab.run([raw, slow], select=[slow])

    assert ran.why_unpinned("slow") == ""
    assert lab.anchors("slow") == {"raw": InputAnchor.result_digest("raw", str(before))}
    assert values(lab.store.read("slow")) == [1]
    assert lab.run([raw, slow], select=[slow]).outcomes == {"slow": "computed"}
    assert values(lab.store.read("slow")) == [9]


def test_a_lazy_input_is_what_was_pinned(lab: Lab) -> None:
    """A reference that becomes a dataset is read late, and all the same from the pinned bytes."""
    import pyarrow.dataset as ds

    @result_table(ignore=["happen"])
    def lazy(raw: ds.Dataset) -> pa.Table:
        happen()
        return raw.to_table()

    lab.run(raw)
    _happens.append(publish(lab, "raw", 9))
    lab.run([raw, lazy], select=[lazy])

    assert values(lab.store.read("lazy")) == [1]


def test_an_input_of_a_plain_asset_is_what_was_loaded(lab: Lab) -> None:
    """Its inputs load before the body, its output is recorded after: the anchor is what was loaded."""

    lab.run(raw)
    before = lab.store.current("raw").artifact_digest
    _happens.append(publish(lab, "raw", 9))
    lab.run([raw, plain], select=[plain])

    assert lab.anchors("plain")["raw"] == InputAnchor.result_digest("raw", str(before))


def test_a_run_reads_what_it_made(lab: Lab) -> None:
    """Another run moves the pointer between two steps of this one: this one reads its own result."""

    @result_table(deps=["raw"], ignore=["happen"])
    def between() -> pa.Table:
        happen()
        return table(0)

    @result_table(deps=["between"])
    def last(raw: pa.Table) -> pa.Table:
        return raw

    @result_table(deps=["raw", "between"])
    def last_unloaded() -> pa.Table:
        return table(0)

    @dg.asset(deps=["between"])
    def last_plain(raw: pa.Table):
        note(values(raw))
        return raw

    _happens.append(publish(lab, "raw", 9))
    ran = lab.run([raw, between, last, last_unloaded, last_plain])
    own = InputAnchor.result_digest("raw", ran.data_version("raw"))

    assert values(lab.store.read("raw")) == [9]
    assert values(lab.store.read("last")) == [1]
    assert ran.calls == [[1]]
    for name in ("last", "last_unloaded", "last_plain"):
        assert lab.anchors(name)["raw"] == own


def test_a_reused_table_counts_as_made_by_the_run(lab: Lab) -> None:
    """The same for a hit: what the run reused is what the run reads."""

    @result_table(deps=["raw"], cache="bypass", ignore=["happen"])
    def between() -> pa.Table:
        happen()
        return table(0)

    @result_table(deps=["between"])
    def last(raw: pa.Table) -> pa.Table:
        return raw

    graph = [raw, between, last]
    lab.run(graph)
    _happens.append(publish(lab, "raw", 9))
    ran = lab.run(graph)

    assert ran.outcomes["raw"] == "reused"
    assert lab.anchors("last")["raw"].anchor == ran.data_version("raw")


@pytest.mark.parametrize("partitioned", [True, False])
def test_a_dependency_that_moves_under_the_body_is_unpinned(lab: Lab, partitioned: bool) -> None:
    """What is not loaded is looked at before and after: nobody knows which of the two the body saw."""
    upstream, name = (part, "part[a]") if partitioned else (raw, "raw")

    @result_table(deps=[upstream], ignore=["happen"])
    def below() -> pa.Table:
        happen()
        return table(0)

    for key in "ab" if partitioned else [None]:
        lab.run(upstream, partition=key)
    _happens.append(publish(lab, name, 9))
    graph = [upstream, below]
    ran = lab.run(graph, select=[below])

    assert f"{name} changed while it was read; the next run sees it settled" in ran.why_unpinned("below")
    assert lab.anchors("below")[name].is_unpinned
    settled = [lab.run(graph, select=[below]) for _ in range(2)]
    assert [again.outcomes["below"] for again in settled] == ["computed", "reused"]


@pytest.mark.parametrize("partitioned", [True, False])
def test_a_dependency_that_moves_under_a_plain_body_is_unpinned(lab: Lab, partitioned: bool) -> None:
    """The IO manager first looks when the body has run: what Dagster saw since the step began pins nothing."""

    def make(value: int) -> Any:
        @result_table(reads=[], partitions_def=letters if partitioned else None, name="up")
        def up() -> pa.Table:
            return table(value)

        return up

    @dg.asset(deps=["up"])
    def plain():
        happen()
        return table(0)

    for key in "ab" if partitioned else [None]:
        lab.run(make(1), partition=key)
    _happens.append(lambda: lab.run(make(2), partition="a" if partitioned else None) and None)
    lab.run([make(1), plain], select=[plain])

    name = "up[a]" if partitioned else "up"
    assert lab.anchors("plain")[name].is_unpinned


def test_an_upstream_elsewhere_that_moves_under_the_body_is_unpinned(lab: Lab) -> None:
    """A loaded value of another IO manager, whose asset is materialized again while the body runs."""
    lab.more = {"files": dg.FilesystemIOManager(base_dir=str(lab.root))}

    def make(version: str) -> dg.AssetsDefinition:
        @dg.asset(io_manager_key="files")
        def outside():
            return dg.Output(1, data_version=dg.DataVersion(version))

        return outside

    @result_table(ignore=["happen"])
    def reader(outside: int) -> pa.Table:
        happen()
        return table(outside)

    lab.run(make("1"))
    _happens.append(lambda: lab.run(make("2")) and None)
    ran = lab.run([make("1"), reader], select=[reader])

    assert lab.anchors("reader")["dagster:default/outside"].is_unpinned
    assert "dagster:default/outside changed while it was read" in ran.why_unpinned("reader")


class Landing(Held):
    """Lets others act between the start of a step and the load of its input."""

    def load_input(self, context: dg.InputContext) -> Any:
        happen()
        return super().load_input(context)


def test_an_upstream_that_lands_before_it_is_loaded_is_unpinned(lab: Lab) -> None:
    """Dagster took the version at step start; the bytes that were loaded are newer."""
    lab.more = {"memory": Landing()}

    def make(value: int) -> dg.AssetsDefinition:
        @dg.asset(io_manager_key="memory")
        def outside():
            return dg.Output(value, data_version=dg.DataVersion(str(value)))

        return outside

    @result_table
    def reader(outside: int) -> pa.Table:
        return table(outside)

    lab.run(make(1))
    _happens.append(lambda: lab.run(make(2)) and None)
    lab.run([make(1), reader], select=[reader])

    assert values(lab.store.read("reader")) == [2]
    assert lab.anchors("reader")["dagster:default/outside"].is_unpinned


def test_a_file_that_changes_under_the_body_is_unpinned(lab: Lab, tmp_path: Path) -> None:
    """A declared read is observed before and after."""
    path = tmp_path / "raw.csv"
    path.write_text("one")

    @result_table(reads=[file(path, name="raw.csv")], ignore=["happen"])
    def made() -> pa.Table:
        text = path.read_text()
        happen()
        return table(text)

    _happens.append(lambda: path.write_text("two") and None)
    ran = lab.run(made)

    assert "file:raw.csv changed while it was read" in ran.why_unpinned("made")
    assert lab.anchors("made")["file:raw.csv"].is_unpinned
    assert [lab.run(made).outcomes["made"] for _ in range(2)] == ["computed", "reused"]


def test_a_file_that_goes_away_under_the_body_is_unpinned(lab: Lab, tmp_path: Path) -> None:
    """The body has run: its table is kept, and pinned to nothing."""
    path, made = over_a_file(tmp_path)
    _happens.append(path.unlink)

    assert "file:raw.csv changed while it was read" in lab.run(made).why_unpinned("made")


def test_a_file_that_cannot_be_read_after_the_body_is_unpinned(lab: Lab, tmp_path: Path) -> None:
    """The body has run: what it made is not lost because a later look fails."""
    path, made = over_a_file(tmp_path)

    def becomes_a_folder() -> None:
        path.unlink()
        path.mkdir()

    _happens.append(becomes_a_folder)
    ran = lab.run(made)

    assert "file:raw.csv changed while it was read" in ran.why_unpinned("made")
    assert "SurfaceUnavailable" in lab.run(made, ok=False).error


def test_an_input_that_comes_while_the_body_runs_is_unpinned(lab: Lab) -> None:
    """A missing partition that may be missing, and is not any more: the body may have seen it."""

    @result_table(deps=["part"], allow_missing_partitions=True, ignore=["happen"])
    def below() -> pa.Table:
        happen()
        return table(0)

    lab.run(part, partition="a")
    _happens.append(publish(lab, "part[b]", 9))
    ran = lab.run([part, below], select=[below])

    assert "part[b] came while the body ran" in ran.why_unpinned("below")
    assert lab.anchors("below")["part[b]"].is_unpinned


def test_a_later_start_stays_current(lab: Lab) -> None:
    """A step that ends after a later one has begun and ended does not take the pointer: an outcome, no error."""

    _happens.append(publish(lab, "made", 9))
    ran = lab.run(made)

    assert ran.outcomes == {"made": "computed"}
    assert ran.said("made")["jammi/is_current"] is False
    assert values(lab.store.read("made")) == [9]


def test_a_later_start_stays_current_for_a_plain_asset(lab: Lab) -> None:
    """Its start is when its first input was loaded, not when its output was handled."""

    lab.run(raw)
    _happens.append(publish(lab, "plain", 9))
    ran = lab.run([raw, plain], select=[plain])

    assert ran.said("plain")["jammi/is_current"] is False
    assert values(lab.store.read("plain")) == [9]


def test_what_is_below_a_loser_reads_the_loser(lab: Lab) -> None:
    """The run that lost the pointer still reads its own result, and says so in its anchors."""

    @result_table
    def below(made: pa.Table) -> pa.Table:
        return made

    _happens.append(publish(lab, "made", 9))
    ran = lab.run([made, below])

    assert values(lab.store.read("below")) == [1]
    assert lab.anchors("below")["made"].anchor == ran.data_version("made")
