"""Words."""

import re

STOPWORDS = frozenset({"the", "a"})
_SPACE = re.compile(r"\s+")


def clean(word):
    """Tidies a word."""
    return _strip(word) if word not in STOPWORDS else ""


def _strip(word):
    return _SPACE.sub(" ", word.lower().strip())


def aside(word):
    return word[::-1]
