"""Classes whose objects are config: the bases that keep values in fields, and the methods that such a base calls."""

from __future__ import annotations

CONFIG_BASES = frozenset(
    [
        "dagster.Config",
        "dagster.ConfigurableResource",
        "dagster.PermissiveConfig",
        "pydantic.BaseModel",
        "pydantic.main.BaseModel",
    ]
)

# Methods that Dagster or pydantic call by themselves; beginnings of names end in `_`.
CALLED_BY_BASES = frozenset(
    [
        "construct",
        "copy",
        "create_resource",
        "dict",
        "from_resource_context",
        "from_resource_context_cm",
        "get_object_to_set_on_execution_context",
        "get_resource_context",
        "get_resource_definition",
        "json",
        "nested_resources",
        "process_config_and_initialize",
        "process_config_and_initialize_cm",
        "setup_for_execution",
        "teardown_after_execution",
        "to_config_schema",
        "to_fields_dict",
        "update_forward_refs",
        "validate",
        "with_replaced_resource_context",
        "with_resource_context",
        "yield_for_execution",
    ]
)
PREFIXES_OF_BASES = (
    "model_",
    "parse_",
    "schema",
    "_resolve_",
    "_with_",
    "_get_",
    "_nested_",
    "_initialize_",
    "_convert_",
)

# Methods that run before a step's function, or after it: nothing watches them.
HOOKS = frozenset(
    {"create_resource", "setup_for_execution", "teardown_after_execution", "yield_for_execution"}
)

# Libraries that work on values alone, so that a hook may use them.
QUIET_LIBRARIES = frozenset(
    {"numpy", "pandas", "polars", "pyarrow", "pydantic", "python-dateutil", "pytz", "typing-extensions"}
)
