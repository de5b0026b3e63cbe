"""`python -m tests.races --count 500`: the last line is one JSON object; exit 1 when a promise was broken."""

import argparse
import asyncio
import json
import secrets
import sys

from tests.races import by_feed
from tests.races.run import run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--by", choices=("store", "feed"), default="store", help="the way by which all of it comes")
    given = parser.parse_args()
    seed = secrets.randbelow(1 << 31) if given.seed is None else given.seed
    print(f"races: seed {seed}", file=sys.stderr)
    racing = by_feed.run if given.by == "feed" else run
    result = asyncio.run(racing(given.count, seed))
    for line in result.broken:
        print(line, file=sys.stderr)
    print(json.dumps({**result.summary(), "seed": seed}))
    return 1 if result.broken else 0


if __name__ == "__main__":
    sys.exit(main())
