"""Version surfaces: ways to ask an external input for its present version.

Rules:

1. A surface has a `source`, the name under which its version is recorded, and `observe()`.
2. `observe()` returns the present version, or None if the input is gone. A surface that cannot tell raises
   `SurfaceUnavailable`; a made-up version would be a false hit.
3. One file per provider; `protocol.py` has the interface.

`reads=[…]` of `@result_table` takes surfaces:

    @result_table(reads=[file("orders.csv")])
    def orders() -> pa.Table: ...

Not done here: comparing versions (see `sensing`), and reading the data itself.
"""

from jammi_dagster.surfaces.files import FileSurface, file
from jammi_dagster.surfaces.protocol import VersionSurface

__all__ = ["FileSurface", "VersionSurface", "file"]
