"""`python -m tests.fuzz --cases 10000`: on a whole store, then a fifth of it on one that fails again and again.

The last line of stdout is one JSON object; exit 1 on a server error, an undocumented answer, or a lost callback.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tests.fuzz.run import fuzz


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    cases = parser.parse_args().cases
    with tempfile.TemporaryDirectory(prefix="mi-fuzz-") as folder:
        whole = asyncio.run(fuzz(cases, Path(folder, "whole")))
        print(json.dumps(whole.summary()), file=sys.stderr)
        faulty = asyncio.run(fuzz(cases // 5, Path(folder, "faulty"), faults=True))
    both = (whole.judged, faulty.judged)
    summary = {
        "cases": sum(each.cases for each in both),
        "server_errors": sum(each.server_errors for each in both),
        "undocumented": sum(each.undocumented for each in both),
        "lost": whole.lost + faulty.lost,
        "whole": whole.summary(),
        "with_faults": faulty.summary(),
    }
    print(json.dumps(summary))
    return 0 if whole.kept and faulty.kept else 1


if __name__ == "__main__":
    sys.exit(main())
