"""Storage below a root: paths, and writing and reading objects, on a local folder or on fsspec."""
