"""`python -m tests.races --count 500`: the last line is one JSON object; exit 1 when a promise was broken."""

import argparse
import asyncio
import sys

from tests.races import by_feed
from tests.races.run import run
from tests.rig.program import asked, told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--by", choices=("store", "feed"), default="store", help="the way by which all of it comes")
    given = asked(parser)
    racing = by_feed.run if given.by == "feed" else run
    result = asyncio.run(racing(given.count, given.seed))
    return told(result.summary(), result.broken, given.seed)


if __name__ == "__main__":
    sys.exit(main())
