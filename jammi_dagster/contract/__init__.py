"""The materialization contract as pure values: what a table is, how it was made, over what, and every verdict.

Nothing here does I/O. `from_dict(to_dict(x)) == x` holds for every value, and `from_dict` is the validation.
"""

from jammi_dagster.contract.anchors import AnchorKind, InputAnchor, anchor_set_key, anchor_sets_equal
from jammi_dagster.contract.canonical import canonical_json
from jammi_dagster.contract.definition import (
    DefinitionHash,
    MaterializationEnv,
    ProducingDescriptor,
    definition_hash,
)
from jammi_dagster.contract.explain import Difference, explain
from jammi_dagster.contract.manifest import ArtifactDigest, Leaf, MaterializationManifest
from jammi_dagster.contract.policy import CacheOutcome, CachePolicy
from jammi_dagster.contract.tables import TableName
from jammi_dagster.contract.verdicts import (
    CurrentAnchor,
    DerivesFromEdge,
    MatchVerdict,
    Staleness,
    StaleReason,
)

__all__ = [
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
    "anchor_set_key",
    "anchor_sets_equal",
    "canonical_json",
    "definition_hash",
    "explain",
]
