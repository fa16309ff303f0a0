"""Console text in, what happened out: ``read(log) -> list[Panic]``."""

from harness.panic.model import Frame, Kind, Panic
from harness.panic.reader import read

__all__ = ["Frame", "Kind", "Panic", "read"]
