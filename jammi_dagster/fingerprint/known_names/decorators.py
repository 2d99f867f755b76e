"""Decorators whose effect is known: they read no annotation, they only label, or they only orchestrate."""

from __future__ import annotations

from jammi_dagster.fingerprint.known_names.annotation_blind import BLIND_RECEIVERS

# Orchestration: its effect on a table stands in the descriptor, and an upgrade of it alone must move no hash.
ORCHESTRATION = frozenset({"dagster", "jammi_dagster"})

# How the names of Dagster's integrations begin: `dagster_dbt.DbtProject(…)`. Their definitions change nothing at load.
INTEGRATIONS = "dagster_"

# Decorators that label a function and do nothing else, whatever the label is called.
LABEL_PREFIXES = ("pytest.mark.",)

# Decorators that read no annotation: all of these modules except some, and single ones.
ANNOTATION_BLIND_MODULES = frozenset({"abc"}) | BLIND_RECEIVERS
ANNOTATION_READERS = frozenset({"functools.singledispatch", "functools.singledispatchmethod"})
ANNOTATION_BLIND = frozenset({"builtins.staticmethod", "builtins.classmethod", "builtins.property"})
PROPERTY_ACCESSORS = frozenset({"setter", "getter", "deleter"})
