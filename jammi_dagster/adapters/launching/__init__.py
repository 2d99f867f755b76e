"""Run requests, and the runs that are under way."""
