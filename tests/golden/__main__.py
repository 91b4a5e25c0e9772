"""Rewrite the kept digests.

python -m tests.golden

Prints the names of those that are new, other or gone.  Read what changed before you keep it.
"""

import sys

from tests.golden.digests import FOLDER, kept_digests
from watcher.logs import configure_logs


def main() -> int:
    """Rewrite the files, and name those that changed."""
    configure_logs("error", "text")
    wanted = {name: content for digest in kept_digests() for name, content in digest.files.items()}
    FOLDER.mkdir(exist_ok=True)
    stale = [path for path in FOLDER.iterdir() if path.name not in wanted]
    for path in stale:
        path.unlink()
        sys.stdout.write(f"gone     {path.name}\n")
    for name, content in sorted(wanted.items()):
        path = FOLDER / name
        packed = content.encode("utf-8")
        if path.exists() and path.read_bytes() == packed:
            continue
        sys.stdout.write(f"{'changed' if path.exists() else 'new':8} {name}\n")
        path.write_bytes(packed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
