"""Keys of metadata and tags: every one that this package writes or reads, in one place."""

from __future__ import annotations

CACHE_TAG = "jammi/cache"
VERIFY_INPUTS_TAG = "jammi/verify_inputs"
WAIT_TAG = "jammi/most_wait_seconds"
REQUEST_TAG = "jammi/request"
PLAN_TAG = "jammi/plan"
GENERATION_TAG = "jammi/generation"

CACHE_OUTCOME = "jammi/cache_outcome"
WHY = "jammi/why"
SECONDS_SAVED = "jammi/seconds_saved"
SECONDS_SPENT = "jammi/seconds_spent"
BYTES = "jammi/bytes"
REUSED = "jammi/reused"
INPUTS = "jammi/inputs"
COMPUTED_BY = "jammi/computed_by"
OUTCOME_TAG = "jammi/outcome"
IDENTITY = "jammi/identity"
REUSED_MATERIALIZATION = "jammi/reused_materialization"
MATERIALIZATION = "jammi/materialization"
DEFINITION_HASH = "jammi/definition_hash"
ARTIFACT_DIGEST = "jammi/artifact_digest"
COMPUTE_SECONDS = "jammi/compute_seconds"
INPUT_ANCHORS = "jammi/input_anchors"
INPUT_ANCHOR_COUNT = "jammi/input_anchor_count"
INPUT_ANCHOR_SET = "jammi/input_anchor_set"
UNPINNED = "jammi/unpinned"
REPRODUCIBILITY = "jammi/reproducibility"
MOVE = "jammi/move"
IS_CURRENT = "jammi/is_current"
LOOKED_AT = "jammi/looked_at"

ROW_COUNT = "dagster/row_count"
PARTITION_ROW_COUNT = "dagster/partition_row_count"
COLUMN_SCHEMA = "dagster/column_schema"
URI = "dagster/uri"
TABLE_NAME = "dagster/table_name"
CODE_VERSION_TAG = "dagster/code_version"
DATA_VERSION_TAG = "dagster/data_version"
USER_PROVIDED_TAG = "dagster/data_version_is_user_provided"
INPUT_VERSION_TAG = "dagster/input_data_version/"  # and the key of the input
INPUT_EVENT_TAG = "dagster/input_event_pointer/"
PARTITION_TAG = "dagster/partition"
RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
RESUME_TAGS = ("dagster/is_resume_retry", "dagster/is_asset_resume_retry")
DEFERRED_TAG = "dagster/defer_asset_events"
IO_MANAGER_KEY = "dagster/io_manager_key"

FINALIZED = "jammi/code_identity"
ALLOW_MISSING = "allow_missing_partitions"  # Dagster's own IO managers read this key
