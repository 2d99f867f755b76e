"""Classes of several kinds."""

from dataclasses import dataclass, field
from enum import Enum

from pydantic import BaseModel


class Level(Enum):
    LOW = 1
    HIGH = 2


class Priced:
    tax = 0.2

    def gross(self):
        return self.net() * (1 + self.tax)

    def net(self):
        raise NotImplementedError


@dataclass(frozen=True)
class Order:
    name: str
    amount: int = 1
    tags: list = field(default_factory=list)

    def price(self):
        return self.amount * Base.unit


class Base:
    unit = 10

    @property
    def rate(self):
        return self._rate()

    @staticmethod
    def _rate():
        return 5


class Checked(BaseModel):
    size: int = 4
    name: str = "c"


class Cart(Base, Priced):
    def __init__(self, orders):
        self.orders = orders

    def net(self):
        return sum(order.price() for order in self.orders)

    def total(self):
        return self.gross() + self.rate + Checked().size

    def __len__(self):
        return len(self.orders)


class Unreached(Base):
    unit = 11
