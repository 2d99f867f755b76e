"""The report, and its neighbours."""

from __future__ import annotations

import functools
import math
from typing import Any

import shop.stats
from shop import text as words
from shop.models import Cart, Level, Order
from shop.plugins import discounts
from shop.registry import HANDLERS
from shop.stats import core
from shop.stats.weights import WEIGHTS as W
from shop.stats.weights import scale

LIMIT: int = 3
RATE = 0.25
NAMES = ("ann", "bob")
TABLE = {"a": 1, "b": [2, 3]}
FLAGS = {"x", "y"}
PATTERN = "%s-%d"
DERIVED = [RATE * n for n in range(LIMIT)]
UNUSED = 99

first, second = 1, 2

try:
    import shop_speedups as speed
except ImportError:
    speed = None

if LIMIT > 2:
    MODE = "wide"
else:
    MODE = "narrow"


def twice(fn):
    @functools.wraps(fn)
    def wrapper(*args):
        return fn(*args) * 2

    return wrapper


def times(n):
    def decorate(fn):
        def inner(*args):
            return fn(*args) + n

        return inner

    return decorate


@twice
@times(4)
def decorated(x):
    return x


def adder(a, b=RATE, *, c=2):
    return a + b + c


add_five = functools.partial(adder, 5, c=7)
square = lambda x: x**2  # noqa: E731


@functools.lru_cache(maxsize=None)
def cached(x):
    return x + 1


def nested(x):
    factor = 3

    def inner(y):
        return y * factor

    return inner(x)


def generate(n):
    for i in range(n):
        if i % 2 == 0:
            yield i
        else:
            yield -i


def guarded(x):
    try:
        return 1 / x
    except ZeroDivisionError:
        return 0
    finally:
        math.sqrt(1)


def matched(x):
    match x:
        case {"kind": "a", "n": n}:
            return n
        case [1, *rest]:
            return len(rest)
        case _:
            return None


def looped(xs):
    total = 0
    while xs:
        total += xs.pop()
        if total > 100:
            break
    else:
        total = -total
    return total


def local_import(x):
    from shop.stats.weights import offset

    return offset(x)


def unreached(x):
    """Nobody calls this."""
    return x + UNUSED


def report(rows: list[Any], strict: bool = True) -> dict[str, Any]:
    """What the shop sold."""
    order = Order(name="x", amount=2)
    cart = Cart([order])
    level = Level.HIGH
    assert strict, "strict"
    if len(rows) > LIMIT and not speed:
        rows = rows[:LIMIT]
    cleaned = [words.clean(row) for row in rows if row not in FLAGS]
    named = {name: PATTERN % (name, len(NAMES)) for name in NAMES}
    label = f"{shop.settings.CURRENCY}:{RATE:.2f}"
    return {
        "cleaned": cleaned,
        "named": named,
        "label": label,
        "table": TABLE["b"],
        "derived": sum(DERIVED),
        "mode": MODE,
        "pair": first - second,
        "decorated": decorated(1),
        "added": add_five(1.5),
        "square": square(4),
        "cached": cached(2),
        "nested": nested(3),
        "generated": list(generate(5)),
        "guarded": guarded(0),
        "matched": matched({"kind": "a", "n": 1}),
        "looped": looped([1, 2]),
        "local": local_import(1),
        "cart": cart.total(),
        "level": level.value,
        "mean": core.mean([1, 2], W),
        "scaled": scale(2),
        "spread": shop.stats.spread([1, 2]),
        "handled": HANDLERS["upper"]("a"),
        "discounted": discounts(10),
    }


async def fetch(x):
    async with x as y:
        return await y
