"""Resources."""

from contextlib import contextmanager

import boto3
import dagster as dg
import sqlalchemy


class WarehouseResource(dg.ConfigurableResource):
    url: str

    @contextmanager
    def get_connection(self):
        engine = sqlalchemy.create_engine(self.url)
        with engine.begin() as connection:
            yield connection


class S3Client(dg.ConfigurableResource):
    region: str = "us-west-2"

    def get_client(self):
        return boto3.client("s3", region_name=self.region)


class Rates(dg.ConfigurableResource):
    """Currency rates, as they were agreed for the year."""

    eur: float = 1.08
    rounding: int = 2

    def to_usd(self, amount: float, currency: str) -> float:
        return round(amount * (self.eur if currency == "eur" else 1.0), self.rounding)
