"""`python -m tests.wires --events 2000 --submissions 2000`: the last line is one JSON object; exit 1 when a promise was
broken."""

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.wires import events, submissions


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2000, help="events told by webhook")
    parser.add_argument("--submissions", type=int, default=2000, help="callbacks handed in by HTTP")
    parser.add_argument("--kills", type=int, default=20, help="of the daemon, in each of both")
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = secrets.randbelow(1 << 31) if given.seed is None else given.seed
    print(f"wires: seed {seed}", file=sys.stderr)
    folder = Path(tempfile.mkdtemp(prefix="mi-wires-"))
    summary: dict[str, Any] = {}
    broken: list[str] = []
    if given.events:
        told = asyncio.run(events.run(given.events, seed, folder / "events", kills=given.kills, unanswered=0.002))
        summary |= told.summary()
        broken += told.broken
    if given.submissions:
        handed_in = asyncio.run(submissions.run(given.submissions, given.kills, folder / "submissions", seed))
        summary |= handed_in.summary()
        broken += [] if handed_in.kept else [f"submissions: {handed_in}"]
    for line in broken:
        print(line, file=sys.stderr)
    print(json.dumps({**summary, "broken": len(broken), "seed": seed}))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
