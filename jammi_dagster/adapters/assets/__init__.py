"""Assets as their authors declare them: function, arguments of the contract, dependencies, policy, data versions.

Not done here: describing a definition (see `recipe`), and anything about a particular run.
"""
