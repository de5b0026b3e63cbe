"""`python -m tests.feeds --items 2000`: the last line is one JSON object; exit 1 when a promise was broken."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.feeds.run import run
from tests.rig.program import asked, told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    given = asked(parser)
    result = asyncio.run(run(given.items, given.seed, Path(tempfile.mkdtemp(prefix="mi-feeds-")), kills=given.kills))
    return told(result.summary(), result.broken, given.seed)


if __name__ == "__main__":
    sys.exit(main())
