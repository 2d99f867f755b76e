"""The acceptance that a table's current materialization may have, compared with the definition and inputs of now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jammi_dagster.artifacts import ArtifactRoot, read_manifest
from jammi_dagster.catalog import MaterializationRecord, Scope
from jammi_dagster.contract import (
    Acceptance,
    InputAnchor,
    MaterializationEnv,
    ProducingDescriptor,
    anchor_set_key,
    definition_hash,
    explain,
)
from jammi_dagster.contract.acceptance import refusal
from jammi_dagster.contract.anchors import check_distinct
from jammi_dagster.errors import InvalidField, NotAcceptable
from jammi_dagster.sensing.probe import damage

_NO_MANIFEST = "nothing says how it was made"
_OTHER = "its sidecar records another definition than the catalog"


def acceptance_of(
    root: ArtifactRoot,
    record: MaterializationRecord,
    descriptor: ProducingDescriptor | Mapping[str, Any],
    env: MaterializationEnv | Mapping[str, Any],
    inputs: Sequence[InputAnchor],
    *,
    scope: Scope,
    by: str,
    reason: str,
    proof: str | None = None,
) -> Acceptance:
    """Return the acceptance of `record` for the given definition and inputs, to be recorded.

    Reads its sidecar. Raises `NotAcceptable`, `InvalidManifest`, and `InvalidField` where `by` or `reason` is empty.
    """
    for name, text in (("by", by), ("reason", reason)):
        if not isinstance(text, str) or not text.strip():
            raise InvalidField(what="accept", path=name, value=text, expected="a text that is not empty")
    check_distinct(inputs)
    now = ProducingDescriptor.from_dict(_plain(descriptor)), MaterializationEnv.from_dict(_plain(env))
    manifest = read_manifest(root, record.artifact_path)
    if manifest is None or record.definition_hash is None or record.artifact_digest is None:
        raise NotAcceptable(table=record.table, why=_NO_MANIFEST)
    if definition_hash(manifest.descriptor, manifest.env) != record.definition_hash:
        raise NotAcceptable(table=record.table, why=_OTHER)
    differences = explain(
        manifest.descriptor.fields,
        manifest.env.fields,
        now[0].fields,
        now[1].fields,
        recorded_inputs=[anchor.source for anchor in record.input_anchors],
        current_inputs=[anchor.source for anchor in inputs],
    )
    why = refusal(differences, record.input_anchors, inputs)
    gone = damage(root, record.artifact_path, record.size_bytes)
    if why or gone:
        raise NotAcceptable(table=record.table, why=why or f"its bytes are {gone}")
    return Acceptance(
        table=record.table,
        tenant=scope.tenant,
        deployment=scope.deployment,
        materialization_id=record.materialization_id,
        from_definition=record.definition_hash,
        to_definition=definition_hash(*now),
        anchor_set=anchor_set_key(record.input_anchors),
        artifact_digest=record.artifact_digest,
        by=by,
        reason=reason,
        at="",
        proof=proof,
    )


def _plain(fields: ProducingDescriptor | MaterializationEnv | Mapping[str, Any]) -> Mapping[str, Any]:
    return fields if isinstance(fields, Mapping) else fields.fields
