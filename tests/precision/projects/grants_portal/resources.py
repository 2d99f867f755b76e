from contextlib import contextmanager
from decimal import Decimal

import dagster as dg
import duckdb
import requests


class DuckDB(dg.ConfigurableResource):
    database: str

    @contextmanager
    def get_connection(self):
        connection = duckdb.connect(self.database)
        try:
            yield connection
        finally:
            connection.close()


class CovalentAPI(dg.ConfigurableResource):
    api_key: str

    def fetch_all_tx_for_address(self, chain: str, address: str):
        page = 0
        while True:
            url = f"https://api.example.org/v1/{chain}/address/{address}/transactions/{page}/"
            answer = requests.get(url, auth=(self.api_key, "")).json()["data"]
            yield answer
            if not answer["links"]["next"]:
                return
            page += 1


class Scale(dg.ConfigurableResource):
    decimals: int = 18

    def units(self, amount: str) -> float:
        return float(Decimal(amount) / Decimal(10) ** self.decimals)
