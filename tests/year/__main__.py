"""`python -m tests.year --callbacks 1000000 --seed 7`: the last line is one JSON object; exit 1 on any broken rule."""

import argparse
import gc
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.rig.program import asked
from tests.year.figures import Figures
from tests.year.simulation import Plan, Simulation

HOUSES = 2
"""Each has half of the accounts, and of the callbacks."""


def one(plan: Plan) -> Figures:
    """One house's year."""
    # Hardly anything here refers to itself, and looking for what does would take a tenth of the time.
    gc.disable()
    figures = Simulation(plan).run()
    figures.cpu_s = time.process_time()
    return figures


def main() -> int:
    """Run once; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.year", description=__doc__)
    parser.add_argument("--callbacks", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--workers", type=int, default=HOUSES, metavar="N", help="processes")
    parser.add_argument("--days", type=int, default=365, metavar="N", help="from the first of January on")
    given = asked(parser)
    begun = time.monotonic()
    plans = [
        Plan(
            given.callbacks * (number + 1) // HOUSES - given.callbacks * number // HOUSES,
            f"{given.seed}-{number}",
            days=given.days,
        )
        for number in range(HOUSES)
    ]
    figures, spent = Figures(), list[float]()
    with ProcessPoolExecutor(given.workers) as pool:
        for each in pool.map(one, plans):
            figures.add(each)
            spent.append(round(each.cpu_s, 1))
    for line in figures.examples:
        print(line, file=sys.stderr)
    wall = round(time.monotonic() - begun, 1)
    print(json.dumps({**figures.summary(), "days": given.days, "seed": given.seed, "cpu_s": spent, "wall_s": wall}))
    return 0 if figures.kept else 1


if __name__ == "__main__":
    sys.exit(main())
