"""The long runs as programs: a seed, what was broken on stderr, and one JSON object as the last line."""

import argparse
import json
import secrets
import sys
from collections.abc import Mapping, Sequence


def asked(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments, and a `seed`, which stderr is told."""
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 31), help="default: a fresh one")
    given = parser.parse_args()
    print(f"seed {given.seed}", file=sys.stderr, flush=True)
    return given


def told(figures: Mapping[str, object], broken: Sequence[str], seed: int) -> int:
    """Tell what came of it; the exit code."""
    for line in broken:
        print(line, file=sys.stderr)
    print(json.dumps({**figures, "broken": len(broken), "seed": seed}))
    return 1 if broken else 0
