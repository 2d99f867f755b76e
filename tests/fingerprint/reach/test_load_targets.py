"""Side effects of loading: their reads count where a result may depend on them, and only there."""

import sys
from pathlib import Path
from textwrap import dedent

import pytest
from fingerprint_kit import Project

MODULES = {
    "reg.py": """
        import os
        REGISTRY, OTHER, SHARED = {}, {}, []
        ALIAS = SHARED
        NESTED = {"a": SHARED}
        LIMIT = 1

        def register(fn):
            REGISTRY[fn.__name__] = fn
            return fn

        def add(target, value):
            target.append(value)

        def shared():
            return SHARED

        class Plugins:
            def __init__(self):
                self.items = []
            def register(self, fn):
                self.items.append(fn)
                return fn

        plugins = Plugins()
        """,
    "tables.py": "import os, reg\ndef call(): reg.SHARED.append(os.environ['A'])\n"
    "CALLS = {'a': call}\ndef append(): call()\n"
    "FILLED = {'a': print}\nFILLED['b'] = call\nEMPTY = []\nEMPTY.append(call)\n"
    "DATA = {'a': [str(n).lower() for n in range(2)], 'b': sorted(set(['c']))}\n",
    "dagster_own.py": "import os, reg\ndef prepare(): reg.SHARED.append(os.environ['A'])\n",
    "values.py": "import polars as pl\nfrom pathlib import Path\nZONE = 'UTC'\nRATE = 5 / 100\n"
    "TIME = pl.Datetime('us', ZONE)\nHERE = Path(__file__).parent / 'a'\nLEVELS = frozenset(range(3))\n",
    "calling.py": "import os, reg\nimport polars as pl\nfrom functools import partial\n"
    "def call(*_): reg.SHARED.append(os.environ['A'])\nMAPPED = pl.col('a').map_elements(call)\nPART = partial(call)\n"
    "MADE = tuple([call])\nPAIR = MADE + (1,)\n",
    "bases.py": "from sqlalchemy.orm import DeclarativeBase, declarative_base, registry\n"
    "class Base(DeclarativeBase): pass\nclass Mixed(Base): __abstract__ = True\n"
    "Made = declarative_base()\nmapper = registry()\n",
    "fail.py": "import os\nassert os.environ.get('A') != 'b'\n",
    "apart.py": "import os\nclass Client:\n    def __init__(self): self.s = None\n"
    "    def get(self): SEEN.append(os.environ['U'])\nSEEN = []\n",
}

