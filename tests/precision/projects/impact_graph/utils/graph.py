"""Trust that spreads over a graph."""

import networkx as nx


def build(edges):
    graph = nx.DiGraph()
    graph.add_weighted_edges_from(edges)
    return graph


def trust(graph, seeds, damping=0.85):
    personalization = {node: 1.0 if node in seeds else 0.0 for node in graph}
    ranks = nx.pagerank(graph, alpha=damping, personalization=personalization)
    return sorted(ranks.items())
