"""Wind and power."""

import math
from functools import cached_property, reduce

import numpy as np

AIR = 1.225
CURVE = np.array([[0.0, 0.0], [3.0, 0.0], [12.0, 1.0], [25.0, 1.0], [25.1, 0.0]])


class Turbine:
    def __init__(self, diameter: float, rated: float) -> None:
        self.diameter, self.rated = diameter, rated

    @cached_property
    def area(self) -> float:
        return math.pi * (self.diameter / 2) ** 2

    def limit(self, speed: float) -> float:
        return 0.5 * AIR * self.area * speed**3 * 16 / 27

    def power(self, speed: np.ndarray) -> np.ndarray:
        return self.rated * np.interp(speed, CURVE[:, 0], CURVE[:, 1])


def speed(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.hypot(u, v)


def at_height(speeds: np.ndarray, height: float, reference: float = 10.0, alpha: float = 1 / 7) -> np.ndarray:
    return speeds * (height / reference) ** alpha


def compose(*functions):
    return reduce(lambda f, g: lambda x: g(f(x)), functions)
