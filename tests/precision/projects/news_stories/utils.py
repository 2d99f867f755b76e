import re
import string
from collections import Counter
from html import unescape

STOPWORDS = frozenset("a an and the of to in is it for on with ask show hn".split())
_TAG = re.compile(r"<[^>]+>")
_table = str.maketrans("", "", string.punctuation)


def plain(html):
    return unescape(_TAG.sub(" ", html or "")).strip()


def tokens(text):
    words = plain(text).lower().translate(_table).split()
    return [word for word in words if word not in STOPWORDS and not word.isdigit()]


def most_common(texts, n=10):
    counts = Counter(word for text in texts for word in tokens(text))
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:n]


def vocabulary(texts):
    return {word for text in texts for word in tokens(text)}
