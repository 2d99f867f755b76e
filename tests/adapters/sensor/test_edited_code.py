"""Code that was edited after its location was loaded makes no table fresh, and requests none."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pytest
from adapters_kit import Lab
from sensing_kit import Ticking, evaluate, kinds

from jammi_dagster.adapters.sensor import tick as tick_module

PIPE = """
    import pyarrow as pa
    from edited_helper import FACTOR
    from jammi_dagster import result_table

    @result_table(reads=[])
    def source() -> pa.Table:
        return pa.table({"x": [1]})

    @result_table
    def scaled(source: pa.Table) -> pa.Table:
        return pa.table({"x": [FACTOR]})

    @result_table(reads=[], code_version="1")
    def versioned() -> pa.Table:
        return pa.table({"x": [2]})
"""
RELOAD = "reload the code location"

Write = Callable[[str, str], ModuleType]


@pytest.fixture
def pipe(module: Write) -> ModuleType:
    """A loaded pipeline with a helper of its own."""
    module("edited_helper", "FACTOR = 2\n")
    return module("edited_pipe", PIPE)


def helper(pipe: ModuleType) -> Path:
    return Path(str(pipe.__file__)).with_name("edited_helper.py")


def edit(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def assets(pipe: ModuleType) -> list[object]:
    return [pipe.source, pipe.scaled, pipe.versioned]


def test_an_edit_is_said_by_the_next_tick_and_requests_nothing(lab: Lab, pipe: ModuleType) -> None:
    """The table whose code was edited is undecidable; once the edit is taken back, the tick says fresh again."""
    lab.run(assets(pipe))
    ticking = Ticking(lab, assets(pipe), on_undecidable="materialize")
    assert ticking.tick() == []
    assert "3 fresh" in ticking.said
    edit(helper(pipe), "2", "3")
    assert ticking.tick() == []
    assert "2 fresh, 0 stale, 1 undecidable" in ticking.said
    assert f"The code on disk differs from the code that this location loaded: {RELOAD}." in ticking.said
    assert "edited_helper.py: the running code of FACTOR differs from the file" in ticking.said
    assert "Not requested before the code location is reloaded." in ticking.said
    assert ticking.tick() == []
    assert ticking.said.endswith("Nothing changed since.")
    edit(helper(pipe), "3", "2")
    assert ticking.tick() == []
    assert "3 fresh, 0 stale, 0 undecidable" in ticking.said


def test_an_edit_of_layout_alone_is_none(lab: Lab, pipe: ModuleType) -> None:
    """A comment changes no identity."""
    lab.run(assets(pipe))
    ticking = Ticking(lab, assets(pipe))
    ticking.tick()
    edit(helper(pipe), "FACTOR", "# of scaled\nFACTOR")
    assert ticking.tick() == []
    assert "3 fresh" in ticking.said
    assert RELOAD not in ticking.said


@pytest.mark.parametrize(
    ("old", "new", "outdated"),
    [
        ("[FACTOR]", "[FACTOR + 1]", "scaled"),
        ('code_version="1"', 'code_version="2"', "versioned"),
        ('"x": [2]', '"x": [3]', "versioned"),
        ("def source() -> pa.Table:", "def source() -> object:", "source"),
    ],
)
def test_an_edit_of_the_assets_own_file_is_said(
    lab: Lab, pipe: ModuleType, old: str, new: str, outdated: str
) -> None:
    """Bodies, signatures and arguments of the decorator count, an author's code version among them."""
    lab.run(assets(pipe))
    before = evaluate(lab, assets(pipe))
    assert kinds(before) == {}
    edit(Path(str(pipe.__file__)), old, new)
    assert kinds(evaluate(lab, assets(pipe))) == {outdated: "undecidable"}


@pytest.mark.parametrize("half", [None, "FACTOR = (", "FACTOR = 3\x00"])
def test_a_file_that_is_gone_or_half_written_is_an_edit(lab: Lab, pipe: ModuleType, half: str | None) -> None:
    """An editor may be at it; nothing is requested for that."""
    lab.run(assets(pipe))
    ticking = Ticking(lab, assets(pipe))
    ticking.tick()
    if half is None:
        helper(pipe).unlink()
    else:
        helper(pipe).write_text(half)
    assert ticking.tick() == []
    assert "The code on disk differs" in ticking.said
    assert "0 stale" in ticking.said


def test_a_change_of_an_input_is_requested_all_the_same(lab: Lab, pipe: ModuleType) -> None:
    """It is certain, and the run loads the code of the disk."""
    lab.run(assets(pipe))
    edit(helper(pipe), "2", "3")
    lab.store.materialize("source", pa.table({"x": [9]}), descriptor={"producer": "t"}, env={}, inputs=[])
    found = evaluate(lab, assets(pipe))
    assert [reason.source for reason in found.tables["scaled"].verdict.reasons] == ["source"]
    ticking = Ticking(lab, assets(pipe))
    (request,) = ticking.tick()
    assert {"source", "scaled"} <= {key.to_user_string() for key in request.asset_selection or ()}


def test_an_edited_table_below_a_stale_one_goes_along_and_the_tick_says_so(
    lab: Lab, module: Write, tmp_path: Path
) -> None:
    """The table above is stale by itself; nobody is told that no run of the one below can be planned."""
    data = tmp_path / "edited_data.csv"
    data.write_text("1")
    text = f"""
        import pyarrow as pa
        from jammi_dagster import result_table
        from jammi_dagster.surfaces import file

        @result_table(reads=[file({str(data)!r}, name="data")])
        def top() -> pa.Table:
            return pa.table({{"x": [1]}})

        @result_table
        def foot(top: pa.Table) -> pa.Table:
            return pa.table({{"x": [2]}})
    """
    pipe = module("edited_below", text)
    lab.run([pipe.top, pipe.foot])
    ticking = Ticking(lab, [pipe.top, pipe.foot])
    assert ticking.tick() == []
    edit(Path(str(pipe.__file__)), "[2]", "[3]")
    data.write_text("2")
    (request,) = ticking.tick()
    assert {key.to_user_string() for key in request.asset_selection or ()} == {"top", "foot"}
    assert (
        "Requested. An input of it changes in any case, and its run loads the code on disk." in ticking.said
    )
    assert "can be planned" not in ticking.said


def test_a_reload_forgets_back_offs(lab: Lab, module: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed request is repeated at once in a new process, under a new run key, and then backs off anew."""
    now = [1_000_000.0]
    monkeypatch.setattr(tick_module.time, "time", lambda: now[0])
    text = """
        import pyarrow as pa
        from jammi_dagster import result_table

        @result_table(reads=[], code_version="{version}")
        def broken() -> pa.Table:
            {body}
    """
    good = module("edited_broken", text.format(version=1, body="return pa.table({'x': [1]})"))
    lab.run(good.broken)
    bad = module("edited_broken", text.format(version=2, body="raise ValueError"))
    ticking = Ticking(lab, [bad.broken], retry_after_seconds=100)
    keys = set()
    for wait in (0, 101, 201):
        now[0] += wait
        (request,) = ticking.tick()
        keys.add(request.run_key)
        ticking.execute(request, ok=False)
    now[0] += 1
    assert ticking.tick() == []
    monkeypatch.setattr(tick_module, "PROCESS", "another process")
    ticking = ticking.restarted([bad.broken])
    (request,) = ticking.tick()
    assert request.run_key not in keys
    ticking.execute(request, ok=False)
    assert ticking.tick() == []
    assert "requested again in 100 s" in ticking.said
