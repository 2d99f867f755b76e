"""Ratings of teams."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

game_numbers = itertools.count(1)


@dataclass
class Elo:
    k: float = 6.0
    start: float = 1500.0
    ratings: dict[str, float] = field(default_factory=dict)

    def of(self, team: str) -> float:
        return self.ratings.setdefault(team, self.start)

    def expect(self, home: str, away: str) -> float:
        return 1 / (1 + 10 ** ((self.of(away) - self.of(home)) / 400))

    def play(self, home: str, away: str, won: bool) -> Elo:
        change = self.k * (float(won) - self.expect(home, away))
        self.ratings[home] += change
        self.ratings[away] -= change
        return self

    def __iter__(self):
        yield from sorted(self.ratings.items())


class Table(dict):
    def __missing__(self, key):
        self[key] = 0
        return 0


def points(results: Iterable[tuple[str, int]]) -> Table:
    table = Table()
    for team, earned in results:
        table[team] += earned
    return table
