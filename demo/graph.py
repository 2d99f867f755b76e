"""The demo's heavy work: an exact graph of nearest neighbours, and values spread over it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEPS_PER_DEVIATION = 16
LARGEST_STEP = 127


class Edges(NamedTuple):
    """A directed graph as columns, one place per edge: source, target, distance."""

    source: Ints
    target: Ints
    distance: Floats


def scaled(columns: list[Floats]) -> Floats:
    """Scale the columns to one row of whole numbers per point, in sixteenths of a standard deviation.

    An unknown value becomes the average. Whole numbers make every later sum exact: the graph is the same in whatever
    order a machine adds.
    """
    points = np.column_stack(columns)
    deviation = np.nanstd(points, axis=0)
    steps = (
        (points - np.nanmean(points, axis=0)) / np.where(deviation > 0, deviation, 1) * STEPS_PER_DEVIATION
    )
    whole: Floats = np.clip(np.rint(steps), -LARGEST_STEP, LARGEST_STEP)
    return np.nan_to_num(whole)


def nearest(points: Floats, k: int, block: int = 256) -> Edges:
    """Find the edges from each point to its k nearest others by comparing all pairs.

    Of equally near points, the first count. One number stands for a pair: n * (squared distance - |a|^2) + index of b.
    The number is exact, it orders the points b by distance from a and then by index, and for all pairs at once it is a
    product of two matrices.
    """
    n = len(points)
    k = min(k, n - 1)
    norms = (points * points).sum(axis=1)
    left = np.column_stack([-2 * n * points, np.full(n, n), np.ones(n)])
    right = np.ascontiguousarray(np.column_stack([points, norms, np.arange(n)]).T)
    closest = np.empty((n, k + 1))
    for start in range(0, n, block):
        pairs = left[start : start + block] @ right
        rows = np.arange(len(pairs))
        pairs[rows, start + rows] = -np.inf  # each point itself comes first, and is cut off below
        pairs.partition(k, axis=1)
        closest[start : start + block] = np.sort(pairs[:, : k + 1], axis=1)
    nearness, target = np.divmod(closest[:, 1:], n)
    distance = np.sqrt(nearness + norms[:, None]) / STEPS_PER_DEVIATION
    return Edges(np.repeat(np.arange(n), k), target.astype(np.int64).ravel(), distance.ravel())


def nearest_within(groups: NDArray[np.str_], points: Floats, k: int) -> Edges:
    """Find the edges of `nearest` among the points of each group by themselves."""
    parts = []
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        source, target, distance = nearest(points[members], k)
        parts.append(Edges(members[source], members[target], distance))
    return Edges(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def spread(own: Floats, edges: Edges, damping: float, rounds: int) -> Floats:
    """Mix each point's own value with the mean of its neighbours', again and again; unknown ones start average."""
    own = np.nan_to_num(own, nan=float(np.nanmean(own)))
    degree = np.bincount(edges.source, minlength=len(own))
    value = own
    for _ in range(rounds):
        total = np.bincount(edges.source, weights=value[edges.target], minlength=len(own))
        around = np.divide(total, degree, out=own.copy(), where=degree > 0)
        value = (1 - damping) * own + damping * around
    return value
