"""What Dagster hands from step to step: references, kinds of value, the store."""
