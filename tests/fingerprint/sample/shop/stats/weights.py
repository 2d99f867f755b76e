WEIGHTS = [1, 2, 3]
OFFSET = 7


def normal(total, n):
    return total / n if n else 0.0


def scale(x):
    return x * FACTOR


def offset(x):
    return x + OFFSET


def other(x):
    return -x


FACTOR = 2
