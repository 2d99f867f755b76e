import math

import pandas as pd

from . import check


def haversine(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    one, two = math.radians(lat1), math.radians(lat2)
    delta = math.radians(lon2 - lon1)
    a = math.sin((two - one) / 2) ** 2 + math.cos(one) * math.cos(two) * math.sin(delta / 2) ** 2
    return 2 * 6371.0 * math.asin(math.sqrt(a))


@check("bounds")
def bounds(df: pd.DataFrame) -> pd.Series:
    return ~(df["latitude"].between(-90, 90) & df["longitude"].between(-180, 180))
