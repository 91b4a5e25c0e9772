"""The quick size of ``recipients.py``."""

import pytest

from tests.reliability.recipients import prove
from tests.reliability.sink import SINK

pytestmark = pytest.mark.skipif(SINK is None, reason="smtp-sink is not installed; Debian has it in the package postfix")


def test_each_of_many_recipients_is_sent_the_digest_once_however_often_the_service_is_killed() -> None:
    proved = prove(800, kills=4, seed=1)

    assert proved.holds, proved
    # A moment that has gone by between two looks is not struck.
    assert proved.spent.kills_while_composing + proved.spent.kills_while_delivering >= 2
