"""`python -m tests.feeds --items 2000`: the last line is one JSON object; exit 1 when a promise was broken."""

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
from pathlib import Path

from tests.feeds.run import run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = secrets.randbelow(1 << 31) if given.seed is None else given.seed
    print(f"feeds: seed {seed}", file=sys.stderr)
    result = asyncio.run(run(given.items, seed, Path(tempfile.mkdtemp(prefix="mi-feeds-")), kills=given.kills))
    for line in result.broken:
        print(line, file=sys.stderr)
    print(json.dumps({**result.summary(), "seed": seed}))
    return 1 if result.broken else 0


if __name__ == "__main__":
    sys.exit(main())
