"""The only code that imports Dagster: its contexts come in, one call goes to the contract, its results go out."""
