"""Names that run or import code which no source shows."""

from __future__ import annotations

from jammi_dagster.fingerprint.known_names import ANY

# Attributes that lead to code, or to the names of modules; code knows line numbers, and those are not hashed.
HIDDEN_ATTRIBUTES = frozenset({"__code__", "__globals__", "f_globals", "f_locals"})

HIDDEN = frozenset(
    [
        "builtins.exec",
        "builtins.eval",
        "builtins.__import__",
        "builtins.globals",
        "importlib.import_module",
        "importlib.__import__",
        "importlib.reload",
        "importlib.util.spec_from_file_location",
        "importlib.util.module_from_spec",
        "importlib.machinery.SourceFileLoader",
        "importlib.metadata.entry_points",
        "pkgutil.resolve_name",
        "runpy.run_module",
        "runpy.run_path",
        "ctypes.CDLL",
        "ctypes.PyDLL",
        "ctypes.cdll",
        "sys.modules",
        "sys._getframe",
        "inspect.currentframe",
        "inspect.getmodule",
        "inspect.stack",
        "inspect.getsource",
        "inspect.getsourcelines",
        "inspect.getmembers",
        "gc.get_objects",
        "marshal.loads",
        "types.FunctionType",
        "types.CodeType",
    ]
) | {f"{ANY}.{name}" for name in ("__subclasses__", *HIDDEN_ATTRIBUTES)}

ATTRGETTER, METHODCALLER = "operator.attrgetter", "operator.methodcaller"
NAMERS = frozenset({ATTRGETTER, METHODCALLER})
# Calls that name attributes in the arguments between these positions: constants there show which ones.
NAMED_BY_ARGUMENTS = {"builtins.getattr": slice(1, 2), ATTRGETTER: slice(0, None), METHODCALLER: slice(0, 1)}

# Names that `ignore=` takes only with the function that uses them: `pipelines.text.clean:getattr`.
SCOPED = frozenset({"getattr", "setattr", *NAMERS})

# Calls that import the module which their only argument names.
IMPORTERS = frozenset({"builtins.__import__", "importlib.import_module"})
