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

# The attribute by which a class tells pydantic how to treat its objects: nobody changes it later.
SETTINGS = frozenset({"model_config"})

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

# Decorators of methods that pydantic calls when it makes an object.
VALIDATORS = frozenset(
    {"validator", "root_validator", "field_validator", "model_validator", "computed_field"}
)

# Methods of pydantic that make an object from data, and call nothing in it.
DATA_METHODS = frozenset(
    {"model_construct", "model_validate", "model_validate_json", "parse_obj", "parse_raw"}
)

# Methods of resources and IO managers that make a definition, and call nothing.
CONFIGURING = frozenset({"configure_at_launch", "configured"})

# Methods that run before a step's function, or after it: nothing watches them.
HOOKS = frozenset(
    {"create_resource", "setup_for_execution", "teardown_after_execution", "yield_for_execution"}
)

# Modules of libraries that ask the objects which they get for no members but these, and those with two underscores.
VALUE_MODULES = frozenset(
    [
        *("annotated_types", "dateutil", "geopandas", "numpy", "pandas", "pandera", "polars", "pyarrow"),
        *("pydantic", "pydantic_core", "pydantic_settings", "pytz", "scipy", "shapely", "sqlalchemy"),
        *("addfips", "country_converter", "holidays", "pycountry", "typing_extensions", "us"),
    ]
)
ASKED_BY_LIBRARIES = frozenset(
    [
        *("append", "close", "dtype", "flush", "get", "items", "keys", "next", "read", "readline", "run"),
        *("seek", "send", "shape", "tell", "to_arrow", "to_numpy", "to_pandas", "update", "values", "write"),
    ]
)

# Libraries that work on values alone, so that a hook may use them.
QUIET_LIBRARIES = frozenset(
    {"numpy", "pandas", "polars", "pyarrow", "pydantic", "python-dateutil", "pytz", "typing-extensions"}
)
