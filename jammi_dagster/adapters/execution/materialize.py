"""One step of Dagster as an action of the contract: resolve inputs, probe, then reuse or compute and record."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pyarrow as pa

from jammi_dagster.adapters import metadata_keys
from jammi_dagster.adapters.assets.cache_policy import effective_policy
from jammi_dagster.adapters.assets.spec import TableSpec
from jammi_dagster.adapters.execution import events
from jammi_dagster.adapters.execution.inputs import StepInputs, resolve_inputs, settle
from jammi_dagster.adapters.execution.outputs import Produced, by_partition, check_reported
from jammi_dagster.adapters.execution.read_watch import Watch, watching
from jammi_dagster.adapters.execution.step import Step
from jammi_dagster.adapters.handoff.references import PartitionReferences, ResultReference
from jammi_dagster.adapters.recipe.recipe import Making, existing, recipe_of
from jammi_dagster.adapters.recipe.replay import Replay
from jammi_dagster.catalog import Busy, Flight, MaterializationRecord
from jammi_dagster.contract import CachePolicy, DefinitionHash, definition_hash
from jammi_dagster.contract.anchors import has_unpinned
from jammi_dagster.recording import POLL_SECONDS, Attempt, Output, hit_or_attempt
from jammi_dagster.store import ResultStore
from jammi_dagster.surfaces import FileSurface


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a step hands to Dagster: references, the data version, and what the event says, by partition."""

    value: ResultReference | PartitionReferences
    data_version: dg.DataVersion
    metadata: Mapping[str | None, Mapping[str, Any]]
    tags: Mapping[str, str]
    check_results: Sequence[dg.AssetCheckResult]


