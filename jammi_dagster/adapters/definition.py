"""How a Dagster step makes its tables: descriptor and environment (DESIGN 4.3)."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
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
    inputs: Mapping[str, ValueKind]
    output: ValueKind
    config: Any
    resources: Mapping[str, Any]
    unrecordable: tuple[str, ...]

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
                "code": {"kind": self.code.kind, "digest": self.code.digest},
                "input_names": _digest(sorted(input_names)),
                "io_semantics": IO_SEMANTICS,
                "input_kinds": {name: str(kind) for name, kind in sorted(self.inputs.items())},
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
        inputs=inputs,
        output=output,
        config=config,
        resources=resources,
        unrecordable=tuple(reasons),
    )


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256(canonical_json(list(names))).hexdigest()
