"""Dagster's own tests with `@result_table` in the place of `@dagster.asset`."""
