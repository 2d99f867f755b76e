"""`reuse_first`: an executor that reuses all unchanged tables of a run before it steps into any."""
