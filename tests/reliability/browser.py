"""Open mails in Chromium, as frames of one page, and ask what became of them: elements, scripts that ran, fetches."""

import html
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 180  # seconds
_COLLECT = """
<script>
window.heard = [];
window.ran = what => { window.heard.push(String(what)); };
window.addEventListener('load', () => {
  const pairs = new Set(); let elements = 0; const fetched = []; let frames = 0;
  for (const frame of document.querySelectorAll('iframe')) {
    frames++;
    const inner = frame.contentDocument;
    for (const element of inner.querySelectorAll('*')) {
      elements++;
      pairs.add(element.localName + ' ');
      for (const attribute of element.attributes) { pairs.add(element.localName + ' ' + attribute.name); }
    }
    for (const entry of frame.contentWindow.performance.getEntriesByType('resource')) { fetched.push(entry.name); }
  }
  const told = {frames, elements, pairs: [...pairs], heard: window.heard, fetched};
  document.body.replaceChildren();
  const out = document.createElement('pre');
  out.id = 'told';
  out.textContent = JSON.stringify(told);
  document.body.append(out);
});
</script>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the browser made of some documents."""

    frames: int
    elements: int
    pairs: frozenset[tuple[str, str]]  # elements with their attributes
    heard: tuple[str, ...]  # scripts that ran
    fetched: tuple[str, ...]  # addresses

    def wrong(self, allowed: frozenset[tuple[str, str]]) -> list[str]:
        odd = [f"element or attribute {pair}" for pair in sorted(self.pairs - allowed)]
        return [*odd, *(f"ran {one}" for one in self.heard), *(f"fetched {one}" for one in self.fetched)]


def find_browser() -> Path | None:
    """Return Chromium, if it is installed."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return Path(found) if found else None


def look_into(browser: Path, documents: Sequence[str]) -> Look:
    """Open documents, each in a frame that may do whatever a page may."""
    frames = "".join(f'<iframe srcdoc="{html.escape(document)}"></iframe>\n' for document in documents)
    with tempfile.TemporaryDirectory(prefix="trialwatch-browser-") as folder:
        page = Path(folder) / "page.html"
        page.write_text(f'<!doctype html><meta charset="utf-8"><body>{_COLLECT}{frames}', encoding="utf-8")
        command: list[str | Path] = [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={folder}/profile",
        ]
        command += ["--disable-background-networking", "--dump-dom", page.as_uri()]
        printed = subprocess.run(command, capture_output=True, check=True, timeout=_PATIENCE).stdout.decode()
    found = re.search(r'<pre id="told">(.*?)</pre>', printed, re.DOTALL)
    assert found, printed[-500:]
    told = json.loads(html.unescape(found[1]))
    return Look(
        frames=told["frames"],
        elements=told["elements"],
        pairs=frozenset(
            (element, attribute) for element, _, attribute in (pair.partition(" ") for pair in told["pairs"])
        ),
        heard=tuple(told["heard"]),
        fetched=tuple(told["fetched"]),
    )
