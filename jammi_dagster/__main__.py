"""`python -m jammi_dagster`: the same as the command `jammi-dagster`."""

from jammi_dagster.cli.program import program

if __name__ == "__main__":
    program(prog_name="jammi-dagster")
