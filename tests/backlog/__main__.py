"""`python -m tests.backlog --count 5000`: the last line is one JSON object; exit 1 when pace or order were not kept."""

import argparse
import asyncio
import json
import sys

from tests.backlog.run import run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5000)
    result = asyncio.run(run(parser.parse_args().count))
    print(json.dumps(result.summary()))
    return 0 if result.kept else 1


if __name__ == "__main__":
    sys.exit(main())
