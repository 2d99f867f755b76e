"""Helpers of the demo pipeline in `definitions.py`, and the driver behind `make demo`."""
