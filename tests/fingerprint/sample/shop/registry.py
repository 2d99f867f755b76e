"""Handlers that plugins register."""

HANDLERS = {}


def handles(name):
    def mark(fn):
        HANDLERS[name] = fn
        return fn

    return mark
