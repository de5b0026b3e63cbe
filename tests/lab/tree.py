"""An Asterisk to test against: Debian's own packages, unpacked into a cache folder and run from there without root.

Nothing is installed: the packages' files are unpacked and the binary is started through the tree's own dynamic
loader, so the host's libraries do not matter.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SUITE = "sid"  # the only Debian suite that carries Asterisk
PACKAGES = ("asterisk", "asterisk-core-sounds-en-gsm")
RECIPE = f"1 {SUITE} extract {' '.join(PACKAGES)}"
BUILD_TIMEOUT = 900  # seconds


class TreeError(RuntimeError):
    """The Asterisk tree cannot be built; the message is one line that says what to do."""


@dataclass(frozen=True)
class Tree:
    """An unpacked Asterisk."""

    root: Path

    @property
    def libraries(self) -> Path:
        """The folder of the tree's shared libraries (its name carries the machine's architecture)."""
        return self._only("usr/lib/*-linux-*/libc.so.6").parent

    @property
    def modules(self) -> Path:
        """The folder of Asterisk's modules."""
        return self.libraries / "asterisk" / "modules"

    @property
    def data(self) -> Path:
        """Asterisk's ``astdatadir``: sounds and the documentation that modules need in order to load."""
        return self.root / "usr/share/asterisk"

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs this Asterisk with these arguments."""
        loader = self._only("usr/lib/*-linux-*/ld-linux*.so.*")
        binary = self.root / "usr/sbin/asterisk"
        return [str(loader), "--library-path", str(self.libraries), str(binary), *arguments]

    def _only(self, pattern: str) -> Path:
        found = sorted(self.root.glob(pattern))
        if not found:
            raise TreeError(f"the Asterisk tree {self.root} is damaged ({pattern} is missing): delete it and try again")
        return found[0]


def ensure_tree() -> Tree:
    """The cached tree, built first when missing (about 12 s and 270 MB); callers in other processes wait for it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mi-dialer"
    target = cache / f"asterisk-{hashlib.sha256(RECIPE.encode()).hexdigest()[:12]}"
    if target.is_dir():
        return Tree(target)
    cache.mkdir(parents=True, exist_ok=True)
    with _exclusive(cache / f"{target.name}.lock"):
        if not target.is_dir():
            _build(target)
    return Tree(target)


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(target: Path) -> None:
    """Unpack beside the target and rename: a half-built tree never carries the final name."""
    if shutil.which("mmdebstrap") is None:
        raise TreeError("the Asterisk lab needs mmdebstrap: apt-get install mmdebstrap")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.") as scratch:
        tree = Path(scratch) / "tree"
        mode = "root" if os.geteuid() == 0 else "chrootless"  # which runs nothing of the tree and needs no privilege
        _run([
            "mmdebstrap",
            "--quiet",
            f"--mode={mode}",
            "--variant=extract",
            f"--include={','.join(PACKAGES)}",
            '--aptopt=Acquire::Check-Valid-Until "false"',  # a mirror may be frozen in time
            SUITE,
            str(tree),
            _mirror(),
        ])  # fmt: skip
        sounds = tree / "usr/share/asterisk/sounds"
        if not (sounds / "en").exists():  # the link is an installation script's work, and none has run
            voice = next(path.parent for path in sounds.glob("en_*/beep.gsm"))
            (sounds / "en").symlink_to(voice.name)
        tree.rename(target)


def _mirror() -> str:
    """The Debian mirror of this machine's own apt configuration."""
    listed = _run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(LABEL)", "Created-By: Packages"])
    for line in listed.splitlines():
        uri, *rest = line.split()
        if rest[:2] == ["Debian", "Debian"]:
            return uri
    raise TreeError("the Asterisk lab found no Debian mirror in apt's configuration: run apt-get update")


def _run(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_TIMEOUT, check=True)
    except FileNotFoundError:
        raise TreeError(f"the Asterisk lab needs {command[0]}, a Debian tool") from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout or "").strip().splitlines()[-1:]
        raise TreeError(f"{command[0]} failed: {' '.join(last)}") from error
    except subprocess.TimeoutExpired:
        raise TreeError(f"{command[0]} took longer than {BUILD_TIMEOUT} s") from None
    return done.stdout
