"""Texts that want to be more than text: to a mail, a browser, a spreadsheet, a feed reader, a template, a terminal.

And records in which one of them stands in one field, or in all.
"""

from collections.abc import Iterator, Mapping

import orjson

from tests.unit.full_records import STAMP, full_record, leaf_paths
from watcher.model import Json

CANARY = "http://127.0.0.1:9/canary"  # nobody may ask for it
HOSTILE: Mapping[str, str] = {
    "a header": "x\r\nBcc: evil@example.net\r\n\r\nbody",
    "an encoded header": "=?UTF-8?Q?=0ABcc:_evil@example.net?= =?utf-8?b?DQpCY2M6IHg=?=",
    "a script": "<script>parent.ran('script')</script><ScRiPt src=//127.0.0.1:9/canary></sCrIpT>",
    "an element": f"<img src={CANARY} onerror=\"parent.ran('img')\"><svg/onload=parent.ran('svg')>",
    "the end of an attribute": "\"' onmouseover=parent.ran('on') style=background:url(//127.0.0.1:9/canary) x=\"",
    "the end of a cell": '"></a></td></tr></table><evil-element onclick=parent.ran()>',
    "the end of a comment": f"--><!--[if mso]><p>evil</p><![endif]--><iframe src={CANARY}></iframe>",
    "the end of a style": f"</style><style>@import '{CANARY}'; body {{ display: none }}</style>",
    "the end of a title": "</title></head><body onload=parent.ran('body')><base href=//127.0.0.1:9/>",
    "CDATA": "]]><evil/><![CDATA[ &lt;b&gt; &#60;b&#62; &amp;lt;script&amp;gt; %3Cscript%3E",
    "an entity": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>&x;',
    "a link": "javascript:parent.ran('link') [a](javascript:parent.ran()) data:text/html,<script>parent.ran()</script>",
    "a template": "{{ 7 * 7 }}{% for x in y %}{{ ''.__class__.__mro__ }}{% endfor %}{# x #}${7*7}<%= 7*7 %>",
    "a formula": "=cmd|' /C calc'!A0",
    "a formula with a plus": '+1+1+HYPERLINK("http://127.0.0.1:9/canary")',
    "a formula with a minus": "-2+3+cmd|' /C calc'!A0",
    "a formula with an at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "a formula after a tab": "\t=1+1",
    "a formula after a line end": "\r=1+1",
    "a formula after what is not seen": "\u200b\ufeff\x00=1+1",
    "a formula in wide letters": "\uff1d1+1\uff0bcmd",
    "end of a CSV cell": '","=1+1","\r\n=1+1,"',
    "a terminal's commands": "\x1b[31mred\x1b]0;title\x07\x9b2J\x00\x08\x7f\x9d0;t\x9c",
    "a terminal's link": "\x1b]8;;http://127.0.0.1:9/canary\x1b\\text\x1b]8;;\x1b\\ \x1bPq\x1b\\",
    "markup": "[link=file:///etc/passwd]x[/link][bold red]y[/] [/] [@click=app.quit]z[/]",
    "directions": "\u202egpj.exe\u202c \u2066turned\u2069 \u200f\u200e\u061c\u200b\ufeff\u00ad",
    "line ends": "one\u2028two\u2029three\x85four\x0bfive\x0csix\x1cseven\x1d\x1e\x1f",
    "a dot alone": "\r\n.\r\nMAIL FROM:<evil@example.net>\r\n.\n",
    "no characters": "\ufffe\uffff\U000e0001\U000e0041\ufff9\ufffa\U0001fffe\ud7ff\ue000",
    "calendar lines": "x\r\nEND:VEVENT\r\nBEGIN:VALARM\r\nATTACH:http://127.0.0.1:9/canary\\n;,:",
    "a word without an end": "W" * 3_000,
    "very long": "evil " * 4_000,
    "marks upon marks": "e" + "\u0301\u0489\u20dd" * 300,
}
_KEPT = frozenset({STAMP, "protocolSection.identificationModule.nctId"})


def hostile_paths() -> list[str]:
    """Return every leaf of a record into which a text can be put."""
    return [path for path in leaf_paths() if path not in _KEPT]


def before(nct_id: str) -> Json:
    """Return a whole record with every field."""
    record = full_record()
    record["protocolSection"]["identificationModule"]["nctId"] = nct_id
    return record


def with_text(nct_id: str, path: str, text: str) -> Json:
    """Return the record with a text in one leaf, in the first item of each list on the way."""
    record = before(nct_id)
    _put(record, path.split("."), text, everywhere=False)
    return record


def with_text_everywhere(nct_id: str, text: str) -> Json:
    """Return the record with a text in every leaf and every item; and in keys that the registry does not have."""
    record = before(nct_id)
    for path in hostile_paths():
        _put(record, path.split("."), text, everywhere=True)
    record["protocolSection"][text[:200]] = {text[:200]: [text]}
    return record


def with_moved_date(record: Json, day: str) -> Json:
    """Return the record with another completion date, for the calendar."""
    moved = orjson.loads(orjson.dumps(record))
    moved["protocolSection"]["statusModule"]["completionDateStruct"] = {"date": day, "type": "ESTIMATED"}
    return moved


def _put(holder: Json, keys: list[str], text: str, *, everywhere: bool) -> None:
    key, below = keys[0].removesuffix("[]"), keys[1:]
    if not below:
        holder[key] = [text, f"{text} again"] if keys[0].endswith("[]") else text
        return
    items = holder[key] if keys[0].endswith("[]") else [holder[key]]
    for number, item in enumerate(items if everywhere else items[:1]):
        _put(item, below, f"{text} {number}" if everywhere and number else text, everywhere=everywhere)


def batches(paths: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(paths), size):
        yield paths[start : start + size]
