"""The derives-from graph and its pictures, over edges given as values."""