# Texts whose function `f` may depend on the environment, by way of loading.
COUNTS = {
    "a call beside a comprehension over the same name": """
        R = []
        def made():
            def above(): R.append(os.environ['A'])
            def below(rows): return [above for above in rows], above()
            below([])
            return [above, below]
        ASSETS = made()
        def f(): return R
        """,
    "a parameter whose default is the function of its name": """
        R = []
        def made():
            def above(): R.append(os.environ['A'])
            def below(above=above): return above()
            below()
            return [above, below]
        ASSETS = made()
        def f(): return R
        """,
    "a parameter of the same name that gets the function": """
        R = []
        def made():
            def above(): R.append(os.environ['A'])
            def below(above): return above()
            below(above)
            return [above, below]
        ASSETS = made()
        def f(): return R
        """,
    "a call that is named like one for the type checker": """
        R = []
        def assert_never(kind): R.append(os.environ[kind])
        def made(kind):
            if kind != 'b': assert_never(kind)
            def asset(): return 1
            return asset
        ASSETS = [made(kind) for kind in ('A',)]
        def f(): return R
        """,
    "the outcome of reading a file of variables": """
        from dotenv import load_dotenv
        FOUND = load_dotenv()
        def f(): return FOUND
        """,
    "a variable from a file of variables": """
        import dotenv
        dotenv.load_dotenv()
        LIMIT = os.environ['A']
        def f(): return LIMIT
        """,
    "the values of a file of variables": """
        from dotenv import dotenv_values
        SETTINGS = {}
        SETTINGS.update(dotenv_values())
        def f(): return SETTINGS
        """,
    "a call by a key of a table of functions": """
        R = []
        def add(): R.append(os.environ['A'])
        def run(key):
            steps = {'a': add, 'b': lambda: None}
            return steps[key]()
        run('a')
        def f(): return R
        """,
    "a call by a key of a table that grows": """
        R = []
        def add(): R.append(os.environ['A'])
        def run(key, more):
            steps = {'a': print}
            steps['b'] = more
            return steps[key]()
        def start(): return run('b', add)
        start()
        def f(): return R
        """,
    "an attribute of a result that is a method": """
        R = []
        class Reader:
            def rows(self): R.append(os.environ['A'])
        def make(): return Reader()
        def run(step): step()
        run(Reader().rows)
        def f(): return R
        """,
    "a method that makes an object of the class": """
        R = []
        class Order:
            @classmethod
            def make(cls): return cls()
            def __init__(self): R.append(os.environ['A'])
        order = Order.make()
        def f(): return R
        """,
    "a validator": """
        import pydantic
        R = []
        class Order(pydantic.BaseModel):
            size: int = 1
            @pydantic.model_validator(mode="after")
            def check(self):
                self.note()
                return self
            def note(self): R.append(os.environ['A'])
        order = Order()
        def f(): return R
        """,
    "data for a method that the class has itself": """
        R = []
        def add(): R.append(os.environ['A'])
        class Order:
            @classmethod
            def model_validate(cls, data): data()
        Order.model_validate(add)
        def f(): return R
        """,
    "an argument that a function hands on": """
        R = []
        def fill(rows): rows.append(os.environ['A'])
        def start(rows):
            same = rows
            fill(same)
        start(R)
        def f(): return R
        """,
    "a generator that is asked for its first item": """
        R = []
        def rows():
            R.append(os.environ['A'])
            yield 1
        next(rows())
        def f(): return R
        """,
    "a change of what a function of a registry returns": """
        R = {'a': []}
        def entry(): return R['a']
        entry().append(os.environ['A'])
        def f(): return R
        """,
    "a library's object under another name": """
        import decimal
        context = decimal.getcontext()
        context.prec = len(os.environ['A'])
        def f(): return decimal.Decimal(1) / 3
        """,
    "an item that is set": """
        from reg import REGISTRY
        REGISTRY['a'] = os.environ['A']
        def f(): return REGISTRY
        """,
    "a test around it": """
        R = []
        if os.environ.get('A'):
            R.append(1)
        def f(): return R
        """,
    "a loop around it": """
        R = []
        for x in os.environ['A']:
            R.append(1)
        def f(): return R
        """,
    "a handler around it": """
        R = []
        try:
            os.environ['A']
        except KeyError:
            R.append(1)
        def f(): return R
        """,
    "a with around it": """
        R = []
        with open(os.environ['A']) as h:
            R.append(1)
        def f(): return R
        """,
    "a loop around a deletion": """
        R = 1
        for x in os.environ['A'][:1]:
            del R
        def f(): return R
        """,
    "an alias": """
        from reg import ALIAS, SHARED
        ALIAS.append(os.environ['A'])
        def f(): return SHARED
        """,
    "an alias the other way": """
        from reg import ALIAS, SHARED
        SHARED.append(os.environ['A'])
        def f(): return ALIAS
        """,
    "an object within another": """
        from reg import NESTED, SHARED
        NESTED['a'].append(os.environ['A'])
        def f(): return SHARED
        """,
    "an object from a call": """
        import reg
        x = reg.shared()
        x.append(os.environ['A'])
        def f(): return reg.SHARED
        """,
    "an object from a call, at once": """
        import reg
        reg.shared().append(os.environ['A'])
        def f(): return reg.SHARED
        """,
    "a helper that changes its argument": """
        import reg
        reg.add(reg.SHARED, os.environ['A'])
        def f(): return reg.SHARED
        """,
    "a name of another module": """
        import reg
        reg.LIMIT = os.environ['A']
        def f(): return reg.LIMIT
        """,
    "setattr": """
        import reg
        setattr(reg, 'LIMIT', os.environ['A'])
        def f(): return reg.LIMIT
        """,
    "globals": """
        LIMIT = 1
        globals()['LIMIT'] = os.environ['A']
        def f(): return LIMIT
        """,
    "a decorator that registers": """
        import reg
        @reg.register
        def g(): return os.environ['A']
        def f(): return reg.REGISTRY
        """,
    "a method that registers": """
        import reg
        @reg.plugins.register
        def g(): return os.environ['A']
        def f(): return reg.plugins
        """,
    "a class body": """
        from reg import SHARED
        class C:
            SHARED.append(os.environ['A'])
        def f(): return SHARED
        """,
    "a default": """
        from reg import SHARED
        def g(x=SHARED.append(os.environ['A'])): pass
        def f(): return SHARED
        """,
    "the environment itself": """
        os.environ['B'] = os.environ['A']
        def f(): return 1
        """,
    "a library's state": """
        import numpy as np
        np.seterr(all=os.environ['A'])
        def f(): return 1
        """,
    "an unknown call as a statement": """
        import pandas as pd
        pd.describe_option(os.environ['A'] and 'display.width')
        def f(): return 1
        """,
    "a library's state by a star import": """
        from numpy import *
        seterr(all=os.environ['A'])
        def f(): return 1
        """,
    "a function that is passed": """
        import reg
        def g(): reg.SHARED.append(os.environ['A'])
        x = list(map(lambda n: g(), [1]))
        def f(): return reg.SHARED
        """,
    "a function that is passed by name": """
        import reg
        def g(n): reg.SHARED.append(os.environ['A'])
        reg.OTHER['x'] = list(map(g, [1]))
        def f(): return reg.SHARED
        """,
    "a function that is returned and called": """
        import reg
        def make():
            def inner(): reg.SHARED.append(os.environ['A'])
            return inner
        make()()
        def f(): return reg.SHARED
        """,
    "a function that is made and called later": """
        import reg
        def make():
            def inner(): reg.SHARED.append(os.environ['A'])
            return inner
        g = make()
        g()
        def f(): return reg.SHARED
        """,
    "a function that is called within": """
        import reg
        def make():
            def inner(): reg.SHARED.append(os.environ['A'])
            inner()
            return inner
        make()
        def f(): return reg.SHARED
        """,
    "a base of sqlalchemy that lists its tables": """
        from sqlalchemy import Column, Integer
        from sqlalchemy.orm import DeclarativeBase
        class Base(DeclarativeBase): pass
        class Mixed(Base): __abstract__ = True
        class Order(Mixed):
            __tablename__ = os.environ['A']
            id = Column(Integer, primary_key=True)
        def f(): return Base.metadata.tables
        """,
    "a base of sqlalchemy that a call makes": """
        from sqlalchemy import Column, Integer
        from sqlalchemy.orm import declarative_base
        Base = declarative_base()
        class Order(Base):
            __tablename__ = os.environ['A']
            id = Column(Integer, primary_key=True)
        def f(): return Base.metadata.tables
        """,
    "a registry of sqlalchemy": """
        from sqlalchemy import Column, Integer
        from sqlalchemy.orm import registry
        mapper = registry()
        @mapper.mapped
        class Order:
            __tablename__ = os.environ['A']
            id = Column(Integer, primary_key=True)
        def f(): return mapper.metadata.tables
        """,
    "bases of sqlalchemy in another module": """
        from sqlalchemy import Column, Integer
        import bases
        class Order(bases.Mixed):
            __tablename__ = os.environ['A']
            id = Column(Integer, primary_key=True)
        def f(): return bases.Base.metadata.tables
        """,
    "a made base of sqlalchemy in another module": """
        from sqlalchemy import Column, Integer
        import bases
        class Order(bases.Made):
            __tablename__ = os.environ['A']
            id = Column(Integer, primary_key=True)
        def f(): return bases.Made.metadata.tables
        """,
    "a registry of sqlalchemy in another module": """
        from sqlalchemy import Column, Integer
        import bases
        @bases.mapper.mapped
        class Order:
            __tablename__ = os.environ['A']
            id = Column(Integer, primary_key=True)
        def f(): return bases.mapper.metadata.tables
        """,
    "a hook of a base": """
        import reg
        class A:
            def __init_subclass__(cls): reg.SHARED.append(os.environ['A'])
        class B(A): pass
        class C(B): pass
        def f(): return reg.SHARED
        """,
    "a hook of a base that is set": """
        import reg
        def hook(cls): reg.SHARED.append(os.environ['A'])
        class A:
            __init_subclass__ = classmethod(hook)
        class B(A): pass
        def f(): return reg.SHARED
        """,
    "a metaclass of a base": """
        import reg
        class M(type):
            def __new__(m, name, bases, body):
                if bases: reg.SHARED.append(os.environ['A'])
                return super().__new__(m, name, bases, body)
        class A(metaclass=M): pass
        class B(A): pass
        def f(): return reg.SHARED
        """,
    "a hook of a base that is made": """
        import reg
        def made():
            class A:
                def __init_subclass__(cls): reg.SHARED.append(os.environ['A'])
            return A
        class B(made()): pass
        def f(): return reg.SHARED
        """,
    "a setter of an object of the module": """
        import reg
        class Size:
            def setter(self, fn): reg.SHARED.append(os.environ['A'])
        size = Size()
        @size.setter
        def size(v): pass
        def f(): return reg.SHARED
        """,
    "a method of a class": """
        import reg
        class A:
            @classmethod
            def made(cls): return cls.other()
            @classmethod
            def other(cls): reg.SHARED.append(os.environ['A'])
        a = A.made()
        def f(): return reg.SHARED
        """,
    "a class that is handed on": """
        import reg
        def use(cls): cls.other()
        class A:
            @classmethod
            def made(cls): use(cls)
            @classmethod
            def other(cls): reg.SHARED.append(os.environ['A'])
        a = A.made()
        def f(): return reg.SHARED
        """,
    "an inherited method of a class": """
        import reg
        class A:
            @classmethod
            def made(cls): reg.SHARED.append(os.environ['A'])
        class B(A): pass
        b = B.made()
        def f(): return reg.SHARED
        """,
    "a function of a module that is called as a method of a list": """
        import reg
        import tables
        tables.append()
        def f(): return reg.SHARED
        """,
    "a function that a method of a class returns": """
        import reg
        class A:
            @classmethod
            def made(cls):
                def inner(): reg.SHARED.append(os.environ['A'])
                return inner
        A.made()()
        def f(): return reg.SHARED
        """,
    "an attribute of a class that is set by name": """
        class A:
            n = 1
            @classmethod
            def fill(cls): setattr(cls, 'n', os.environ['A'])
        A.fill()
        def f(): return A.n
        """,
    "an item of a shallow copy": """
        import copy
        from reg import NESTED, SHARED
        def fill():
            found = copy.copy(NESTED)
            found['a'].append(os.environ['A'])
        fill()
        def f(): return SHARED
        """,
    "functions in an imported dict that is filled": """
        import reg
        from tables import FILLED
        def use(calls):
            for one in calls.values(): one()
        use(FILLED)
        def f(): return reg.SHARED
        """,
    "functions in an imported list that is empty at first": """
        import reg
        from tables import EMPTY
        def use(calls):
            for one in calls: one()
        use(EMPTY)
        def f(): return reg.SHARED
        """,
    "a key of sorted": """
        import reg
        def key(n): reg.SHARED.append(os.environ['A'])
        x = sorted([1], key=key)
        def f(): return reg.SHARED
        """,
    "functions in a list that is called": """
        import reg
        def make():
            def inner(): reg.SHARED.append(os.environ['A'])
            many = [inner]
            for one in many: one()
            return many
        make()
        def f(): return reg.SHARED
        """,
    "state of a library behind a constructor": """
        import decimal
        context = decimal.getcontext()
        context.prec = len(os.environ['A'])
        def f(): return decimal.Decimal(1)
        """,
    "a method that logs of a first-party object": """
        import reg
        class Log:
            def info(self, text): reg.SHARED.append(os.environ['A'])
        def get_log(): return Log()
        log = get_log()
        log.info('x')
        def f(): return reg.SHARED
        """,
    "a super constructor": """
        import reg
        class A:
            def __init__(self): reg.SHARED.append(os.environ['A'])
        class B(A):
            def __init__(self): super().__init__()
        b = B()
        def f(): return reg.SHARED
        """,
    "a property that is asked for by name": """
        import reg
        class A:
            def __init__(self): getattr(self, 'a' * 3)
            @property
            def aaa(self): reg.SHARED.append(os.environ['A'])
        a = A()
        def f(): return reg.SHARED
        """,
    "functions in an imported dict": """
        import reg
        from tables import CALLS
        def use(calls): return calls['a']()
        K = use(CALLS)
        def f(): return reg.SHARED
        """,
    "a column that applies a function": """
        import polars as pl
        import reg
        from calling import MAPPED
        x = pl.DataFrame({'a': [1]}).select(MAPPED)
        def f(): return reg.SHARED
        """,
    "a function with arguments": """
        import reg
        from calling import PART
        x = list(map(PART, [1]))
        def f(): return reg.SHARED
        """,
    "functions in a tuple that is made": """
        import reg
        from calling import MADE
        def use(calls): calls[0]()
        use(MADE)
        def f(): return reg.SHARED
        """,
    "functions in a tuple that is put together": """
        import reg
        from calling import PAIR
        def use(calls): calls[0]()
        use(PAIR)
        def f(): return reg.SHARED
        """,
    "a connection that runs a function": """
        import duckdb
        import reg
        def fill(n: int) -> int:
            reg.SHARED.append(os.environ['A'])
            return n
        con = duckdb.connect()
        con.create_function('note_row', fill)
        con.execute('select note_row(1)')
        def f(): return reg.SHARED
        """,
    "a connection of a function that runs another": """
        import duckdb
        import reg
        def fill(n: int) -> int:
            reg.SHARED.append(os.environ['A'])
            return n
        def start():
            con = duckdb.connect()
            con.create_function('note_row', fill)
            con.execute('select note_row(1)')
        start()
        def f(): return reg.SHARED
        """,
    "a module of the project's own that is called as an integration": """
        import reg
        from dagster_own import prepare
        prepare()
        def f(): return reg.SHARED
        """,
    "a method of the class itself that configures": """
        import dagster as dg
        import reg
        class Db(dg.ConfigurableResource):
            path: str = ''
            @classmethod
            def configure_at_launch(cls): reg.SHARED.append(os.environ['A'])
        db = Db.configure_at_launch()
        def f(): return reg.SHARED
        """,
    "a method of a base of the project's own that configures": """
        import reg
        class Base:
            @classmethod
            def configured(cls): reg.SHARED.append(os.environ['A'])
        class Db(Base): pass
        db = Db.configured()
        def f(): return reg.SHARED
        """,
    "data for a method that a base has itself": """
        import pydantic
        R = []
        def add(): R.append(os.environ['A'])
        class Base(pydantic.BaseModel):
            @classmethod
            def model_validate(cls, data): data()
        class Order(Base): pass
        Order.model_validate(add)
        def f(): return R
        """,
    "a function that is named, and called": """
        import dagster as dg
        import reg
        def make(name):
            def inner(): reg.SHARED.append(os.environ['A'])
            inner.__name__ = name
            inner()
            return dg.asset(name=name)(inner)
        one = make('one')
        def f(): return reg.SHARED
        """,
    "a function that another attribute of a function holds": """
        import reg
        def make():
            def inner(): reg.SHARED.append(os.environ['A'])
            def outer(): inner.twin()
            inner.twin = inner
            outer()
            return inner
        one = make()
        def f(): return reg.SHARED
        """,
    "a buffer of the project's own": """
        import io
        import reg
        class Buffer(io.BytesIO):
            def seek(self, *_): reg.SHARED.append(os.environ['A'])
        def start(): Buffer().seek(0)
        start()
        def f(): return reg.SHARED
        """,
    "a docstring that is read": """
        def g(): pass
        g.__doc__ = os.environ['A']
        def f(): return g.__doc__
        """,
    "a constructor": """
        import reg
        class C:
            def __init__(self): self.setup()
            def setup(self): reg.SHARED.append(os.environ['A'])
        C()
        def f(): return reg.SHARED
        """,
    "a module that is tried": """
        try:
            import fail
            K = 1
        except AssertionError:
            K = 2
        def f(): return K
        """,
    "a loop that binds": """
        for K in os.environ['A']:
            pass
        def f(): return K
        """,
    "an object in two steps": """
        import reg
        c = {}
        c['x'] = reg.SHARED
        c['x'].append(os.environ['A'])
        def f(): return reg.SHARED
        """,
}

