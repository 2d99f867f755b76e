"""A walk over a graph of neighbours: each name once with its own neighbours, at its shortest distance."""

from hypothesis import given
from hypothesis import strategies as st

from jammi_dagster.lineage.graph import walk

_NAMES = st.sampled_from("abcdef")
_GRAPHS = st.dictionaries(_NAMES, st.lists(_NAMES, max_size=4, unique=True))


def distances(graph: dict[str, list[str]], start: str) -> dict[str, int]:
    """The shortest distance of each name that can be reached."""
    found, layer, hops = {start: 0}, [start], 0
    while layer:
        hops += 1
        layer = [name for one in layer for name in graph.get(one, ()) if name not in found]
        found.update(dict.fromkeys(layer, hops))
    return found


@given(graph=_GRAPHS, start=_NAMES, depth=st.one_of(st.none(), st.integers(1, 4)))
def test_everything_within_the_depth_is_visited_once_by_its_shortest_way(
    graph: dict[str, list[str]], start: str, depth: int | None
) -> None:
    """Also in a graph with cycles; a name that comes again is marked, and not walked twice."""
    visits = list(walk(start, graph, depth))
    first = {visit.name: visit.hops for visit in visits if not visit.is_again}
    far = distances(graph, start)
    assert first == {name: hops for name, hops in far.items() if name != start and hops <= (depth or 99)}
    assert sum(not visit.is_again for visit in visits) == len(first)
    walked = [start, *(name for name, hops in first.items() if depth is None or hops < depth)]
    assert len(visits) == sum(len(graph.get(name, ())) for name in walked)


def test_a_long_chain_is_walked() -> None:
    """No recursion bounds the length of a chain."""
    chain = {str(i): [str(i + 1)] for i in range(50_000)}
    assert sum(1 for _ in walk("0", chain)) == 50_000
