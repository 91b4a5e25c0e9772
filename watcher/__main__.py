"""``python -m watcher`` is ``trialwatch``."""

from watcher.cli import main

if __name__ == "__main__":
    main()
