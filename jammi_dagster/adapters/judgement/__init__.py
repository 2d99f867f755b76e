"""Verdicts on the tables of a code location: the evaluator, its evaluation, and their wording."""
