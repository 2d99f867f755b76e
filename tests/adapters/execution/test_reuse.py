"""A step that finds its table made already makes it current and computes nothing (DESIGN 4.4)."""

import dagster as dg
import pyarrow as pa
from adapters_kit import Lab, note, table, values

from jammi_dagster import CachePolicy, result_table

KEYS = {
    "jammi/why",
    "jammi/seconds_saved",
    "jammi/seconds_spent",
    "jammi/bytes",
    "jammi/reused",
    "dagster/column_schema",
    "dagster/row_count",
    "dagster/table_name",
    "dagster/uri",
    "jammi/artifact_digest",
    "jammi/cache_outcome",
    "jammi/compute_seconds",
    "jammi/definition_hash",
    "jammi/identity",
    "jammi/inputs",
    "jammi/input_anchor_count",
    "jammi/input_anchor_set",
    "jammi/input_anchors",
    "jammi/materialization",
}


@result_table(reads=[])
def raw() -> pa.Table:
    note("raw")
    return table(1, 2, 3)


@result_table(cache=CachePolicy.USE)
def doubled(raw: pa.Table) -> pa.Table:
    note("doubled")
    return table(*[2 * value for value in values(raw)])


@result_table
def total(doubled: pa.Table) -> pa.Table:
    note("total")
    return table(sum(values(doubled)))


GRAPH = [raw, doubled, total]


def test_the_second_run_computes_nothing(lab: Lab) -> None:
    """Unchanged definitions over unchanged inputs are reused, all the way down."""
    first, second = lab.run(GRAPH), lab.run(GRAPH)

    assert first.calls == ["raw", "doubled", "total"]
    assert set(first.outcomes.values()) == {"computed"}
    assert second.calls == []
    assert second.outcomes == {"raw": "reused", "doubled": "reused", "total": "reused"}
    assert values(lab.store.read("total")) == [12]


def test_another_process_reuses_what_the_first_left(lab: Lab) -> None:
    """A hit lives in the store, not in the Dagster instance: a new instance over the same store reuses."""
    lab.run(GRAPH)

    with dg.DagsterInstance.ephemeral() as instance:
        ran = Lab(lab.root, instance).run(GRAPH)

    assert set(ran.outcomes.values()) == {"reused"}


def test_a_hit_reads_no_input(lab: Lab) -> None:
    """On a hit no byte of an input is read: it works on bytes that a read would refuse."""
    lab.run(GRAPH)
    path = lab.root / lab.store.current("raw").artifact_path
    path.chmod(0o600)
    path.write_bytes(b"\0" * path.stat().st_size)

    assert lab.run(GRAPH, select=[doubled]).outcomes == {"doubled": "reused"}


def test_a_miss_reads_its_inputs(lab: Lab) -> None:
    """The proof above proves something: the same bytes fail a compute."""
    lab.run(GRAPH)
    path = lab.root / lab.store.current("raw").artifact_path
    path.chmod(0o600)
    path.write_bytes(b"\0" * path.stat().st_size)

    ran = lab.run(GRAPH, select=[doubled], tags={"jammi/cache": "bypass"}, ok=False)

    assert "ArtifactCorrupt" in ran.error


def test_a_table_whose_bytes_are_gone_is_computed(lab: Lab) -> None:
    """A hit needs its bytes: a catalog row alone reuses nothing."""
    lab.run(GRAPH)
    (lab.root / lab.store.current("doubled").artifact_path).unlink()

    ran = lab.run(GRAPH)

    assert ran.outcomes == {"raw": "reused", "doubled": "computed", "total": "reused"}


def test_a_table_whose_bytes_have_another_length_is_computed(lab: Lab) -> None:
    """Truncated bytes are no hit."""
    lab.run(GRAPH)
    path = lab.root / lab.store.current("doubled").artifact_path
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])

    assert lab.run(GRAPH, select=[doubled]).outcomes == {"doubled": "computed"}