# The same, with a function that cannot depend on it.
HARMLESS = {
    "assets of a factory with parameters that are named like assets above": """
        R = []
        def made():
            def above(): R.append(os.environ['A'])
            def below(above):
                first, second = above
                return [above for above in first] + above.items(second)
            def lowest(*above): return lambda above: above()
            return [above, below, lowest]
        ASSETS = made()
        def f(): return R
        """,
    "a factory that says which arguments there are": """
        from typing import assert_never
        import typing_extensions
        def made(kind):
            if kind == 'a': scale = 1
            elif kind == 'b': scale = 2
            elif kind == 'c': typing_extensions.assert_never(kind)
            else: assert_never(kind)
            def asset(): return os.environ['A'] * scale
            return asset
        ASSETS = [made(kind) for kind in ('a', 'b')]
        def f(): return 1
        """,
    "a file of variables": """
        from dotenv import find_dotenv, load_dotenv
        load_dotenv(find_dotenv())
        def other(): return os.environ['A']
        def f(): return 1
        """,
    "copies of resources and ops with config or hooks": """
        import dagster as dg
        class Api(dg.ConfigurableResource):
            url: str
        @dg.resource(config_schema={'n': int})
        def client(context): return 3
        @dg.op
        def one(): return 1
        @dg.success_hook
        def told(context): pass
        resources = {
            'client': client.configured({'n': len(os.environ['A'])}),
            'api': Api.configure_at_launch(url=os.environ['A']),
            'one': one.with_hooks({told, *os.environ['A'][:0]}),
        }
        def f(): return 1
        """,
    "a factory that names its asset": """
        import dagster as dg
        def make(name, **options):
            def inner():
                os.environ.update(A=os.environ['A'])
            inner.__name__ = name
            return dg.asset(name=name, **options)(inner)
        one = make('one')
        def f(): return 1
        """,
    "resources that connect when they are made": """
        import io, time
        import dagster as dg, duckdb, numpy as np
        class Db(dg.IOManager):
            def __init__(self, path):
                duckdb.connect(path)
                io.BytesIO().seek(0)
                time.sleep(len(np.append([], [])))  # a wait, here of no time, changes nothing
            def handle_output(self, context, value): os.environ['A'] = 'x'
            def load_input(self, context): return os.environ['A']
        def path(): return os.environ.get('NO_PLACE', ':memory:')
        defs = dg.Definitions(resources={'io_manager': Db(path())})
        def f(): return 1
        """,
    "a resource that is configured at launch": """
        import dagster as dg
        class Db(dg.ConfigurableResource):
            path: str = ''
            def rows(self): os.environ['B'] = os.environ['A']
        db = Db.configure_at_launch()
        def f(): return 1
        """,
    "a call of an integration of Dagster": """
        import dagster_pipes
        dagster_pipes.encode_param(os.environ['A'])
        def f(): return 1
        """,
    "values that other modules compute": """
        import polars as pl
        from values import HERE, LEVELS, RATE, TIME
        class Weather(pl.Config):
            at = pl.lit(1).cast(TIME)
            scale = pl.lit(RATE).is_in(LEVELS)
            place = pl.lit(str(HERE))
            @classmethod
            def rows(cls): return os.environ['A']
        def f(): return 1
        """,
    "a call by a key of a table of functions": """
        R = []
        def run(key, x):
            steps = {'zero': lambda y: y * 0, 'same': lambda y: y}
            return steps[key](x)
        R2 = run('same', os.environ['A'])
        def f(): return R
        """,
    "data of a field": """
        import pydantic
        class Source(pydantic.BaseModel):
            names: list = []
            @classmethod
            def make(cls): return cls()
            def refresh(self): os.environ['A'] = 'x'
        def gather():
            names = []
            names.extend(Source.make().names)
            return names
        NAMES = gather()
        def f(): return 1
        """,
    "a validator that returns the object": """
        import pydantic
        class Order(pydantic.BaseModel):
            @pydantic.model_validator(mode="after")
            def check(self): return self
            def refresh(self): os.environ['A'] = 'x'
        order = Order()
        def f(): return 1
        """,
    "data for pydantic": """
        import pydantic
        ROWS = {}
        ROWS.update(a=os.environ['A'])
        class Order(pydantic.BaseModel):
            a: str = ''
        order = Order.model_validate(ROWS)
        def f(): return 1
        """,
    "a change of a copy": """
        import copy, pydantic
        class Order(pydantic.BaseModel):
            a: str = os.environ['A']
        def fill(rows): rows['b'] = 1
        def dumped(order):
            rows = order.model_dump()
            fill(rows)
            return rows
        ROWS = dumped(Order())
        COPY = copy.deepcopy(ROWS)
        def f(): return 1
        """,
    "a list of assets that grows": """
        import dagster as dg
        def make(n):
            @dg.asset(name=n)
            def first(): os.environ.update(A=os.environ['A'])
            @dg.asset(name=n + '2')
            def second(): os.environ.update(A=os.environ['A'])
            many = [first]
            many += [second]
            return many
        many = [one for n in ('c', 'd') for one in make(n)]
        def f(): return 1
        """,
    "a registry that nobody reads": """
        import reg
        @reg.register
        def g(): return os.environ['A']
        def f(): return reg.LIMIT
        """,
    "a list that nobody reads": """
        R = []
        if os.environ.get('A'):
            R.append(1)
        def f(): return 1
        """,
    "a file that nobody reads": """
        with open('c.json') as h:
            C = h.read()
        def f(): return 1
        """,
    "an assertion": """
        assert os.environ.get('A') != 'b'
        def f(): return 1
        """,
    "a module that asserts": """
        import fail
        def f(): return 1
        """,
    "an object of a class that reads": """
        from apart import Client
        client = Client()
        def f(): return 1
        """,
    "logging": """
        import logging
        logging.basicConfig(level=len(os.environ['A']))
        def f(): return 1
        """,
    "logging by a star import": """
        from logging import *
        basicConfig(level=len(os.environ['A']))
        def f(): return 1
        """,
    "a built-in function beside a star import": """
        from math import *
        print(os.environ['A'])
        R = [sqrt(4)]
        R.append(1)
        def f(): return R
        """,
    "the import path": """
        import sys
        sys.path.append(os.environ['A'])
        def f(): return 1
        """,
    "a factory of assets": """
        import dagster as dg
        def make(n):
            found = []
            @dg.asset(name=n)
            def inner(): return os.environ['A']
            found.append(inner)
            return found
        many = make('a')
        many.extend(make('b'))
        def f(): return 1
        """,
    "definitions": """
        import dagster as dg
        class R(dg.ConfigurableResource):
            a: str
            def get(self): os.environ.update(A=self.a)
        all_of_it = dg.Definitions(resources={'r': R(a=os.environ['A'])})
        def f(): return 1
        """,
    "a class that is asked for one method": """
        import reg
        class A:
            @classmethod
            def made(cls): return cls()
            def get(self): reg.SHARED.append(os.environ['A'])
        a = A.made()
        def f(): return reg.SHARED
        """,
    "data of another module": """
        from tables import DATA
        def use(data): return data['a'] + [os.environ['A']]
        K = use(DATA)
        def f(): return 1
        """,
    "an attribute that is asked for by name": """
        import reg
        class A:
            def __init__(self):
                for name in ('a', 'b'): setattr(self, name, getattr(self, name, None))
            def get(self): reg.SHARED.append(os.environ['A'])
        a = A()
        def f(): return reg.SHARED
        """,
    "data that is sorted": """
        import pandas as pd
        from reg import OTHER
        D = {'a': pd.DataFrame({'b': [1]})}
        K = {'x': sorted(set(D['a']['b'])), 'y': list(map(str, sorted(OTHER))), 'z': os.environ['A']}
        def f(): return 1
        """,
    "a dict of lists that is built": """
        from collections import defaultdict
        def build(rows):
            found = defaultdict(list)
            for row in rows: found[row].append(os.environ['A'])
            return dict(found)
        K = build(['a'])
        def f(): return 1
        """,
    "a frame that is indexed": """
        import pandas as pd
        K = pd.DataFrame({'a': [os.environ['A']]}).set_index('a')
        def f(): return 1
        """,
    "a logger of a helper": """
        import logging
        def made(name): return logging.getLogger('x.' + name)
        log = made(__name__)
        def keeps(fn):
            def inner(*given):
                log.debug(os.environ['A'])
                return fn(*given)
            return inner
        class A:
            @keeps
            def get(self): return os.environ['A']
        def f(): return 1
        """,
    "logs and displays": """
        import pandas as pd
        pd.options.display.width = len(os.environ['A'])
        def f(): return 1
        """,
    "a list of assets": """
        import dagster as dg
        def make(n):
            @dg.asset(name=n)
            def inner(): os.environ.update(A=os.environ['A'])
            many = [inner]
            return many
        many = [one for n in ('a', 'b') for one in make(n)]
        def f(): return 1
        """,
    "a method of a base": """
        class A:
            def __init__(self): self.s = os.environ['A']
            def get(self):
                os.environ.update(A=self.s)
                eval(self.s)
        class B(A): pass
        def f(): return 1
        """,
    "accessors of a property": """
        class A:
            @property
            def size(self): return os.environ['A']
            @size.setter
            def size(self, value): os.environ['A'] = value
        def f(): return 1
        """,
    "a docstring of a part of a class": """
        import typing
        class A:
            def get(self): return os.environ['A']
        class Pair(typing.NamedTuple('Pair', [('one', A)])): pass
        Pair.one.__doc__ = 'One ' 'of them.'
        def f(): return 1
        """,
    "a method of an application": """
        from typer_like import App
        app = App()
        @app.command()
        def g(): return os.environ['A']
        def f(): return 1
        """,
}


