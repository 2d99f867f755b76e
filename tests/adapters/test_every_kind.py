"""Each public function covers each kind of asset: a table of kinds by functions.

A kind is an asset that reads `raw`, with the tables that it makes; below each of these is an asset that reads it.
One run makes all of them. A function that writes, or that needs a damage, works on a copy of the store.
"""

from __future__ import annotations

import dataclasses
import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest
from adapters_kit import Lab, Ran, table
from executor_kit import definitions, launch, not_stepped_into
from sensing_kit import Ticking, evaluate

from jammi_dagster import (
    LineageResource,
    Plan,
    build_materialization_checks,
    plan,
    recompute,
    result_table,
    result_tables,
)
from jammi_dagster.errors import ArtifactCorrupt

pytestmark = pytest.mark.slow  # each kind by each function: 10 s of processor time


class Model:
    """An object that is stored by its format alone."""

    def __init__(self, rows: int) -> None:
        self.rows = rows


def dump(model: Model) -> bytes:
    """Write a model."""
    return str(model.rows).encode()


def load(data: bytes) -> Model:
    """Read a model."""
    return Model(int(data))


# the tables of each kind
KINDS = {
    "table": ("tabular",),
    "JSON": ("values",),
    "bytes": ("packed",),
    "file": ("file",),
    "folder": ("folder",),
    "pickle": ("pickled",),
    "joblib": ("dumped",),
    "own format": ("own",),
    "multi-asset": ("upper", "lower"),
    "graph": ("graphed",),
    "graph of several": ("left", "right"),
}
# the steps that make tables under another name, and the tables that are made together with others
STEPS = {
    "upper": "parts",
    "lower": "parts",
    "graphed": "graphed.clipped",
    "left": "both.halves",
    "right": "both.halves",
}
TOGETHER = {"upper": {"lower"}, "lower": {"upper"}, "left": {"right"}, "right": {"left"}}
TABLES = [one for tables in KINDS.values() for one in tables]


def several(rows: int) -> Any:
    """Return the asset whose function makes several tables."""

    @result_tables(specs=[dg.AssetSpec(name, deps=["raw"]) for name in KINDS["multi-asset"]])
    def parts(raw: pd.DataFrame) -> Iterator[dg.Output[pd.DataFrame]]:
        yield dg.Output(raw.head(rows), output_name="upper")
        yield dg.Output(raw.tail(rows), output_name="lower")

    return parts


