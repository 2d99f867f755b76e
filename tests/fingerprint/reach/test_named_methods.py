"""Methods and computed fields of pydantic models: they count where reached code may ask for them, and only there."""

from textwrap import dedent

import pytest
from fingerprint_kit import Project

from jammi_dagster.fingerprint import identify

MODEL = """
    import datetime, operator, os
    import jinja2, pydantic

    class Table(pydantic.BaseModel):
        name: str = "a"

    class Order(Table):
        '''An order. `{note}` tells about it.'''
        made: datetime.datetime = datetime.datetime.now()

        @classmethod
        def make(cls, name="a"):
            return cls(name=name)

        def total(self):
            return self.name

        def note(self):
            return os.environ["A"]

        def noted(self):
            return self.note()

        def age(self):
            return self.made

        def handed(self):
            return str(self)

        @pydantic.model_validator(mode="after")
        def check(self):
            for key in ("name",):
                setattr(self, key, getattr(self, key))
            return self

    def helper(order):
        return order.total()

"""
NOTED = {
    "a helper": "def ask(order): return order.note()\ndef f(): return ask(Order())",
    "another method": "def f(): return helper(Order()), Order().noted()",
    "a written name": "def f(): return getattr(Order(), 'note')()",
    "a computed name": "def ask(order: Order, key): return getattr(order, key)()\ndef f(key): return ask(Order(), key)",
    "a composed name": "def ask(order, key): return getattr(order, f'no{key}')()\ndef f(): return ask(Order(), 'te')",
    "a text that names it": "def f(): return operator.methodcaller('note')(Order())",
    "a format": "def f(): return '{0.note}'.format(Order())",
    "a match": "def f(x):\n    match x:\n        case Order(note=y): return y\n",
    "a library": "def f(): return jinja2.Template('{{ o.note() }}').render(o=Order())",
    "a subclass": "class Late(Order):\n    def total(self): return self.note()\ndef f(): return helper(Late())",
    "a validator": "class Late(Order):\n    @pydantic.field_validator('name')\n"
    "    def look(cls, v): return os.environ['A']\ndef f(): return helper(Late())",
    "a hook of pydantic": "class Late(Order):\n    def model_post_init(self, _): self.name = os.environ['A']\n"
    "def f(): return helper(Late())",
    "an operator": "class Late(Order):\n    def __add__(self, other): return os.environ['A']\n"
    "def f(): return Late() + Late()",
    "a base that is none of pydantic": "class Mixin: pass\nclass Mixed(Table, Mixin):\n"
    "    def look(self): return os.environ['A']\n"
    "def f(x): return x(Mixed)",
}
QUIET = {
    "an object that is handed on": "def f(): return helper(Order.make())",
    "an object of a list": "def f(): return [helper(one) for one in [Order(), Order()]]",
    "an object of a variable": "def f():\n    order = Order()\n    return helper(order), order.total()",
}
MADE = {
    "the field": "def f(): return Order().made",
    "the field of a variable": "def f():\n    order = Order.make()\n    return order.made",
    "another method": "def f(): return Order().age()",
    "a method that hands the object on": "def f(): return Order().handed()",
    "all fields": "def f(): return Order().model_dump()",
    "an object that is handed on": "def f(): return helper(Order())",
    "an object that is returned": "def f(): return Order()",
    "an object in a text": "def f(): return f'{Order()}'",
    "a class that is handed on": "def f(x): return x(Order)",
    "a class that is derived": "class Late(Order): pass\ndef f(): return Late().total()",
    "a computed name": "def f(key): return getattr(Order(), key)",
}
KEPT = {
    "a method": "def f(): return Order().total()",
    "a function of the class": "def f(): return Order.make('b').total()",
    "a variable": "def f():\n    order = Order.make()\n    return order.name, order.total()",
}


