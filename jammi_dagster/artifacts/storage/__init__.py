"""Roots on local and remote file systems, and the paths below them."""
