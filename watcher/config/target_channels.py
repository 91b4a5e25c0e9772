"""From the settings of the targets to their channels, by the names by which readers and messages know them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from watcher.config.sections.targets import TargetSettings
from watcher.core.targets import TARGET
from watcher.notify.apprise_target import AppriseChannel, AppriseTarget
from watcher.notify.channel import Channel
from watcher.notify.webhook import Endpoint, WebhookChannel, key_of


def target_channels(targets: Sequence[TargetSettings], *, now: Callable[[], datetime]) -> dict[str, Channel]:
    """Return the channel of each target.

    Args:
        targets: valid, with a URL, and webhooks with a secret.
        now: the clock, for what is signed.
    """
    return {TARGET + one.name: _channel(one, now) for one in targets}


def _channel(target: TargetSettings, now: Callable[[], datetime]) -> Channel:
    url = target.url.get_secret_value() if target.url else ""
    if target.kind == "apprise":
        private = target.allow_private
        return AppriseChannel(AppriseTarget(name=target.name, url=url, allow_private=private, timeout=target.timeout))
    endpoint = Endpoint(
        name=target.name,
        url=url,
        allow_private=target.allow_private,
        ca_bundle=target.ca_bundle,
        connect_timeout=target.connect_timeout,
        timeout=target.timeout,
    )
    return WebhookChannel(endpoint, key_of(target.secret.get_secret_value() if target.secret else ""), now=now)
