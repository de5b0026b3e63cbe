"""`python -m tests.chaos --kills 1000 --seed 7`: daemons are killed, links cut and held, Asterisk restarted and killed,
in a stream of callbacks; then the books are balanced.

The first line names the seed, the last is one JSON object; what happens meanwhile is told on stderr. Exit 1 on any
callback lost, any customer rung twice, into silence, too soon, out of time or after a change of mind that was
acknowledged, any wrong outcome, or a daemon that ended by itself.
"""

import argparse
import asyncio
import json
import secrets
import shutil
import sys

from tests.chaos.plan import SAMPLE, Amounts
from tests.chaos.run import Run

FAULTS = ("kill", "cut", "hold", "restart", "crash")


def amounts(given: argparse.Namespace) -> Amounts:
    """How much of each fault: what was asked for, else a share of the kills; nothing of a fault that is not wanted."""
    if unknown := set(given.faults.split(",")) - set(FAULTS):
        raise SystemExit(f"no such fault: {', '.join(sorted(unknown))}")

    def of(fault: str, asked: int | None, share: int) -> int:
        if fault not in given.faults.split(","):
            return 0
        return given.kills // share if asked is None else asked

    return Amounts(
        kills=of("kill", given.kills, 1),
        cuts=of("cut", given.cuts, 5),
        holds=of("hold", given.holds, 12),
        restarts=of("restart", given.restarts, 100),
        crashes=of("crash", given.crashes, 100),
    )


def main() -> int:
    """Run once; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=None, help="default: a fresh one")
    parser.add_argument("--houses", type=int, default=2, metavar="N", help="daemons side by side: one for each core")
    parser.add_argument("--faults", default=",".join(FAULTS), help="which, of %(default)s")
    parser.add_argument("--wires", action="store_true", help="with the API, a feed and a webhook under load")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a run that balances, too")
    parser.add_argument("--sample", action="store_true", help="a run of a minute that passes every point")
    for name in ("cuts", "holds", "restarts", "crashes"):
        parser.add_argument(f"--{name}", type=int, default=None, metavar="N", help="default: a share of the kills")
    given = parser.parse_args()
    seed = secrets.randbelow(1 << 31) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    chosen = SAMPLE if given.sample else amounts(given)
    run = Run(chosen, seed, given.houses, wired=given.wires)
    balanced = asyncio.run(run.go())
    if balanced and not given.keep:
        shutil.rmtree(run.folder)
    else:
        print(f"kept: {run.folder}", file=sys.stderr)
    print(json.dumps(run.result), flush=True)
    return 0 if balanced else 1


if __name__ == "__main__":
    sys.exit(main())
