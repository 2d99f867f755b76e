"""Recorded steps: after each run of a sequence, each table's outcome, inputs and event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
from golden_kit import Bench, by_range, failures, surroundings, table_of

from jammi_dagster import CachePolicy, result_table
from jammi_dagster.surfaces import file

letters = dg.StaticPartitionsDefinition(["c", "b", "a"])
dynamic = dg.DynamicPartitionsDefinition(name="golden_steps")


class Size(dg.Config):
    rows: int = 1


class Steps:
    """A sequence of runs on one store, and what each of them did."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.seen: list[dict[str, Any]] = []

    def run(self, label: str, assets: Sequence[Any], *, ok: bool = True, **options: Any) -> None:
        """Run assets, and note each table under `label`."""
        result = self.bench.run(assets, ok=ok, **options)
        events = (event.materialization for event in result.get_asset_materialization_events())
        # steps that do not wait for each other run in any order
        tables = {table_of(made): self._table(made) for made in sorted(events, key=table_of)}
        failed = [self._kind(message) for message in failures(result)][-1:]
        self.seen.append({"run": label, "tables": tables, **({"failed": failed} if failed else {})})

    def _table(self, made: Any) -> dict[str, Any]:
        told = {key: value.value for key, value in made.metadata.items()}
        names, table = self.bench.names, table_of(made)
        shown: dict[str, Any] = {
            "metadata": sorted(told),
            "tags": sorted(tag for tag in made.tags if not tag.startswith("dagster/input_")),
            "data_version": names.of("bytes", made.tags.get("dagster/data_version")),
        }
        if "jammi/materialization" not in told:
            return shown
        records = {record.materialization_id: record for record in self.bench.store.history(table)}
        record = records[told["jammi/materialization"]]
        current = self.bench.store.current(table).materialization_id
        return {
            **shown,
            "outcome": told["jammi/cache_outcome"],
            "materialization": self.bench.ordinal(table, record.materialization_id),
            "reused": self.bench.ordinal(table, told.get("jammi/reused_materialization")),
            "is current": current == record.materialization_id,
            "anchors": self.bench.anchors(record.input_anchors),
            "bytes": names.of("bytes", record.artifact_digest),
            "definition": names.of("definition", record.definition_hash),
            "reproducibility": record.reproducibility,
            "rows": record.row_count,
            "unpinned": "jammi/unpinned" in told,
        }

    @staticmethod
    def _kind(message: str) -> str:
        """Return the class of an error, without its module, which may move, and its words, which may change."""
        return message.partition(":")[0].rpartition(".")[2]


def record(folder: Path) -> dict[str, Any]:
    """Return each sequence of runs by its name."""
    found = {}
    with surroundings(folder) as instance:
        for sequence in (_chain, _policies, _inputs, _partitions, _ranges, _missing, _others, _results):
            instance.wipe()
            steps = Steps(Bench(folder / f"steps{sequence.__name__}", instance, resources=_more()))
            sequence(steps)
            steps.bench.store.close()
            found[sequence.__name__.strip("_")] = steps.seen
    return found


def _more() -> Mapping[str, Any]:
    return {"elsewhere": dg.InMemoryIOManager()}  # type: ignore[no-untyped-call]


def _graph(first: str = "1", second: str = "1", **options: Any) -> list[Any]:
    @result_table(reads=[], code_version=first, **options)
    def raw(config: Size) -> pa.Table:
        return pa.table({"x": [1] * config.rows})

    @result_table(code_version=second)
    def left(raw: pa.Table) -> pa.Table:
        return raw

    @result_table(code_version="1")
    def right(raw: pa.Table) -> pa.Table:
        return pa.table({"x": [2]})

    @result_table(code_version="1", deps=["raw"])
    def foot(left: pa.Table, right: pa.Table) -> pa.Table:
        return pa.concat_tables([left, right])

    return [raw, left, right, foot]


def _chain(steps: Steps) -> None:
    steps.run("cold", _graph())
    steps.run("unchanged", _graph())
    steps.run("other code of one", _graph(second="2"))
    steps.run("back to the first code", _graph())
    steps.run("other code, the same bytes", _graph(first="2"))
    steps.run("an input changed", _graph(), config={"raw": {"rows": 2}})
    steps.run("its default again", _graph())
    steps.run("one of them alone", _graph(), select=["foot"])
    store = steps.bench.store
    (steps.bench.root / store.current("left").artifact_path).unlink()
    steps.run("bytes are gone", _graph())


def _policies(steps: Steps) -> None:
    steps.run("cold", _graph())
    steps.run("bypass for all", _graph(), policy="bypass")
    steps.run("bypass for one", _graph(), policy='{"left": "bypass"}')
    steps.run("use for one", _graph(), policy='{"right": "use"}')
    steps.run("the author says bypass", _graph(cache=CachePolicy.BYPASS), policy="use")
    steps.run("the author says use", _graph(cache="use"), policy="bypass")
    steps.run("no policy", _graph(), policy="sometimes", ok=False)


def _inputs(steps: Steps) -> None:
    path = Path("golden.txt")

    @result_table(code_version="1")
    def unpinned() -> pa.Table:
        return pa.table({"x": [1]})

    @result_table(reads=[file(path.absolute(), name="golden.txt")], code_version="1")
    def of_a_file() -> pa.Table:
        return pa.table({"x": [path.read_text()]})

    @result_table(code_version="1", deps=["outside", "unpinned"])
    def of_outside(of_a_file: pa.Table) -> pa.Table:
        return of_a_file

    assets = [unpinned, of_a_file, of_outside]
    steps.run("no file", assets, ok=False)
    path.write_text("one")
    steps.run("nothing is known of the asset outside", assets)
    _report(steps, "v1")
    steps.run("it has a version", assets)
    steps.run("unchanged", assets)
    _report(steps, "v2")
    steps.run("it has another version", assets, select=["of_outside"])
    path.write_text("two")
    steps.run("another file", assets)
    path.write_text("one")
    steps.run("the first file", assets)


