"""python -m tests.simulation --seed N: one run, as it was. --seeds A B: a range of them."""

import argparse
import sys
import time

from tests.simulation.run import simulate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seeds", type=int, nargs=2, metavar=("FROM", "TO"), default=(0, 100))
    given = parser.parse_args()
    seeds = range(*given.seeds) if given.seed is None else (given.seed,)
    begun = time.perf_counter()
    for seed in seeds:
        world = simulate(seed)
        if given.seed is not None:
            lives = {process.name: process.lives for process in world.processes}
            print(
                f"{world.case.weather}\n{len(world.case.sendings)} sent, lives {lives}, trace {world.trace()}"
            )
    print(f"{len(seeds)} seeds, 0 violations, {time.perf_counter() - begun:.1f} s")
    sys.exit(0)


if __name__ == "__main__":
    main()