def test_all_metadata_of_the_contract_is_on_the_event(lab: Lab) -> None:
    """DESIGN 6: every materialization carries the keys, a reuse the reused materialization besides."""
    computed, reused = lab.run(GRAPH).said("doubled"), lab.run(GRAPH).said("doubled")
    record = lab.store.current("doubled")

    assert set(computed) == KEYS
    assert set(reused) == KEYS | {"jammi/reused_materialization", "jammi/computed_by"}
    assert computed["jammi/cache_outcome"] == "computed"
    assert reused["jammi/cache_outcome"] == "reused"
    assert reused["jammi/reused_materialization"] == computed["jammi/materialization"]
    assert computed["jammi/definition_hash"] == record.definition_hash
    assert computed["jammi/artifact_digest"] == record.artifact_digest
    hashes = (record.definition_hash, computed["jammi/input_anchor_set"], record.artifact_digest)
    short = [str(full)[:12] for full in hashes]
    assert computed["jammi/identity"] == "definition {}, inputs {}, bytes {}".format(*short)
    assert computed["jammi/compute_seconds"] > 0
    assert computed["dagster/row_count"] == 3
    assert computed["dagster/table_name"] == "doubled"
    assert computed["dagster/uri"] == record.artifact_uri
    assert [column.name for column in computed["dagster/column_schema"].columns] == ["x"]
    (row,) = computed["jammi/input_anchors"].records
    assert row.data == lab.anchors("doubled")["raw"].to_dict()


def test_the_anchor_table_of_a_wide_fan_in_is_cut(lab: Lab) -> None:
    """An event shows at most 50 anchors, with the count and the digest of the whole set."""
    many = dg.StaticPartitionsDefinition([f"{n:03}" for n in range(60)])

    @result_table(partitions_def=many, reads=[], backfill_policy=dg.BackfillPolicy.single_run())
    def part(context: dg.AssetExecutionContext) -> dict:
        return {key: table(key) for key in context.partition_keys}

    @result_table
    def joined(part: dict) -> pa.Table:
        return pa.concat_tables(part.values())

    lab.run([part], span=("000", "059"))
    said = lab.run([part, joined], select=[joined]).said("joined")

    assert len(said["jammi/input_anchors"].records) == 50
    assert said["jammi/input_anchor_count"] == 60
    assert len(said["jammi/input_anchor_set"]) == 64


def test_the_data_version_is_the_artifact_digest(lab: Lab) -> None:
    """DESIGN 4.6, for a compute and for a reuse."""
    for _ in range(2):
        ran = lab.run(GRAPH)
        assert ran.data_version("doubled") == lab.store.current("doubled").artifact_digest
        assert ran.events["doubled"].tags["dagster/data_version_is_user_provided"] == "true"


def test_the_code_version_is_the_code_identity(lab: Lab) -> None:
    """The event's code version is what the worker's code says, on a compute and on a reuse."""
    identity = doubled.result_table.code().digest

    for _ in range(2):
        assert lab.run(GRAPH).events["doubled"].tags["dagster/code_version"] == identity
    assert doubled.specs_by_key[doubled.key].code_version is not None


def test_a_reuse_says_what_it_saved(lab: Lab) -> None:
    """The log names the table, the materialization, the run that made it and the seconds."""
    first, second = lab.run(GRAPH), lab.run(GRAPH)

    (line,) = [line for line in second.captured if line.startswith("reused doubled")]
    assert first.said("doubled")["jammi/materialization"] in line
    assert first.result.run_id in line
    assert "s saved" in line


@result_table(
    reads=[],
    check_specs=[
        dg.AssetCheckSpec("positive", asset="checked", blocking=True),
        dg.AssetCheckSpec("small", asset="checked"),
    ],
)
def checked() -> dg.MaterializeResult:
    note("checked")
    return dg.MaterializeResult(
        value=table(-1),
        metadata={"author": "me", "score": 0.5, "link": dg.MetadataValue.url("http://x")},
        tags={"team": "blue"},
        check_results=[
            dg.AssetCheckResult(check_name="positive", passed=False, metadata={"low": -1}),
            dg.AssetCheckResult(
                check_name="small",
                passed=False,
                severity=dg.AssetCheckSeverity.WARN,
                description="it is small",
            ),
        ],
    )


@result_table
def below_checked(checked: pa.Table) -> pa.Table:
    note("below")
    return checked


def test_a_reuse_emits_the_recorded_metadata_and_tags(lab: Lab) -> None:
    """What the function told Dagster when it ran is told again, unchanged."""
    runs = [lab.run([checked], ok=False) for _ in range(2)]

    assert [ran.outcomes["checked"] for ran in runs] == ["computed", "reused"]
    for ran in runs:
        made = ran.events["checked"]
        assert made.metadata["author"] == dg.MetadataValue.text("me")
        assert made.metadata["score"] == dg.MetadataValue.float(0.5)
        assert made.metadata["link"] == dg.MetadataValue.url("http://x")
        assert made.tags["team"] == "blue"


