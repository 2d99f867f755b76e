"""Tables of names whose behaviour is known without reading their code. All of them are data.

| file | the names in it |
|---|---|
| readers.py | functions that read files, databases, processes or the network |
| services.py | modules of which every function is such a reader |
| reader_prefixes.py | beginnings of the names of such functions |
| file_libraries.py | libraries of which all functions that begin like a reader are one |
| native_readers.py | readers that raise no audit event |
| ambient_values.py | the clock, chance, the environment of the process |
| clock_words.py | texts that stand for the time of now |
| public_names.py | the public names of functions in parts of libraries |
| time_zones.py | the time zone of the process |
| hidden_code.py | calls that run or import code that no source shows |
| mutations.py | methods and functions that change state |
| decorators.py | decorators that read no annotation, or do nothing but label |
| processes.py | calls that start processes, decorators that keep results |
| process_state.py | state of the process that loading changes, and state of no consequence |
| annotation_blind.py | receivers of functions that read neither annotations nor docstrings |
| load_quiet.py | modules that read no file by themselves |
| introspection.py | names by which code reads docstrings and annotations |

A name is written as the code can spell it after its imports are resolved: `pandas.read_csv`. `CALL` stands for a call
within a name (`dagster.EnvVar.().get_value`), `ANY` for an object of unknown class (`?.read_text`).
"""

from __future__ import annotations

ANY = "?"
CALL = "()"