def _report(steps: Steps, version: str) -> None:
    event = dg.AssetMaterialization("outside", tags={"dagster/data_version": version})
    steps.bench.instance.report_runless_asset_event(event)


def _partitioned(version: str = "1") -> list[Any]:
    @result_table(partitions_def=letters, reads=[], code_version=version)
    def part(context: dg.AssetExecutionContext) -> pa.Table:
        return pa.table({"x": [context.partition_key, version]})

    @result_table(partitions_def=letters, code_version="1")
    def below(part: pa.Table) -> pa.Table:
        return part

    @result_table(code_version="1")
    def gathered(part: dict[str, pa.Table]) -> pa.Table:
        return pa.concat_tables(part.values())

    @result_table(code_version="1", deps=["below"])
    def after() -> pa.Table:
        return pa.table({"x": [1]})

    @result_table(code_version="1", allow_missing_partitions=True)
    def lenient(part: dict[str, pa.Table]) -> pa.Table:
        return pa.concat_tables(part.values())

    return [part, below, gathered, after, lenient]


def _partitions(steps: Steps) -> None:
    for key in "ab":
        steps.run(f"cold {key}", _partitioned(), select=["part", "below"], partition=key)
    steps.run("one partition is missing", _partitioned(), select=["gathered"], ok=False)
    steps.run("one partition is missing, which is allowed", _partitioned(), select=["lenient"])
    steps.run("cold c", _partitioned(), select=["part", "below"], partition="c")
    steps.run("all are there", _partitioned(), select=["gathered", "after", "lenient"])
    steps.run("unchanged", _partitioned(), select=["gathered", "after", "lenient"])
    steps.run("one partition changed", _partitioned("2"), select=["part"], partition="b")
    steps.run("what derives from it", _partitioned("2"), select=["gathered", "after", "lenient"])
    steps.run("what derives from it, by partition", _partitioned("2"), select=["below"], partition="b")
    steps.run("what does not", _partitioned("2"), select=["below"], partition="a")


def _ranges(steps: Steps) -> None:
    steps.run("cold", by_range(letters), span=("c", "a"))
    steps.run("unchanged", by_range(letters), span=("c", "a"))
    (steps.bench.root / steps.bench.store.current("part[b]").artifact_path).unlink()
    steps.run("bytes of one are gone", by_range(letters), span=("c", "a"))
    steps.run("another range", by_range(letters), span=("c", "b"))
    steps.run("one of them", by_range(letters), span=("b", "b"))
    steps.run("the first range", by_range(letters), span=("c", "a"))
    steps.run("other code", by_range(letters, "2"), span=("c", "a"))


def _missing(steps: Steps) -> None:
    steps.run("no input", _graph(), select=["left"], ok=False)
    steps.run("no partition at all", _partitioned(), select=["gathered"], ok=False)
    steps.run(
        "no partition at all, which is allowed", [*_partitioned()[:1], _counting()], select=["counting"]
    )
    steps.run("no partition in the run", _partitioned(), select=["part"], ok=False)


def _counting() -> Any:
    @result_table(code_version="1", allow_missing_partitions=True)
    def counting(part: dict[str, pa.Table]) -> pa.Table:
        return pa.table({"x": [len(part)]})

    return counting


def _others(steps: Steps) -> None:
    @dg.asset(code_version="1")
    def plain() -> pa.Table:
        return pa.table({"x": [1]})

    @dg.asset(io_manager_key="elsewhere", code_version="1")
    def kept_elsewhere() -> int:
        return 3

    @result_table(code_version="1", key_prefix=["deep"])
    def derived(plain: pa.Table) -> pa.Table:
        return plain

    @result_table(code_version="1")
    def mixed(plain: pa.Table, kept_elsewhere: int) -> pa.Table:
        return plain

    @dg.asset(code_version="1")
    def plain_below(plain: pa.Table) -> pa.Table:
        return plain

    assets = [plain, kept_elsewhere, derived, mixed, plain_below]
    for label in ("cold", "unchanged"):
        steps.run(label, assets)
    steps.run("bypass", assets, policy="bypass")


def _results(steps: Steps) -> None:
    spec = dg.AssetCheckSpec("positive", asset="result")

    @result_table(reads=[], code_version="1", check_specs=[spec])
    def result() -> dg.MaterializeResult[Any]:
        return dg.MaterializeResult(
            value=pa.table({"x": [1]}),
            metadata={"author": "me"},
            tags={"team": "blue"},
            check_results=[dg.AssetCheckResult(passed=True, check_name="positive")],
        )

    @result_table(reads=[], code_version="1")
    def an_output() -> dg.Output[pa.Table]:
        return dg.Output(pa.table({"x": [1]}), metadata={"author": "me"})

    @result_table(reads=[], code_version="1")
    def told(context: dg.AssetExecutionContext) -> pa.Table:
        context.add_output_metadata({"added": 1})
        return pa.table({"x": [1]})

    for label in ("cold", "unchanged"):
        steps.run(label, [result, an_output, told])
