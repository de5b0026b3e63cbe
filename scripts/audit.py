"""Ask the advisory service about every locked dependency; fail on a known vulnerability.

A service that answers for no package at all (a closed network, a mirror without advisories) is said in one loud line:
the audit did not happen, and nothing is claimed.
"""

import json
import subprocess
import sys


def main() -> int:
    """Exit 0: nothing known, or not audited (said); 1: a vulnerability, or a package that nobody could judge."""
    command = [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--format", "json"]
    command += ["--progress-spinner", "off"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        print(f"audit: NOT AUDITED, the advisory service cannot be reached: {last[:200]}")
        return 0
    audited = [package for package in packages if "vulns" in package]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    found = [(package["name"], vuln["id"]) for package in audited for vuln in package["vulns"]]
    for name, vulnerability in found:
        print(f"audit: {name}: {vulnerability}")
    if not audited:
        print(f"audit: NOT AUDITED, the advisory service knows none of {len(skipped)} packages")
        return 0
    print(f"audit: {len(audited)} packages, {len(found)} vulnerabilities, {len(skipped)} unknown")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
