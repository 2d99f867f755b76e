"""Objects in memory that a function holds: values, callables, contexts."""