def _reads(project: Project, text: str, name: str) -> bool:
    found = project.of_source(dedent(MODEL) + text)
    return any(read.what.startswith(name) for read in found.outside) or any(
        "getattr" in reason for reason in found.unresolved
    )


@pytest.mark.parametrize("text", NOTED.values(), ids=NOTED)
def test_a_method_that_code_may_ask_for_counts(project: Project, text: str) -> None:
    """A method is asked for by its name, by any text that may be one, and by libraries that nobody knows."""
    assert _reads(project, text, "os.environ")


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_a_method_that_no_code_names_does_not_count(project: Project, text: str) -> None:
    """Whoever gets the object, no reached code can call the method without its name."""
    assert not _reads(project, text, "os.environ")


@pytest.mark.parametrize("text", MADE.values(), ids=MADE)
def test_a_computed_field_that_code_may_read_counts(project: Project, text: str) -> None:
    """A default that is computed at load counts with the object, where that leaves the place where it is made."""
    assert _reads(project, text, "datetime.datetime.now")


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_a_computed_field_that_no_code_reads_does_not_count(project: Project, text: str) -> None:
    """An object that stays where it is made is asked for the members that the code names."""
    assert not _reads(project, text, "datetime.datetime.now")


def test_the_text_of_an_unnamed_method_counts(project: Project) -> None:
    """The digest is that of the whole class."""
    one = project.of_source(dedent(MODEL) + QUIET["an object that is handed on"])
    other = project.of_source(
        dedent(MODEL).replace("os.environ", "os.altsep or os.environ")
        + "def f(): return helper(Order.make())"
    )
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("callers", "is_told"),
    [
        ("def f(df): return chosen(df, 'size') + chosen(df, 'colour')", True),
        ("def f(df): return chosen(df, '@LIMIT')", False),
        ("def f(df, kind): return chosen(df, kind)", False),
        ("def f(df, chooser=None): return [chosen(df, 'size'), (chooser or chosen)(df, df.kind)]", False),
    ],
)
def test_the_text_of_a_query_that_the_callers_tell(project: Project, callers: str, is_told: bool) -> None:
    """A computed text of a query hides nothing if all callers show it, and it names no variable."""
    query = "LIMIT = 1\ndef chosen(df, kind): return df.query(f\"{kind} != 'total'\")\n"
    assert (project.of_source(query + callers).unresolved == ()) is is_told


@pytest.mark.parametrize(
    ("note", "counts"),
    [
        ("typing.Literal['shop', 'other']", False),
        ("typing.Optional[typing.Literal['shop']]", False),
        ("Literal['shop']", False),
        ("typing.Optional['shop.KIND']", True),
        ("'shop.KIND'", True),
        ("Own['shop.KIND']", True),
    ],
)
def test_texts_of_literals_name_nothing(project: Project, note: str, counts: bool) -> None:
    """A text within `Literal` is a value; within another annotation it may be a name."""
    text = (
        "import typing, dataclasses, shop\nfrom typing import Literal\nOwn = typing.List\n"
        f"@dataclasses.dataclass\nclass Order:\n    kind: {note} = None\ndef f(): return Order()\n"
    )
    one, two = (
        project.write({"shop.py": f"KIND = typing = {kind}\n"}).of_source(text) for kind in ("int", "str")
    )
    assert (one.digest != two.digest) is counts


@pytest.mark.parametrize("members", [None, frozenset({"note"}), frozenset({"noted"})])
@pytest.mark.parametrize("base", ["Table", "pydantic.BaseModel"])
def test_the_members_of_an_object_that_a_function_is_given(
    project: Project, base: str, members: frozenset[str] | None
) -> None:
    """The code of a resource is read apart from the function that asks it: the members that it asks for count."""
    text = dedent(MODEL).replace("class Order(Table)", f"class Order({base})")
    module = project.write({"alone.py": text}).load("alone")
    found = identify(module.Order, of_object=True, members=members)
    assert any(read.what.startswith("os.environ") for read in found.outside)
