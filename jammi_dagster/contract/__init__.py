"""The materialization contract as pure values: names, definitions, anchors, manifests and verdicts.

Rules:

1. Every value is frozen. `from_dict(to_dict(x)) == x` holds for each, and `from_dict` is the validation.
2. A definition says how a table is made, its input anchors over which state of which inputs. Together they are its
   identity.
3. JSON, hashes and verdicts are the jammi engine's, byte for byte; a difference is a bug here.

Not done here: no I/O, no clock, no Dagster. `sensing` compares recorded with present state, `recording` writes.

>>> from jammi_dagster.contract import InputAnchor, anchor_set_key, definition_hash
>>> definition = definition_hash({"producer": "dagster_asset", "asset_key": ["turnover"]}, {"python": "3.11"})
>>> str(definition)[:12]
'67e053215e27'
>>> inputs = [InputAnchor.source_version("file:orders.csv", "sha256:1f0c")]
>>> len(anchor_set_key(inputs))
64
"""

from jammi_dagster.contract.acceptance import Acceptance
from jammi_dagster.contract.anchors import AnchorKind, InputAnchor, anchor_set_key, anchor_sets_equal
from jammi_dagster.contract.canonical import canonical_json
from jammi_dagster.contract.definition import (
    DefinitionHash,
    MaterializationEnv,
    ProducingDescriptor,
    definition_hash,
)
from jammi_dagster.contract.explain import Difference, changed_inputs, explain
from jammi_dagster.contract.manifest import ArtifactDigest, Leaf, MaterializationManifest
from jammi_dagster.contract.policy import CacheOutcome, CachePolicy, Verification
from jammi_dagster.contract.tables import TableName
from jammi_dagster.contract.verdicts import (
    CurrentAnchor,
    DerivesFromEdge,
    MatchVerdict,
    Staleness,
    StaleReason,
)

__all__ = [
    "Acceptance",
    "AnchorKind",
    "ArtifactDigest",
    "CacheOutcome",
    "CachePolicy",
    "CurrentAnchor",
    "DefinitionHash",
    "DerivesFromEdge",
    "Difference",
    "InputAnchor",
    "Leaf",
    "MatchVerdict",
    "MaterializationEnv",
    "MaterializationManifest",
    "ProducingDescriptor",
    "StaleReason",
    "Staleness",
    "TableName",
    "Verification",
    "anchor_set_key",
    "anchor_sets_equal",
    "canonical_json",
    "changed_inputs",
    "definition_hash",
    "explain",
]
