"""Handlers."""

from shop.registry import handles


@handles("upper")
def upper(x):
    return suffix(x.upper())


def suffix(x):
    return x + "!"


def discounts(x):
    return x - STEPS[0]


STEPS = []
STEPS.append(3)
