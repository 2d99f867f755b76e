"""Plans of runs as values: no Dagster, no I/O."""
