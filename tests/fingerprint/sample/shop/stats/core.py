from shop import flow  # a circle
from shop.stats import weights

__all__ = ["spread"]


def mean(xs, ws):
    total = sum(x * w for x, w in zip(xs, ws))
    return weights.normal(total, len(xs))


def spread(xs):
    return max(xs) - min(xs) + flow.first


def variance(xs):
    return 0
