"""The edits of a small shop: those that may change its report move its identity, and no other does.

Each row is a name, the file, what is replaced, and by what. Where two columns of text are one `""`, the new text is
put at the end of the file.
"""

import ast
import math
import shutil
from pathlib import Path

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import CodeIdentity

pytestmark = pytest.mark.slow  # it goes through much; `make slow` runs it

SAMPLE = Path(__file__).parent / "sample"
REPORT = "shop.flow.report"


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo the edit that patches `math.sqrt`."""
    monkeypatch.setattr(math, "sqrt", math.sqrt)


CHANGING: list[tuple[str, ...]] = [
    # the function itself
    ("constant in the body", "flow.py", '"cleaned": cleaned,', '"cleaned": cleaned, "more": 1,'),
    ("key of the result", "flow.py", '"spread": shop', '"spreads": shop'),
    ("comparison", "flow.py", "len(rows) > LIMIT", "len(rows) >= LIMIT"),
    ("boolean operator", "flow.py", "LIMIT and not speed", "LIMIT or not speed"),
    ("negation", "flow.py", "and not speed", "and speed"),
    ("slice", "flow.py", "rows[:LIMIT]", "rows[LIMIT:]"),
    ("filter of a comprehension", "flow.py", "if row not in FLAGS", "if row in FLAGS"),
    ("argument dropped", "flow.py", "discounts(10)", "discounts()"),
    ("default of the function", "flow.py", "strict: bool = True", "strict: bool = False"),
    ("statement removed", "flow.py", '    assert strict, "strict"\n', ""),
    ("text of an assert", "flow.py", ', "strict"', ', "lax"'),
    ("parameter renamed", "flow.py", "rows: list[Any], strict", "rows: list[Any], severe"),
    (
        "order of arguments",
        "flow.py",
        "report(rows: list[Any], strict: bool = True)",
        "report(strict=True, rows=())",
    ),
    ("other enum member", "flow.py", "Level.HIGH", "Level.LOW"),
    ("format of an f-string", "flow.py", "{RATE:.2f}", "{RATE:.3f}"),
    ("text of an f-string", "flow.py", "CURRENCY}:{", "CURRENCY}-{"),
    ("tuple for a list", "flow.py", "mean([1, 2], W)", "mean((1, 2), W)"),
    ("float for an int", "flow.py", "square(4)", "square(4.0)"),
    ("other attribute", "flow.py", "level.value", "level.name"),
    ("made a generator", "flow.py", "    level = Level.HIGH\n", "    level = Level.HIGH\n    yield 1\n"),
    ("made async", "flow.py", "def report(", "async def report("),
    # constants of the module
    ("int constant", "flow.py", "LIMIT: int = 3", "LIMIT: int = 4"),
    ("float constant", "flow.py", "RATE = 0.25", "RATE = 0.5"),
    ("tuple constant", "flow.py", '("ann", "bob")', '("ann", "rob")'),
    ("order in a tuple", "flow.py", '("ann", "bob")', '("bob", "ann")'),
    ("dict value", "flow.py", "[2, 3]", "[2, 4]"),
    ("dict key", "flow.py", '{"a": 1, "b"', '{"c": 1, "b"'),
    ("set item", "flow.py", '{"x", "y"}', '{"x", "z"}'),
    ("string constant", "flow.py", '"%s-%d"', '"%s_%d"'),
    ("comprehension of a constant", "flow.py", "RATE * n", "RATE + n"),
    ("one of two names", "flow.py", "first, second = 1, 2", "first, second = 1, 3"),
    ("fallback of an import", "flow.py", "speed = None", "speed = 1"),
    ("branch that binds", "flow.py", 'MODE = "wide"', 'MODE = "wider"'),
    ("other branch", "flow.py", 'MODE = "narrow"', 'MODE = "small"'),
    ("condition of a branch", "flow.py", "if LIMIT > 2:", "if LIMIT > 1:"),
    ("rebound further down", "flow.py", "", "\nRATE = 0.75\n"),
    ("added to further down", "flow.py", "", "\nLIMIT += 1\n"),
    ("item set further down", "flow.py", "", '\nTABLE["b"] = 5\n'),
    ("item removed further down", "flow.py", "", '\ndel TABLE["a"]\n'),
    ("function replaced further down", "flow.py", "", "\ncached = adder\n"),
    ("function defined again", "flow.py", "", "\ndef guarded(x):\n    return 2\n"),
    ("rebound in a comprehension", "flow.py", "", "\nRATES = [RATE := x for x in (1, 2)]\n"),
    ("rebound in a default", "flow.py", "", "\ndef other(x=(RATE := 3)):\n    return x\n"),
    ("rebound in a decorator", "flow.py", "", "\n@(RATE := str)\ndef other(x):\n    return x\n"),
    ("rebound in the bases of a class", "flow.py", "", "\nclass Other((RATE := object)):\n    pass\n"),
    ("rebound by a class", "flow.py", "", "\nclass Other:\n    global RATE\n    RATE = 3\n"),
    # helpers of the module
    ("wrapper of a decorator", "flow.py", "fn(*args) * 2", "fn(*args) * 3"),
    ("argument of a decorator", "flow.py", "@times(4)", "@times(5)"),
    ("decorator removed", "flow.py", "@twice\n", ""),
    ("decorators swapped", "flow.py", "@twice\n@times(4)\n", "@times(4)\n@twice\n"),
    ("decorated function", "flow.py", "def decorated(x):\n    return x", "def decorated(x):\n    return -x"),
    ("default of a helper", "flow.py", "b=RATE, *, c=2", "b=RATE, *, c=3"),
    ("default that is a name", "flow.py", "b=RATE,", "b=LIMIT,"),
    ("argument of a partial", "flow.py", "partial(adder, 5, c=7)", "partial(adder, 6, c=7)"),
    ("keyword of a partial", "flow.py", "5, c=7)", "5, c=8)"),
    ("function of a partial", "flow.py", "partial(adder, 5, c=7)", "partial(dict, 5, c=7)"),
    ("lambda", "flow.py", "x**2", "x**3"),
    ("size of a cache", "flow.py", "maxsize=None", "maxsize=1"),
    ("cached function", "flow.py", "def cached(x):\n    return x + 1", "def cached(x):\n    return x + 2"),
    ("variable of a nested function", "flow.py", "factor = 3", "factor = 4"),
    ("nested function", "flow.py", "y * factor", "y + factor"),
    ("generator", "flow.py", "yield -i", "yield i"),
    ("loop", "flow.py", "i % 2 == 0", "i % 3 == 0"),
    ("handler", "flow.py", "except ZeroDivisionError:", "except ValueError:"),
    ("result of a handler", "flow.py", "        return 0\n    finally", "        return 1\n    finally"),
    ("finally", "flow.py", "    finally:\n        math.sqrt(1)\n", ""),
    ("pattern of a match", "flow.py", '"kind": "a", "n": n', '"kind": "b", "n": n'),
    ("sequence of a match", "flow.py", "case [1, *rest]", "case [2, *rest]"),
    ("break", "flow.py", "            break\n", "            continue\n"),
    ("else of a loop", "flow.py", "total = -total", "total = +total"),
    ("augmented assignment", "flow.py", "total += xs.pop()", "total -= xs.pop()"),
    # imports
    ("other name imported", "flow.py", "import scale\n", "import other as scale\n"),
    (
        "other module imported",
        "flow.py",
        "from shop import text as words",
        "from shop import unused as words",
    ),
    ("import within a function", "flow.py", "import offset\n", "import other as offset\n"),
    ("import made to be found", "speedups", "", ""),
    # other modules
    ("helper of another module", "text.py", "_strip(word) if", "_strip(word + 'x') if"),
    ("private helper at depth two", "text.py", "word.lower().strip()", "word.lower()"),
    ("constant of another module", "text.py", '{"the", "a"}', '{"the", "an"}'),
    ("compiled pattern", "text.py", r'r"\s+"', r'r"\s"'),
    ("flags of a pattern", "text.py", r'r"\s+")', r'r"\s+", re.ASCII)'),
    ("constant read through a package", "settings.py", '"EUR"', '"USD"'),
    ("what a package does when loaded", "settings.py", "prec = 20", "prec = 10"),
    ("what is printed when loaded", "settings.py", "", "\nprint(1)\n"),
    ("helper through an alias", "stats/core.py", "x * w for", "x + w for"),
    ("helper at depth three", "stats/weights.py", "total / n if n", "total // n if n"),
    ("constant at depth three", "stats/weights.py", "FACTOR = 2", "FACTOR = 3"),
    ("constant imported under another name", "stats/weights.py", "[1, 2, 3]", "[1, 2, 4]"),
    ("used by an import within a function", "stats/weights.py", "OFFSET = 7", "OFFSET = 8"),
    ("through a star import", "stats/core.py", "max(xs) - min(xs)", "max(xs) + min(xs)"),
    (
        "star import changed",
        "stats/__init__.py",
        "from .core import *",
        "from .weights import scale as spread",
    ),
    ("hidden by a definition", "stats/__init__.py", "", "\ndef spread(xs):\n    return 0\n"),
    ("registered handler", "plugins.py", "suffix(x.upper())", "suffix(x.lower())"),
    ("helper of a registered handler", "plugins.py", 'x + "!"', 'x + "?"'),
    ("name it is registered under", "plugins.py", '@handles("upper")', '@handles("lower")'),
    ("registered by another", "plugins.py", "", '\n@handles("more")\ndef more(x):\n    return x\n'),
    ("filled while loading", "plugins.py", "STEPS.append(3)", "STEPS.append(4)"),
    ("the registry", "registry.py", "HANDLERS[name] = fn", "HANDLERS[name.lower()] = fn"),
    ("monkeypatch of a module", "plugins.py", "", "\nimport shop.text\nshop.text.clean = str\n"),
    ("monkeypatch of a class", "plugins.py", "", "\nimport shop.models\nshop.models.Base.unit = 3\n"),
    ("monkeypatch of a library", "plugins.py", "", "\nimport math\nmath.sqrt = abs\n"),
    # classes
    ("enum value", "models.py", "HIGH = 2", "HIGH = 3"),
    ("attribute of a mixin", "models.py", "tax = 0.2", "tax = 0.3"),
    ("method found through a base", "models.py", "1 + self.tax", "1 - self.tax"),
    ("property of a base", "models.py", "return self._rate()", "return self._rate() + 1"),
    ("static method of a base", "models.py", "return 5", "return 6"),
    ("attribute of a class used by name", "models.py", "unit = 10", "unit = 12"),
    ("default of a dataclass field", "models.py", "amount: int = 1", "amount: int = 2"),
    ("type of a dataclass field", "models.py", "amount: int = 1", "amount: float = 1"),
    (
        "types of the fields made texts",
        "models.py",
        "from dataclasses",
        "from __future__ import annotations\n\nfrom dataclasses",
    ),
    ("field removed", "models.py", "    tags: list = field(default_factory=list)\n", ""),
    ("factory of a field", "models.py", "default_factory=list", "default_factory=dict"),
    ("argument of dataclass", "models.py", "frozen=True", "frozen=False"),
    ("method of a dataclass", "models.py", "self.amount * Base", "self.amount + Base"),
    ("default of a pydantic field", "models.py", "size: int = 4", "size: int = 5"),
    ("type of a pydantic field", "models.py", "size: int = 4", "size: float = 4"),
    ("order of the bases", "models.py", "Cart(Base, Priced)", "Cart(Priced, Base)"),
    ("a base removed", "models.py", "Cart(Base, Priced)", "Cart(Priced)"),
    ("constructor", "models.py", "self.orders = orders", "self.orders = orders[:1]"),
    ("special method", "models.py", "return len(self.orders)", "return 0"),
    (
        "method overridden",
        "models.py",
        "    def __len__",
        "    def gross(self):\n        return 1\n\n    def __len__",
    ),
]

NEUTRAL = [
    ("comment", "flow.py", "LIMIT: int = 3", "LIMIT: int = 3  # at most"),
    ("comment in the function", "flow.py", "    cart = Cart", "    # a cart\n    cart = Cart"),
    ("comment of a helper", "text.py", "def clean(word):", "def clean(word):  # tidy"),
    ("docstring of the function", "flow.py", "What the shop sold.", "What was sold."),
    ("docstring of a helper", "text.py", "Tidies a word.", "Makes a word tidy."),
    ("docstring removed", "text.py", '    """Tidies a word."""\n', ""),
    ("docstring added", "plugins.py", "def suffix(x):\n", 'def suffix(x):\n    """Loud."""\n'),
    ("docstring of a module", "flow.py", "The report, and its", "The report and all its"),
    ("docstring of a class", "models.py", "class Base:\n", 'class Base:\n    """A base."""\n\n'),
    ("blank lines", "flow.py", "RATE = 0.25\n", "\n\nRATE = 0.25\n\n\n"),
    ("quotes", "flow.py", '"wide"', "'wide'"),
    ("parentheses", "flow.py", "x**2", "(x**2)"),
    ("line break", "flow.py", "functools.partial(adder, 5, c=7)", "functools.partial(\n    adder,\n    5,\n    c=7,\n)"),
    ("trailing comma", "flow.py", '("ann", "bob")', '("ann", "bob",)'),
    ("hexadecimal", "flow.py", "LIMIT: int = 3", "LIMIT: int = 0x3"),
    ("binary", "stats/weights.py", "OFFSET = 7", "OFFSET = 0b111"),
    ("strings joined", "flow.py", '"%s-%d"', '"%s-" "%d"'),
    ("semicolon", "flow.py", "RATE = 0.25\nNAMES", "RATE = 0.25; NAMES"),
    ("annotation of a parameter", "flow.py", "rows: list[Any]", "rows: list[str]"),
    ("annotation removed", "flow.py", "strict: bool = True", "strict=True"),
    ("annotation of the result", "flow.py", "-> dict[str, Any]", "-> dict"),
    ("annotation of a helper", "text.py", "def clean(word):", "def clean(word: str) -> str:"),
    ("annotation of a constant", "flow.py", "LIMIT: int = 3", "LIMIT: float = 3"),
    ("annotation of a constant removed", "flow.py", "LIMIT: int = 3", "LIMIT = 3"),
    ("annotation of a local variable", "flow.py", "    factor = 3", "    factor: int = 3"),
    ("annotation of a method", "models.py", "def gross(self):", "def gross(self) -> float:"),
    ("annotation of a plain class", "models.py", "    unit = 10", "    unit: int = 10"),
    ("imports for types", "flow.py", "import math\n", "import math\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import shop.unused\n"),
    ("future import", "text.py", "import re\n", "from __future__ import annotations\n\nimport re\n"),
    ("unreached helper edited", "flow.py", "return x + UNUSED", "return x - UNUSED"),
    ("unreached constant edited", "flow.py", "UNUSED = 99", "UNUSED = 100"),
    ("unreached helper removed", "text.py", "def aside(word):\n    return word[::-1]\n", ""),
    ("unreached helper added", "text.py", "", "\ndef added(word):\n    return word\n"),
    ("unreached constant added", "flow.py", "", "\nADDED = [1, 2, 3]\n"),
    ("unreached class edited", "models.py", "unit = 11", "unit = 13"),
    ("unreached function of a library", "stats/core.py", "    return 0\n", "    return 1\n"),
    ("unreached constant of a loaded module", "settings.py", "UNUSED_LIMIT = 10", "UNUSED_LIMIT = 11"),
    ("unreached coroutine", "flow.py", "return await y", "return None"),
    ("unused import added", "text.py", "import re\n", "import re\nimport json\n"),
    ("unused import of a module of ours", "text.py", "import re\n", "import re\n\nimport shop.unused\n"),
    ("import split in two", "flow.py", "import Cart, Level, Order", "import Cart, Level\nfrom shop.models import Order"),
    ("imports in another order", "flow.py", "import functools\nimport math\n", "import math\nimport functools\n"),
    ("module that is not imported", "unused.py", "return 1", "return 2"),
    ("module added", "added.py", "", "K = 1\n"),
    ("definitions in another order", "stats/weights.py", "WEIGHTS = [1, 2, 3]\nOFFSET = 7\n", "OFFSET = 7\nWEIGHTS = [1, 2, 3]\n"),
    ("constant moved to the end", "stats/weights.py", "OFFSET = 7\n", "", "\nOFFSET = 7\n"),
    ("script block added", "flow.py", "", '\nif __name__ == "__main__":\n    print(report([]))\n'),
    ("elif for else if", "flow.py", "    if len(rows) > LIMIT and", "    if (len(rows) > LIMIT) and"),
    ("type comment", "flow.py", "RATE = 0.25", "RATE = 0.25  # type: float"),
    ("byte order mark", "text.py", '"""Words."""', '\ufeff"""Words."""'),
]  # fmt: skip

UNDECIDABLE = [
    ("eval", "text.py", "return _strip(word) if", "return eval('word') if"),
    ("computed attribute", "text.py", "word.lower()", "getattr(word, word[::-1])()"),
    ("dynamic import", "text.py", "word.lower()", "__import__(word).lower()"),
    ("global that is counted", "text.py", "    return _SPACE.sub", "    global STOPWORDS\n    STOPWORDS |= {word}\n    return _SPACE.sub"),
    ("memo of a module", "stats/weights.py", "return x * FACTOR", "WEIGHTS.append(x)\n    return x * WEIGHTS[0] * FACTOR"),
    ("attribute of a class", "models.py", "return 5", "Base.unit += 1\n        return Base.unit"),
    ("globals", "text.py", "word.lower()", "globals()[word].lower()"),
    ("subclasses", "models.py", "return 5", "return len(Base.__subclasses__())"),
    ("frames", "text.py", "import re\n", "import re\nimport sys\n", "word.lower()", "sys._getframe().f_code"),
    ("source text", "text.py", "import re\n", "import inspect\nimport re\n", "word.lower()", "inspect.getsource(clean)"),
]  # fmt: skip


@pytest.fixture
def shop(project: Project) -> Project:
    shutil.copytree(SAMPLE / "shop", project.root / "shop", ignore=shutil.ignore_patterns("__pycache__"))
    return project


def edited(shop: Project, file: str, *texts: str) -> CodeIdentity:
    """Return the identity of the report after an edit: old and new text by turns; a last new text goes to the end."""
    path = shop.root / "shop" / file
    text = path.read_text() if path.exists() else ""
    *pairs, last = (*texts, "") if len(texts) % 2 == 0 else texts
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        if old:
            assert text.count(old) >= 1, old
            text = text.replace(old, new, 1)
        else:
            text += new
    path.write_text(text + last, encoding="utf-8")
    ast.parse(path.read_bytes())
    return shop.identity(REPORT)


def ids(rows: list[tuple[str, ...]]) -> list[str]:
    return [row[0] for row in rows]


def test_the_tables_are_long_enough() -> None:
    """At least 80 edits that may change a result, and 40 that cannot; each has a name of its own."""
    assert len(CHANGING) >= 80
    assert len(NEUTRAL) >= 40
    names = ids([*CHANGING, *NEUTRAL, *UNDECIDABLE])
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("row", CHANGING, ids=ids(CHANGING))
def test_an_edit_that_may_change_the_result_moves_the_identity(shop: Project, row: tuple[str, ...]) -> None:
    """No false hit: the digest moves, and some component says where."""
    before = shop.identity(REPORT)
    assert before.unresolved == ()
    if row[1] == "speedups":
        shop.write({"shop_speedups.py": "K = 1\n"})
        after = shop.identity(REPORT)
    else:
        after = edited(shop, *row[1:])
    assert after.digest != before.digest
    assert after.named != before.named


@pytest.mark.parametrize("row", NEUTRAL, ids=ids(NEUTRAL))
def test_a_neutral_edit_moves_nothing(shop: Project, row: tuple[str, ...]) -> None:
    """No needless recompute: the identity is the same, all of it."""
    before = shop.identity(REPORT)
    after = edited(shop, *row[1:])
    assert after == before


@pytest.mark.parametrize("row", UNDECIDABLE, ids=ids(UNDECIDABLE))
def test_what_cannot_be_decided_is_unresolved(shop: Project, row: tuple[str, ...]) -> None:
    """The reason names the place and the ways out."""
    found = edited(shop, *row[1:]).unresolved
    assert found
    assert all("code_version=" in reason and "ignore=" in reason for reason in found)
    assert any(f"shop/{row[1]}:" in reason for reason in found)


def test_all_neutral_edits_at_once(shop: Project) -> None:
    """A formatter's run over every file moves nothing."""
    before = shop.identity(REPORT)
    for path in sorted((shop.root / "shop").rglob("*.py")):
        path.write_text(ast.unparse(ast.parse(path.read_text())) + "\n")
    assert shop.identity(REPORT) == before