def graphs(rows: int) -> list[Any]:
    """Return the assets that ops make; `rows` counts in the code of one op of each."""

    @dg.op
    def read(raw: pd.DataFrame) -> pd.DataFrame:
        return raw

    @dg.op
    def clipped(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.head(rows)

    @dg.op(out={"first": dg.Out(pd.DataFrame), "second": dg.Out(pd.DataFrame)})
    def halves(frame: pd.DataFrame):
        return frame.head(rows), frame.tail(rows)

    @dg.graph_asset(ins={"raw": dg.AssetIn()})
    def graphed(raw):
        return clipped(read(raw))

    @dg.graph_multi_asset(outs={"left": dg.AssetOut(), "right": dg.AssetOut()}, ins={"raw": dg.AssetIn()})
    def both(raw):
        first, second = halves(read(raw))
        return {"left": first, "right": second}

    return [graphed, both]


def pipeline(place: str, rows: int = 3) -> list[Any]:
    """Return all assets; `rows` counts in the code of each kind."""

    @result_table(reads=[])
    def raw() -> pa.Table:
        return table(1, 2, 3)

    @result_table
    def tabular(raw: pd.DataFrame) -> pd.DataFrame:
        return raw.head(rows)

    @result_table
    def values(raw: pa.Table) -> dict[str, list[int]]:
        return {"x": raw["x"].to_pylist()[:rows]}

    @result_table
    def packed(raw: pa.Table) -> bytes:
        return bytes(raw["x"].to_pylist()[:rows])

    @result_table
    def file(raw: pa.Table) -> Path:
        path = Path(place, "file")
        path.write_text(str(raw.num_rows * rows))
        return path

    @result_table
    def folder(raw: pa.Table) -> Path:
        path = Path(place, "folder")
        path.mkdir(exist_ok=True)
        (path / "rows").write_text(str(raw.num_rows * rows))
        return path

    @result_table(format="pickle")
    def pickled(raw: pa.Table) -> Model:
        return Model(raw.num_rows * rows)

    @result_table(format="joblib")
    def dumped(raw: pa.Table) -> Model:
        return Model(raw.num_rows * rows)

    @result_table(format=(dump, load))
    def own(raw: pa.Table) -> Model:
        return Model(raw.num_rows * rows)

    def below(name: str) -> Any:
        @result_table(name=f"below_{name}", ins={"made": dg.AssetIn(name)})
        def asset(made: Any) -> str:
            return type(made).__name__

        return asset

    made = [tabular, values, packed, file, folder, pickled, dumped, own, several(rows), *graphs(rows)]
    return [raw, *made, *map(below, TABLES)]


@dataclasses.dataclass(frozen=True)
class World:
    """A store in which all kinds are made, and the answers that cover all of them at once."""

    lab: Lab
    place: str

    @functools.cached_property
    def assets(self) -> list[Any]:
        """The assets as they were made."""
        return pipeline(self.place)

    @functools.cached_property
    def edited(self) -> list[Any]:
        """The assets after a change of each kind's code."""
        return pipeline(self.place, rows=2)

    @functools.cached_property
    def plans(self) -> tuple[Plan, Plan]:
        """A plan of the assets as they were made, and one of the edited ones."""
        before, after = (
            plan(definitions(self.lab, assets), instance=self.lab.instance)
            for assets in (self.assets, self.edited)
        )
        return before, after

    @functools.cached_property
    def states(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The states of tables that are not plainly fresh, before and after the edit."""
        return evaluate(self.lab, self.assets).tables, evaluate(self.lab, self.edited).tables

    @functools.cached_property
    def requested(self) -> set[str]:
        """The assets that one tick of the sensor requests after the edit."""
        requests = Ticking(self.lab, self.edited).tick()
        return {key.to_user_string() for request in requests for key in request.asset_selection or ()}

    @functools.cached_property
    def reused_first(self) -> tuple[Ran, list[str]]:
        """A run of the unchanged assets under `reuse_first`, and the steps that it did not step into."""
        lab = self.copied("reused_first")
        ran = launch(lab, definitions(lab, self.assets))
        return ran, not_stepped_into(lab, ran)

    def checked(self, lab: Lab) -> dict[str, dict[str, bool]]:
        """Run both checks of each asset, in full."""
        defs: dg.Definitions
        checks = build_materialization_checks(self.assets, defs=lambda: defs, verification="full")
        job = dg.define_asset_job("checks", selection=dg.AssetSelection.all_asset_checks())
        defs = dg.Definitions(self.assets, asset_checks=checks, jobs=[job], resources=lab.resources)
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        result = defs.resolve_job_def("checks").execute_in_process(instance=lab.instance, run_config=quiet)
        found: dict[str, dict[str, bool]] = {}
        for one in result.get_asset_check_evaluations():
            found.setdefault(one.check_name, {})[one.asset_key.to_user_string()] = one.passed
        return found

    @functools.cached_property
    def damaged(self) -> Lab:
        """A copy in which the last byte of each kind's bytes is another one."""
        lab = self.copied("damaged")
        for one in TABLES:
            path = lab.root / lab.store.current(one).artifact_path
            path.write_bytes(path.read_bytes()[:-1] + b"?")
        return lab

    @functools.cached_property
    def adopted(self) -> tuple[Lab, dict[str, Any]]:
        """A copy whose catalog was lost and adopted again from the sidecars, and the outcomes of a run on it."""
        lab = self.copied("adopted")
        for name in ("catalog.db", "catalog.db-wal", "catalog.db-shm"):
            (lab.root / name).unlink(missing_ok=True)
        lab.store.adopt(take_over=True)
        return lab, launch(lab, definitions(lab, self.assets)).outcomes

    @functools.cached_property
    def checks(self) -> tuple[dict[str, dict[str, bool]], dict[str, dict[str, bool]]]:
        """The results of all checks on the store, and on the damaged copy."""
        return self.checked(self.lab), self.checked(self.damaged)

    def copied(self, name: str) -> Lab:
        """Copy the store."""
        root = self.lab.root.parent / name
        shutil.copytree(self.lab.root, root)
        return dataclasses.replace(self.lab, root=root)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """All kinds, made by one run."""
    folder = tmp_path_factory.mktemp("kinds")
    with dg.DagsterInstance.ephemeral() as instance:
        made = World(Lab(folder / "store", instance), str(folder))
        made.lab.run(made.assets)
        yield made
        made.lab.store.close()


def staleness(world: World, name: str) -> None:
    """Fresh at first; after an edit stale by its definition, and what is below it by its ancestor."""
    before, after = world.states
    store = world.lab.store
    assert store.staleness(name, str(store.current(name).definition_hash)).is_fresh
    assert {name, f"below_{name}"}.isdisjoint(before)
    assert after[name].kind == "stale"
    assert after[f"below_{name}"].kind


def sensing(world: World, name: str) -> None:
    """One tick requests it with what is below it."""
    assert {name, f"below_{name}"} <= world.requested


def lineage(world: World, name: str) -> None:
    """Its one input, and what was made of it, by table and by materialization; as its asset declares it."""
    resource = LineageResource(store=world.lab.store_resource)
    assert [(edge.input, edge.derived) for edge in resource.upstream(name)] == [("raw", name)]
    assert [edge.derived for edge in resource.closure(name)] == [f"below_{name}"]
    found = world.lab.store.lineage(name)
    below = world.lab.store.current(f"below_{name}").materialization_id
    assert [one.source for one in found.upstream] == ["raw"]
    assert [one.derived for one in found.downstream] == [below]
    defs = definitions(world.lab, world.assets)
    assert resource.downstream_plan(name, defs, instance=world.lab.instance).tables == [f"below_{name}"]
    assert resource.compare_with_assets(defs, instance=world.lab.instance).agrees


def planning(world: World, name: str) -> None:
    """All reused; after an edit computed, with the reason, and what is below it as its bytes come out."""
    before, after = ({row.table: row for row in one.rows} for one in world.plans)
    assert before[name].action == before[f"below_{name}"].action == "reuse"
    assert after[name].action == "compute"
    assert "rows" in after[name].reasons[0]
    assert after[f"below_{name}"].action == "compute or reuse"


def checks(world: World, name: str) -> None:
    """Both pass; the verification fails once bytes are not as recorded."""
    intact, damaged = world.checks
    assert intact["jammi_staleness"][name]
    assert intact["jammi_verification"][name]
    assert not damaged["jammi_verification"][name]


def recomputing(world: World, name: str) -> None:
    """It is made again, with equal bytes."""
    lab = world.copied(f"recomputed_{name}")  # others may be made anew with it
    report = recompute(lab.store, definitions(lab, world.assets), name, instance=lab.instance)
    made = {name, *TOGETHER.get(name, ())}
    assert {one.table: one.outcome for one in report.recomputed} == dict.fromkeys(made, "reproduced")


def recovering(world: World, name: str) -> None:
    """A missing object is noted, and is back once it is there again."""
    lab = world.copied(f"recovered_{name}")
    record = lab.store.current(name)
    path = lab.root / record.artifact_path
    path.rename(lab.root.parent / "away")
    assert lab.store.recover().missing == [record.materialization_id]
    (lab.root.parent / "away").rename(path)
    assert lab.store.recover().missing == []
    assert lab.store.verify_materialization(name).verdict == "match"


def adopting(world: World, name: str) -> None:
    """A lost catalog is made again from the sidecars: the table has its history, and is reused."""
    lab, outcomes = world.adopted
    before = {one.materialization_id for one in world.lab.store.history(name)}
    assert {one.materialization_id for one in lab.store.history(name)} <= before
    assert outcomes[name] == outcomes[f"below_{name}"] == "reused"


def verifying(world: World, name: str) -> None:
    """Bytes as recorded match; others do not, and are not read."""
    assert world.lab.store.verify_materialization(name).verdict == "match"
    assert world.damaged.store.verify_materialization(name).verdict == "mismatch"
    is_table = name == "tabular" or name in STEPS
    with pytest.raises(ArtifactCorrupt):
        (world.damaged.store.read if is_table else world.damaged.store.read_object)(name)


def picturing(world: World, name: str) -> None:
    """Both pictures show it between its input and what is below it, and one with code its verdict."""
    resource = LineageResource(store=world.lab.store_resource)
    drawn = resource.to_mermaid(name, defs=definitions(world.lab, world.assets), instance=world.lab.instance)
    for picture in (drawn, resource.to_svg(name)):
        assert all(shown in picture for shown in ("raw", name, f"below_{name}"))
    assert "fresh" in drawn


def reusing_first(world: World, name: str) -> None:
    """It is reused before its step begins."""
    ran, not_entered = world.reused_first
    assert ran.outcomes[name] == "reused"
    assert STEPS.get(name, name) in not_entered


FUNCTIONS: dict[str, Callable[[World, str], None]] = {
    "staleness": staleness,
    "the sensor": sensing,
    "lineage": lineage,
    "plan": planning,
    "checks": checks,
    "recompute": recomputing,
    "recovery": recovering,
    "adoption": adopting,
    "verify": verifying,
    "pictures": picturing,
    "reuse-first": reusing_first,
}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "name", [pytest.param(one, id=f"{kind}-{one}") for kind, tables in KINDS.items() for one in tables]
)
def test_every_function_covers_every_kind(world: World, name: str, function: str) -> None:
    """A table is judged, planned, checked, made again, recovered, drawn and reused, whatever its kind."""
    FUNCTIONS[function](world, name)