def test_a_reuse_emits_metadata_that_was_given_to_the_context(lab: Lab) -> None:
    """Dagster's other ways to say it: `add_output_metadata`, `add_asset_metadata`, with a partition or without."""
    letters = dg.StaticPartitionsDefinition(["a", "b"])

    @result_table(reads=[])
    def of_output(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        context.add_output_metadata({"added": 1, "both": 1})
        return dg.MaterializeResult(value=table(1), metadata={"returned": 2})

    @result_table(reads=[], partitions_def=letters, backfill_policy=dg.BackfillPolicy.single_run())
    def of_partition(context: dg.AssetExecutionContext) -> dict:
        for key in context.partition_keys:
            context.add_asset_metadata({"of": key}, partition_key=key)
        context.add_asset_metadata({"of_all": True})
        return {key: table(key) for key in context.partition_keys}

    for expected in ("computed", "reused"):
        said = lab.run(of_output).said("of_output")
        assert (said["added"], said["returned"], said["jammi/cache_outcome"]) == (1, 2, expected)
        ran = lab.run(of_partition, span=("a", "b"))
        for key in "ab":
            said = ran.said(f"of_partition[{key}]")
            assert (said["of"], said["of_all"], said["jammi/cache_outcome"]) == (key, True, expected)


def test_a_recorded_failed_blocking_check_fails_again(lab: Lab) -> None:
    """A reuse emits its check results; what a blocking check held back is held back again."""
    graph = [checked, below_checked]
    runs = [lab.run(graph, ok=False) for _ in range(2)]

    assert [ran.calls for ran in runs] == [["checked"], []]
    for ran in runs:
        evaluations = {e.check_name: e for e in ran.result.get_asset_check_evaluations()}
        assert not evaluations["positive"].passed
        assert evaluations["positive"].metadata == {"low": dg.MetadataValue.int(-1)}
        assert not evaluations["small"].passed
        assert evaluations["small"].severity is dg.AssetCheckSeverity.WARN
        assert evaluations["small"].description == "it is small"
        assert "below_checked" not in ran.outcomes


def test_a_check_that_is_declared_later_computes(lab: Lab) -> None:
    """A materialization with results of other checks cannot stand in: Dagster refuses one too few and one too many."""

    def make(*checks: str) -> dg.AssetsDefinition:
        @result_table(
            reads=[], code_version="1", check_specs=[dg.AssetCheckSpec(name, asset="made") for name in checks]
        )
        def made() -> dg.MaterializeResult:
            results = [dg.AssetCheckResult(check_name=name, passed=True) for name in checks]
            return dg.MaterializeResult(value=table(1), check_results=results)

        return made

    outcomes = [
        lab.run(make(*checks)).outcomes["made"]
        for checks in ([], ["one"], ["one"], ["one", "two"], ["one"], [], [])
    ]

    assert outcomes == ["computed", "computed", "reused", "computed", "computed", "computed", "reused"]


def test_equal_bytes_leave_what_is_downstream_fresh_in_dagsters_eyes(lab: Lab) -> None:
    """A recompute with the same bytes has the same data version, so Dagster's own staleness stays fresh."""
    lab.run(GRAPH)
    lab.run(GRAPH, select=[raw], tags={"jammi/cache": "bypass"})

    def tags(name: str) -> dict[str, str]:
        event = lab.instance.get_latest_materialization_event(dg.AssetKey(name))
        assert event is not None
        assert event.asset_materialization is not None
        return dict(event.asset_materialization.tags or {})

    assert tags("doubled")["dagster/input_data_version/raw"] == tags("raw")["dagster/data_version"]


def test_a_recompute_of_equal_bytes_is_reported_as_reproduced(lab: Lab) -> None:
    """DESIGN 2.14: the second compute of the same definition over the same inputs says how it compares."""
    lab.run(GRAPH)

    said = lab.run(GRAPH, tags={"jammi/cache": "bypass"}).said("doubled")

    assert said["jammi/reproducibility"] == "reproduced"


def test_an_older_materialization_is_made_current_again(lab: Lab) -> None:
    """A reuse moves the pointer: after A, B, A the table is A's again, without a compute."""
    seen = []
    for version in ("1", "2", "1"):

        @result_table(reads=[], code_version=version, name="switch")
        def switch() -> pa.Table:
            note("switch")
            return table(1)

        seen.append(lab.run([switch]))

    assert [ran.outcomes["switch"] for ran in seen] == ["computed", "computed", "reused"]
    assert lab.store.current("switch").materialization_id == seen[0].said("switch")["jammi/materialization"]
