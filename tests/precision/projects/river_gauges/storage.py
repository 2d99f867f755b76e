"""Where the tables of the project are kept."""

import io
import os
import time

import dagster as dg
import duckdb
import polars as pl


class LakeIOManager(dg.IOManager):
    """Files of a lake, which duckdb reads."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.connect()

    def connect(self) -> None:
        """Warm up a connection."""
        with duckdb.connect() as connection:
            connection.begin()
        io.BytesIO().seek(0)
        time.sleep(0)  # a wait, here of no time, changes nothing

    def handle_output(self, context: dg.OutputContext, value: pl.DataFrame) -> None:
        value.write_parquet(os.path.join(self.folder, context.step_key))

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        return pl.read_parquet(os.path.join(self.folder, context.step_key))
