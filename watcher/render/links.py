"""The addresses that links in mails lead to.  Built from the settings alone, never from what a request says."""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Writes links to the pages of ``web``."""

    public_url: str  # without a slash at its end

    @property
    def base_path(self) -> str:
        """Where the pages begin on their host, without a slash at the end: a proxy may put them into a folder."""
        return urlsplit(self.public_url).path.rstrip("/")

    def unsubscribe(self, token: str) -> str:
        return f"{self.public_url}/u/{token}"

    def acknowledge(self, token: str) -> str:
        return f"{self.public_url}/a/{token}"

    def feed(self, token: str) -> str:
        return f"{self.public_url}/feeds/{token}.atom"