@dataclass(slots=True, kw_only=True)
class TableStep:
    """A running step that makes the table, or the tables of a range, of one asset.

    `is_plain`: of a plain `@dg.asset`, whose body has run already.
    """

    step: Step
    store: ResultStore
    spec: TableSpec
    loaded: Mapping[str, Any]
    start_sequence: int
    config: Any = None
    is_plain: bool = False
    making: Making = field(init=False)

    def __post_init__(self) -> None:
        self.making = recipe_of(self.spec, self.step, self.store, config=self.config, loaded=self.loaded)

    def policy(self, io_manager: CachePolicy) -> CachePolicy:
        """The cache policy that this step runs under."""
        tags = self.step.tags
        return effective_policy(
            self.step.asset_key, tags=tags, decorator=self.spec.cache, io_manager=io_manager
        )

    def inputs(self, *, after_body: bool = False) -> StepInputs:
        """The anchors of all inputs as of now. Raises `MissingUpstream` and `InputMissing`, before the body only,
        and `DuplicateInput`.
        """
        declared = resolve_inputs(
            self.step,
            self.store,
            self.loaded,
            self.spec.surfaces(self._partitions),
            allow_missing=self.spec.allow_missing or after_body,
            required=not after_body,
            unwatched=self.is_plain,
        )
        name = f"undeclared:{self.step.asset_key.to_user_string()}"
        return declared.with_unpinned(
            name, (*self.making.unrecordable, *self.spec.undeclared(self.step, self.making.code))
        )

    def probe(self, inputs: StepInputs) -> list[MaterializationRecord] | None:
        """The materialization of each table that can stand in for the compute; None unless all have one."""
        records = []
        for partition in self._partitions:
            definition = self._definition(partition, inputs)
            record = self.store.probe_cache_record(definition, inputs.anchors)
            if record is None:
                return None
            records.append(record)
        return records if self._have_checks(records) else None

    def _have_checks(self, records: Sequence[MaterializationRecord]) -> bool:
        """Whether each record holds a result for each check that the asset declares now."""
        declared = self.step.check_names
        return not declared or all(self._said(r).checks(declared) == set(declared) for r in records)

    def _said(self, record: MaterializationRecord) -> Produced:
        return events.recorded(self.store.reader.annotation(record.materialization_id))

    def reuse(self, records: Sequence[MaterializationRecord], inputs: StepInputs) -> Made:
        """Makes the records current, and what they recorded the result of the step."""
        pairs = [
            (table, record.materialization_id)
            for table, record in zip(self.step.tables, records, strict=True)
        ]
        pointed = self.store.writer.point(pairs, start_sequence=self.start_sequence, run_id=self.step.run_id)
        metadata: dict[str | None, Mapping[str, Any]] = {}
        said = Produced()
        for partition, record, point in zip(self._partitions, records, pointed, strict=True):
            self.step.log.info(events.saved_line(record))
            said = self._said(record)
            metadata[partition] = {
                **said.metadata,
                **events.table_metadata(record, inputs.anchors, partitioned=partition is not None),
                **events.reused_metadata(record, is_current=point.is_current),
            }
        return self._made(records, metadata, said)

    def run(self, call: Callable[[], Produced], io_manager: CachePolicy) -> Made:
        """Reuses, or runs the body. Under `USE`, waits for another run that is making the same just now."""
        inputs = self.inputs()
        if self.policy(io_manager) is not CachePolicy.USE:
            return self.compute(call, inputs)
        if not self.spec.single_flight:
            hit = self.probe(inputs)
            return self.compute(call, inputs) if hit is None else self.reuse(hit, inputs)
        outcome = hit_or_attempt(
            lambda: self.probe(inputs), lambda: self._begin(inputs, alone=True), waiting=self._say_waiting
        )
        if isinstance(outcome, Attempt):
            return self.compute(call, inputs, outcome)
        return self.reuse(outcome, inputs)

    def compute(self, call: Callable[[], Produced], inputs: StepInputs, begun: Attempt | None = None) -> Made:
        """Runs the body, streams what it gives through the funnel, and publishes all tables or none.

        Raises what the body raises, `InvalidOutput`, and what the funnel raises.
        """
        started = time.perf_counter()
        attempt = begun or self._begin(inputs, alone=False)
        assert isinstance(attempt, Attempt), "without flights nobody is in the way"
        with attempt:
            schemas: dict[str, pa.Schema] = {}
            with watching(self._watch()) as watch:  # a generator's body runs while it is written
                produced = call()
                for table, data in zip(self.step.tables, self._by_table(produced), strict=True):
                    with closing(data) if isinstance(data, Generator) else nullcontext():
                        schemas[table] = attempt.write(table, data).schema
            if not self.is_plain:  # Dagster sees the checks of a plain asset before its table is handed over
                check_reported(produced, self.step.check_names, asset=self.step.asset_key.to_user_string())
            seconds = (time.perf_counter() - started) / max(len(self.step.tables), 1)
            settled = self._with_seen(watch, settle(inputs, self.inputs(after_body=True)))
            published = attempt.publish(
                [
                    self._output(table, partition, settled, produced, schemas[table], seconds)
                    for table, partition in zip(self.step.tables, self._partitions, strict=True)
                ],
                run_id=self.step.run_id,
            )
        metadata: dict[str | None, Mapping[str, Any]] = {
            partition: {
                **produced.metadata,
                metadata_keys.COLUMN_SCHEMA: events.column_schema(schemas[done.record.table]),
                **events.table_metadata(done.record, settled.anchors, partitioned=partition is not None),
                **events.computed_metadata(is_current=done.is_current, reasons=settled.reasons),
            }
            for partition, done in zip(self._partitions, published, strict=True)
        }
        return self._made([done.record for done in published], metadata, produced)

    def _begin(self, inputs: StepInputs, *, alone: bool) -> Attempt | Busy:
        """Opens the funnel; with `alone`, not while another step makes one of the same tables of the same inputs."""
        flights = {
            table: Flight(definition_hash=self._definition(partition, inputs), input_anchors=inputs.anchors)
            for table, partition in zip(self.step.tables, self._partitions, strict=True)
            if alone and not has_unpinned(inputs.anchors)  # else nobody could reuse it
        }
        return self.store.begin(
            self.step.tables,
            produced_by=self.step.run_id,
            owner=f"{self.step.run_id}/{self.step.step_key}",
            start_sequence=self.start_sequence,
            flights=flights,
        )

    def _say_waiting(self, busy: Busy) -> None:
        self.step.log.info(
            f"{busy.table}: run/step {busy.owner} is making the same just now; waiting for it, asking every "
            f"{POLL_SECONDS:g} s"
        )

    @property
    def _partitions(self) -> tuple[str | None, ...]:
        return (None,) if self.step.partitions is None else self.step.partitions

    def _by_table(self, produced: Produced) -> Sequence[Any]:
        data, produced.data = produced.data, None  # the funnel alone holds the table while it is written
        if self.step.partitions is None:
            return [data]
        name = self.step.asset_key.to_user_string()
        return list(by_partition(data, self.step.partitions, asset=name).values())

    def _definition(self, partition: str | None, inputs: StepInputs) -> DefinitionHash:
        return definition_hash(self._descriptor(partition, inputs), self.making.env())

    def _descriptor(self, partition: str | None, inputs: StepInputs) -> Any:
        orders = {
            dependency.input_name: dependency.tables
            for dependency in self.step.dependencies
            if dependency.input_name
        }
        there = existing(orders, inputs.names)
        return self.making.descriptor(partition, self.step.partitions or (), inputs.names, there)

    def _output(
        self,
        table: str,
        partition: str | None,
        inputs: StepInputs,
        produced: Produced,
        schema: pa.Schema,
        seconds: float,
    ) -> Output:
        code = self.making.code
        own = {
            "asset_key": list(self.step.asset_key.path),
            "partition_key": partition,
            "run_id": self.step.run_id,
            "step_key": self.step.step_key,
            "raw_config": self.making.raw_config,
            "partition_span": self._replay.to_dict()["span"],
            "code": {"kind": code.kind},
            "unpinned": list(inputs.reasons),
        }
        return Output(
            table=table,
            descriptor=self._descriptor(partition, inputs),
            env=self.making.env(),
            definition=self._definition(partition, inputs),
            input_anchors=inputs.anchors,
            compute_seconds=seconds,
            own=own,
            annotation=events.annotation(
                produced, schema, added=self.step.added_metadata(partition), replay=self._replay
            ),
        )

    @property
    def _replay(self) -> Replay:
        keys = self.step.partitions or ()
        span = (keys[0], keys[-1]) if len(keys) > 1 else None
        return Replay(config=self.making.raw_config, span=span)

    def _made(
        self,
        records: Sequence[MaterializationRecord],
        metadata: Mapping[str | None, Mapping[str, Any]],
        said: Produced,
    ) -> Made:
        references = [ResultReference.of(self.store, record) for record in records]
        digests = {
            partition: reference.artifact_digest
            for partition, reference in zip(self._partitions, references, strict=True)
        }
        value: ResultReference | PartitionReferences = references[0]
        if len(references) > 1:
            value = PartitionReferences(
                {str(key): reference for key, reference in zip(self._partitions, references, strict=True)}
            )
        code_version = self.spec.code_version or self.making.code.digest
        return Made(
            value=value,
            data_version=events.data_version(digests),
            metadata=metadata,
            tags={**said.tags, metadata_keys.CODE_VERSION_TAG: code_version},
            check_results=said.check_results,
        )

    def _watch(self) -> Watch:
        """What to look for while the body runs: reads that are neither declared nor the store's."""
        spec = self.spec
        allowed = ["*"] if self.is_plain else [*spec.allow_reads]  # the body of a plain asset has run already
        allowed += [
            surface.path for surface in spec.surfaces(self._partitions) if isinstance(surface, FileSurface)
        ]
        return Watch(
            module=spec.function.__module__.partition(".")[0],
            allowed=allowed,
            within=[self.store.identity.root],
        )

    def _with_seen(self, watch: Watch, inputs: StepInputs) -> StepInputs:
        """`inputs`, with an unpinned anchor for each read that was seen."""
        for read in watch.found.values():
            self.step.log.warning(f"{self.step.asset_key.to_user_string()}: {read}")
            inputs = inputs.with_unpinned(read.source, [str(read)])
        return inputs
