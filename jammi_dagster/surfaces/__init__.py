"""Version surfaces: ways to ask an external input for its present version.

`reads=[…]` of `@result_table` takes them. A surface has a `source`, the name under which its version is recorded,
and `observe()`, which gives the present version or None where the input is gone.
"""

from jammi_dagster.surfaces.files import FileSurface, file
from jammi_dagster.surfaces.protocol import VersionSurface

__all__ = ["FileSurface", "VersionSurface", "file"]
