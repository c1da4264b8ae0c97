"""python -m tests.simulation: the same as `orderstream simulate`, of the tree that it stands in."""

import typer

from ops.simulation import simulate

if __name__ == "__main__":
    typer.run(simulate)
