"""The numerical work of the demo gives the right graph, and the same one everywhere."""

import numpy as np
import pytest

from demo import graph


def brute_force(points: np.ndarray, k: int) -> list[list[int]]:
    distances = ((points[:, None] - points) ** 2).sum(axis=2)
    return [
        [b for b in np.lexsort((np.arange(len(points)), row)) if b != a][:k]
        for a, row in enumerate(distances)
    ]


@pytest.mark.parametrize("values", [2, 255], ids=["many ties", "few ties"])
@pytest.mark.parametrize("block", [1, 7, 1000])
def test_nearest_compares_all_pairs(values: int, block: int) -> None:
    """Each point gets its k nearest others, the first of equally near ones, however the work is cut."""
    points = np.random.default_rng(1).integers(-values // 2, values // 2, (100, 5)).astype(float)
    source, target, distance = graph.nearest(points, 4, block)
    assert target.reshape(-1, 4).tolist() == brute_force(points, 4)
    assert source.tolist() == np.repeat(np.arange(100), 4).tolist()
    expected = np.sqrt(((points[source] - points[target]) ** 2).sum(axis=1)) / graph.STEPS_PER_DEVIATION
    assert distance.tolist() == expected.tolist()


def test_a_point_has_no_more_neighbours_than_there_are_other_points() -> None:
    """A group of three gives two neighbours each, a single point none."""
    assert graph.nearest(np.array([[0.0], [3.0], [1.0]]), 10).target.tolist() == [2, 1, 2, 0, 0, 1]
    assert graph.nearest(np.array([[5.0]]), 10).target.tolist() == []


def test_neighbours_are_of_the_same_group() -> None:
    """Edges name the points by their place among all points."""
    edges = graph.nearest_within(np.array(["b", "a", "b", "a"]), np.array([[0.0], [0.0], [9.0], [9.0]]), 3)
    assert sorted(zip(edges.source.tolist(), edges.target.tolist(), strict=True)) == [
        (0, 2),
        (1, 3),
        (2, 0),
        (3, 1),
    ]


def test_scaled_points_are_whole_and_bounded_and_the_unknown_is_average() -> None:
    """Exact sums need whole numbers; a column without variation says nothing."""
    points = graph.scaled(
        [np.array([1.0, np.nan, 3.0]), np.array([2.0, 2.0, 2.0]), np.array([0.0, 0.0, 1e9])]
    )
    assert points[:, 0].tolist() == [-16, 0, 16]
    assert points[:, 1].tolist() == [0, 0, 0]
    assert np.abs(points).max() <= graph.LARGEST_STEP
    assert (points == np.rint(points)).all()


def test_spreading_mixes_own_value_and_neighbours() -> None:
    """No damping spreads nothing, full damping gives the neighbours' mean; a point without any keeps its own."""
    edges = graph.Edges(np.array([0, 0, 1]), np.array([1, 2, 0]), np.zeros(3))
    own = np.array([0.0, 6.0, np.nan])
    assert graph.spread(own, edges, 0.0, 5).tolist() == [0, 6, 3]
    assert graph.spread(own, edges, 1.0, 1).tolist() == [4.5, 0, 3]
