"""Live objects that a function holds: values, callables, contexts."""
