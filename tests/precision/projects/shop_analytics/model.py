"""A forecast of demand, without any library for models."""

from collections import namedtuple
from typing import NamedTuple

import numpy as np
import pandas as pd

Fit = namedtuple("Fit", "a b")


class Scored(NamedTuple):
    rmse: float
    n: int


def model_func(x: np.ndarray, a: float, b: float) -> np.ndarray:
    return a * np.exp(b * (x / 10**2))


def fit(x: np.ndarray, y: np.ndarray) -> Fit:
    logs = np.log(np.maximum(y, 1e-9))
    slope, intercept = np.polyfit(x / 10**2, logs, deg=1)
    return Fit(a=float(np.exp(intercept)), b=float(slope))


def score(y: np.ndarray, predicted: np.ndarray) -> Scored:
    return Scored(rmse=float(np.sqrt(np.mean((y - predicted) ** 2))), n=len(y))


def days_since(dates: pd.Series, origin: str = "2023-01-01") -> np.ndarray:
    return (pd.to_datetime(dates) - pd.Timestamp(origin)).dt.days.to_numpy()


def bootstrap(y: np.ndarray, rounds: int, seed: int | None = None) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return np.array([generator.choice(y, size=len(y)).mean() for _ in range(rounds)])
