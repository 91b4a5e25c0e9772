"""The quick size of ``recipients.py``."""

import random
from pathlib import Path

import pytest

from tests.reliability.recipients import prove
from tests.reliability.sink import SINK

pytestmark = pytest.mark.skipif(SINK is None, reason="smtp-sink is not installed; Debian has it in the package postfix")


def test_each_of_many_recipients_is_sent_the_digest_once_however_often_the_service_is_killed(tmp_path: Path) -> None:
    tmp_path.parent.chmod(0o755)
    tmp_path.chmod(0o755)
    proved = prove(800, kills=4, chance=random.Random(1), folder=tmp_path)

    assert proved.holds, proved
    assert proved.spent.kills_while_composing + proved.spent.kills_while_delivering == 4