@pytest.fixture(autouse=True)
def outside_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment and files that the modules can be loaded with."""
    monkeypatch.setenv("A", "warn")
    monkeypatch.setenv("B", "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    for name in ("warn", "c.json"):
        (tmp_path / name).write_text("{}")


@pytest.mark.parametrize("text", COUNTS.values(), ids=COUNTS)
def test_a_read_that_may_flow_into_the_result_counts(project: Project, text: str) -> None:
    """A read at load counts if it decides, by data or control, about state that the function reaches."""
    found = project.write(MODULES).of_source("import os\n" + dedent(text))
    assert any(read.what.startswith(("os.environ", "dotenv.")) for read in found.outside) or found.unresolved


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_a_read_that_cannot_flow_into_the_result_does_not_count(project: Project, text: str) -> None:
    """A read at load does not count if it decides only about names that the function does not reach."""
    project.write({**MODULES, "typer_like.py": "class App:\n    def command(self): return lambda fn: fn\n"})
    found = project.of_source("import os\n" + dedent(text))
    assert (found.outside, found.unresolved) == ((), ())


@pytest.mark.parametrize(
    "files",
    [
        {"one.py": "from two import *\n", "two.py": "from one import *\n"},
        {"one/__init__.py": "from one.two import *\n", "one/two.py": "from one import *\n"},
    ],
)
def test_a_call_of_a_name_that_star_imports_seek_in_a_circle(project: Project, files: dict[str, str]) -> None:
    """A name that none of the modules binds has no effect, as far as their code tells."""
    text = """
        from one import *
        try:
            gone()
        except NameError:
            pass
        def f(): return 1
    """
    assert project.write(files).of_source(dedent(text)).unresolved == ()


def test_the_statement_itself_stays_in_the_digest(project: Project) -> None:
    """The text of a side effect of loading counts, whether the function reaches the changed name or not."""
    one, two = (project.of_source(f"R = []\nR.append({n})\ndef f(): return 1") for n in (1, 2))
    assert one.digest != two.digest


@pytest.mark.parametrize(
    "text", ["import reg\nreg.LIMIT = 5", "import decimal\ndecimal.getcontext().prec = 20"]
)
def test_the_code_behind_a_side_effect_that_counts_is_followed(project: Project, text: str) -> None:
    """A constant that is set elsewhere brings the names of its statement."""
    found = project.write(MODULES).of_source(f"{text}\ndef f():\n    import reg\n    return reg.LIMIT")
    assert {one.name for one in found.components} >= {text.split()[1].partition("\n")[0]}


def test_components_are_in_proportion_to_the_code_that_is_reached(project: Project) -> None:
    """Functions that loading only puts into an unreached list are no components."""
    many = "\n".join(f"def h{n}(): return {n}" for n in range(50))
    found = project.of_source(
        f"{many}\nR = []\nR.append(({', '.join(f'h{n}' for n in range(50))}))\ndef f(): return 1"
    )
    assert len(found.components) == 3  # the function, the statement, and their order
