import contextlib
import subprocess

import dagster as dg
import duckdb


class DuckDBResource(dg.ConfigurableResource):
    database: str

    @contextlib.contextmanager
    def get_connection(self):
        with duckdb.connect(self.database) as connection:
            yield connection


class Sling(dg.ConfigurableResource):
    mode: str = "full-refresh"

    def sync(self, source: str, target: str) -> int:
        done = subprocess.run(["sling", "--mode", self.mode, source, target], capture_output=True)
        return len(done.stdout.splitlines())


class Checklists(dg.ConfigurableResource):
    """The rule by which a species counts as seen."""

    minimum: int = 1

    def seen(self, counts):
        return counts[counts["how_many"] >= self.minimum]
