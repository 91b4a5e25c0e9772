"""Mails as files in a folder."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.edges.sample_mail import ID, ignore_phase, message
from watcher.errors import ChannelDown, ChannelRefused, MailError, MessageRefused
from watcher.model import Message, Phase, Receipt
from watcher.notify.files import FileChannel, file_errors


def hand_over(directory: Path, what: Message) -> Receipt:
    with FileChannel(directory).session() as session:
        return session.send(what, on_phase=ignore_phase)


def test_the_receipt_names_the_file_by_date_and_id(tmp_path: Path) -> None:
    receipt = hand_over(tmp_path, message())

    assert receipt.reply == str(tmp_path / f"20260302T120000Z-{ID}.eml")
    assert Path(receipt.reply).read_bytes() == message().mime


@pytest.mark.parametrize(
    ("header", "name"),
    [
        pytest.param(b"Date: Mon, 02 Mar 2026 17:30:00 +0530", f"20260302T120000Z-{ID}.eml", id="another zone"),
        pytest.param(b"Date: Mon, 02 Mar 2026 17:30:00 -0000", f"{ID}.eml", id="no zone"),
        pytest.param(b"Date: ../../etc/passwd", f"{ID}.eml", id="no date"),
        pytest.param(b"X-Other: 1", f"{ID}.eml", id="no header"),
        pytest.param(b"X: 1\r\n\r\nDate: Mon, 02 Mar 2026 12:00:00 +0000", f"{ID}.eml", id="a date in the body only"),
    ],
)
def test_a_name_holds_only_digits_of_the_date_and_the_id(tmp_path: Path, header: bytes, name: str) -> None:
    receipt = hand_over(tmp_path, replace(message(), mime=header + b"\r\n\r\nbody\r\n"))

    assert Path(receipt.reply).name == name


@pytest.mark.parametrize("bad", ["../escaped", "", ".hidden", "a/b", "a\x00b", "a\n", "é", "x" * 65])
def test_an_id_that_is_not_ours_is_refused_and_nothing_is_written(tmp_path: Path, bad: str) -> None:
    with pytest.raises(MessageRefused, match="message id"):
        hand_over(tmp_path / "mail", replace(message(), id=bad))

    assert list((tmp_path / "mail").iterdir()) == []


def test_the_same_message_handed_over_again_stays_one_file(tmp_path: Path) -> None:
    first = hand_over(tmp_path, message())
    again = hand_over(tmp_path, message())

    assert first == again
    assert [path.name for path in tmp_path.iterdir()] == [Path(first.reply).name]


def test_folder_and_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    receipt = hand_over(tmp_path / "state" / "mail", message())

    assert (tmp_path / "state" / "mail").stat().st_mode & 0o777 == 0o700
    assert Path(receipt.reply).stat().st_mode & 0o777 == 0o600


def test_the_draft_of_an_attempt_that_was_cut_off_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / f".{ID}.tmp").write_bytes(b"half a mess" * 10_000)

    receipt = hand_over(tmp_path, message())

    assert Path(receipt.reply).read_bytes() == message().mime
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_planted_in_place_of_the_draft_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / f".{ID}.tmp").symlink_to(victim)

    with pytest.raises(ChannelRefused):
        hand_over(tmp_path / "mail", message())

    assert victim.read_text() == "untouched"


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let writes fail beyond ``size`` octets, as they do when a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_in_mid_message_leaves_nothing_and_passes_by_itself(tmp_path: Path) -> None:
    large = message(body=b"x" * 900 + b"\r\n")

    with files_of_at_most(512), pytest.raises(ChannelDown) as caught:
        hand_over(tmp_path, large)

    assert caught.value.phase is Phase.DATA
    assert list(tmp_path.iterdir()) == []
    assert Path(hand_over(tmp_path, large).reply).read_bytes() == large.mime


def test_a_file_in_place_of_the_folder_is_the_operators(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")

    with pytest.raises(ChannelRefused, match="mail cannot be written") as caught:
        hand_over(tmp_path / "mail", message())

    assert caught.value.phase is Phase.CONNECT


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_the_operators(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(ChannelRefused):
        hand_over(tmp_path, message())


@pytest.mark.parametrize(
    ("number", "error"),
    [
        pytest.param(errno.ENOSPC, ChannelDown, id="disk full"),
        pytest.param(errno.EDQUOT, ChannelDown, id="quota used up"),
        pytest.param(errno.EIO, ChannelDown, id="disk error"),
        pytest.param(errno.EACCES, ChannelRefused, id="no permission"),
        pytest.param(errno.EROFS, ChannelRefused, id="mounted read-only"),
        pytest.param(errno.ENOTDIR, ChannelRefused, id="not a folder"),
    ],
)
def test_what_passes_by_itself_is_told_from_what_somebody_must_change(number: int, error: type[MailError]) -> None:
    with pytest.raises(error, match="mail cannot be written"), file_errors(Phase.DATA, Path("mail")):
        raise OSError(number, os.strerror(number))
