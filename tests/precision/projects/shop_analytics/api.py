"""A made-up API of orders, and a service that enriches them."""

import json
import random
import time

import numpy as np
import pandas as pd


class EnrichmentAPI:
    def get_order_details(self, order_id: int) -> str:
        time.sleep(0.01)
        return json.dumps({"order_id": order_id, "order_center": random.choice(["scranton", "akron"])})


class RawDataAPI:
    def __init__(self) -> None:
        self._rng = np.random.default_rng()

    def get_orders(self, day: str) -> pd.DataFrame:
        count = int(self._rng.integers(5, 20))
        return pd.DataFrame({"dt": [day] * count, "amount": self._rng.random(count).round(2)})
