"""A house without a PBX: its daemon takes callbacks in, and they wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.lab import AmiAccess
from tests.rig.house import Department, House, Table

SALES = Department("sales", ["anna"])


@dataclass(frozen=True)
class Absent:
    """In the place of a lab: nobody listens on the first of all ports."""

    ami: AmiAccess = field(default=AmiAccess("127.0.0.1", 1, 1, "mi-dialer", "s3cret-of-the-pbx", Path()))
    trunk: str = "mi-trunk"


def detached(
    folder: Path, tables: Mapping[str, Table] | None = None, departments: Sequence[Department] = (SALES,)
) -> House:
    """`tables` are those of a `House`."""
    daemon = {"poll_floor_seconds": 1, "drain_seconds": 1}
    return House(Absent(), folder, departments, daemon=daemon, log_level="info", tables=tables or {})
