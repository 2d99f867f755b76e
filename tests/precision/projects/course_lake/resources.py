"""Resources of the code location."""

import dagster as dg
import duckdb
from pydantic import PrivateAttr

from course_lake.lib.api_client import PlatformClient


class PlatformResource(dg.ConfigurableResource):
    base_url: str
    client_id: str
    secret: str
    _client: PlatformClient = PrivateAttr()

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        self._client = PlatformClient(self.base_url, self.client_id, self.secret)

    @property
    def client(self) -> PlatformClient:
        return self._client


class Grading(dg.ConfigurableResource):
    """The thresholds by which results become letters."""

    passing: float = 0.6
    excellent: float = 0.9

    def letter(self, score: float) -> str:
        if score >= self.excellent:
            return "A"
        return "B" if score >= self.passing else "F"


class Lake(dg.ConfigurableResource):
    path: str

    def query(self, sql: str):
        with duckdb.connect(self.path, read_only=True) as connection:
            return connection.execute(sql).pl()
