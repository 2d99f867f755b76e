"""Values that steps, IO managers and Dagster pass to each other: references, kinds of value, the store resource."""
