"""Functions and methods that get a class or a function, or a table of them, and call none."""

from __future__ import annotations


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


# Functions that look at a value, and give it to nobody.
ONLY_LOOKING = _words(
    "builtins.callable builtins.hasattr builtins.id builtins.isinstance builtins.issubclass builtins.len "
    "builtins.print builtins.repr builtins.str builtins.super typing.NewType typing.TypeVar"
)
# Functions that only look at their first argument.
LOOKING_AT_FIRST = frozenset({"builtins.type", "typing.cast"})
# Functions whose results hold the values that they are given.
PASSING = _words(
    "builtins.dict builtins.dict.fromkeys builtins.enumerate builtins.filter builtins.frozenset builtins.iter "
    "builtins.list builtins.next builtins.reversed builtins.set builtins.sorted builtins.tuple builtins.zip "
    "collections.ChainMap collections.OrderedDict collections.deque copy.copy copy.deepcopy itertools.chain "
    "itertools.chain.from_iterable itertools.cycle itertools.islice itertools.product operator.itemgetter.() "
    "types.MappingProxyType types.SimpleNamespace typing.cast"
)
# Methods of tables that return values.
ITEM_METHODS = _words("__getitem__ __iter__ __next__ copy get items pop popleft popitem setdefault values")
# Methods of tables that return keys.
KEY_METHODS = _words("__iter__ copy items keys")
# Methods of tables that get a default.
DEFAULT_METHODS = frozenset({"get", "pop", "setdefault"})
# Methods of tables that add a value.
ADDING_METHODS = _words("add append appendleft extend insert setdefault update")
# Methods of tables that return no value of theirs, and attributes of classes that tell about them.
HARMLESS_METHODS = _words(
    "add append appendleft clear count discard extend index insert remove update "
    "__class__ __contains__ __doc__ __eq__ __hash__ __len__ __module__ __mro__ __name__ __ne__ __qualname__ "
    "__repr__ __str__"
)
