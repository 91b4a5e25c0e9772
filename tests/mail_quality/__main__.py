"""Judge the mails: see the package.  Exit code 1 when anything is wrong, or a judge is lacking that must be there."""

import random
import sys

from tests.golden.digests import KeptDigest, crowded_digest, kept_digests
from tests.mail_quality.judges import REQUIRED, say, spam_points, verdicts, wrong_subjects
from watcher.logs import configure_logs

SUBJECTS = 100_000
QUICK_SUBJECTS = 2_000
_HTML_LIMIT = 80_000  # bytes


def mails(*, quick: bool) -> list[KeptDigest]:
    """Return what is judged; quick: the demo's busiest days, the rarer kinds, and the one without room for all."""
    kept = [one for one in kept_digests() if not quick or one.name.startswith(("demo-2026-03-03", "other-"))]
    return [*kept, crowded_digest()]


def main() -> int:
    """Print a line for each judge, and what is wrong below it."""
    quick = "--quick" in sys.argv[1:]
    configure_logs("error", "text")
    judged = mails(quick=quick)
    failed = False
    say(f"{len(judged)} mails, the largest with {max(len(one.html.encode()) for one in judged):,} bytes of HTML")
    for one in judged:
        if len(one.html.encode()) > _HTML_LIMIT:
            failed = True
            say(f"    {one.name}: more than {_HTML_LIMIT:,} bytes of HTML")
    for judge, lacks, wrong in verdicts(judged):
        say(f"{judge.name}: {f'not judged: {lacks}' if lacks else f'{len(wrong)} wrong'}")
        for line in wrong:
            say(f"    {line}")
        failed |= bool(wrong) or (lacks is not None and REQUIRED)
        if judge.name.startswith("spam") and not lacks:
            say(f"    the highest: {max(spam_points(one.mime) for one in judged):.1f} points")
    count = QUICK_SUBJECTS if quick else SUBJECTS
    wrong_ones = wrong_subjects(count, chance=random.Random(1))
    say(f"subjects: {len(wrong_ones)} of {count:,} do not come back as they were")
    return int(failed or bool(wrong_ones))


if __name__ == "__main__":
    sys.exit(main())
