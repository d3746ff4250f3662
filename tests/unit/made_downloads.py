"""What the server of download tests holds, and what arrived."""

import hashlib
import random
from pathlib import Path

CONTENT = random.Random(0).randbytes(300_000)


def listing(folder: Path) -> list[str]:
    """Names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def sha256(content: bytes) -> str:
    """Checksum of a file with this content."""
    return hashlib.sha256(content).hexdigest()
