"""The web process: what links in mails lead to."""

from pydantic import Field

from watcher.config.places import BaseUrl, LoopbackPlace
from watcher.config.sections.base import Section


class WebSettings(Section):
    listen: LoopbackPlace = Field(
        "127.0.0.1:8710", description="Where the pages answer that mails link to: this machine only, behind a proxy."
    )
    public_url: BaseUrl | None = Field(
        None,
        description="Their address as readers see it; without one, mails have no links and nothing listens.",
        examples=['public_url = "https://trialwatch.example.org"'],
    )
