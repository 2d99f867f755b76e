"""How a Dagster step makes its tables: descriptor and environment (DESIGN 4.3)."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jammi_dagster.adapters.config import NotRecordable, described_config, described_resource
from jammi_dagster.adapters.step import Step
from jammi_dagster.adapters.values import IO_SEMANTICS, ValueKind
from jammi_dagster.contract import MaterializationEnv, ProducingDescriptor, canonical_json
from jammi_dagster.fingerprint import CodeIdentity
from jammi_dagster.results import ResultStore

PRODUCER = "dagster_asset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """How a step makes its tables, whatever the partition and the inputs.

    `unrecordable` are the reasons why it cannot be known, and so why the tables are never reused.
    """

    asset_key: dg.AssetKey
    code: CodeIdentity
    inputs: Mapping[str, Any]
    output: ValueKind
    config: Any
    resources: Mapping[str, Any]
    unrecordable: tuple[str, ...]
    window_of: Callable[[str | None], list[str] | None]

    def descriptor(
        self, partition: str | None, partitions: Sequence[str], input_names: Sequence[str]
    ) -> ProducingDescriptor:
        """The descriptor of one table. `partitions` is the range that the step makes, `input_names` what it reads.

        A range of more than one is part of how each of its tables is made: the function sees all of it.
        """
        return ProducingDescriptor(
            {
                "producer": PRODUCER,
                "asset_key": list(self.asset_key.path),
                "partition_key": partition,
                "partition_range": _digest(sorted(partitions)) if len(partitions) > 1 else None,
                "partition_window": self.window_of(partition),
                "code": {"kind": self.code.kind, "digest": self.code.digest},
                "input_names": _digest(sorted(input_names)),
                "io_semantics": IO_SEMANTICS,
                "inputs": dict(self.inputs),
                "output_kind": str(self.output),
                "config": self.config,
                "resources": dict(self.resources),
            }
        )

    def env(self) -> MaterializationEnv:
        """What affects the output and is not in the descriptor: Python, the libraries that the code reaches."""
        major, minor, _ = platform.python_version_tuple()
        return MaterializationEnv(
            {"python": f"{major}.{minor}", "libraries": dict(self.code.libraries), "device": "cpu"}
        )


def making(
    step: Step,
    store: ResultStore,
    *,
    code: CodeIdentity,
    inputs: Mapping[str, ValueKind],
    output: ValueKind,
    resource_keys: Sequence[str],
) -> Making:
    """How `step` makes its tables. `resource_keys` are the resources that its function takes."""
    reasons = list(code.unresolved)
    config: Any = None
    resources: dict[str, Any] = {}
    try:
        config = described_config(step.op_config, step.raw_op_config, step.op_config_field, store.key.hmac)
    except NotRecordable as error:
        reasons.append(f"config: {error}")
    for key in sorted(resource_keys):
        try:
            resources[key] = described_resource(getattr(step.resources, key), store.key.hmac)
        except NotRecordable as error:
            reasons.append(f"{key}: {error}")
    return Making(
        asset_key=step.asset_key,
        code=code,
        inputs=_described_inputs(step, inputs),
        output=output,
        config=config,
        resources=resources,
        unrecordable=tuple(reasons),
        window_of=step.window_of,
    )


def _described_inputs(step: Step, kinds: Mapping[str, ValueKind]) -> dict[str, Any]:
    """Which asset each parameter gets, as what, and in which order its partitions come.

    The order is there only where it is not that of the names: it can change without a change of code, where
    partitions are dynamic, and the function sees it.
    """
    described: dict[str, Any] = {}
    for dependency in step.dependencies:
        name, tables = dependency.input_name, list(dependency.tables)
        if name is not None and name in kinds:
            described[name] = {
                "asset_key": list(dependency.asset_key.path),
                "kind": str(kinds[name]),
                "order": None if tables == sorted(tables) else _digest(tables),
            }
    return described


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256(canonical_json(list(names))).hexdigest()
