"""Thirty texts that become markup or script if they are not escaped, and how to see it."""

from html.parser import HTMLParser

__all__ = ["MARK", "PAYLOADS", "live"]

MARK = "xss7"
# Short ones, so that they fit into columns of 48 and 64 characters.
PAYLOADS = (
    f"<script>{MARK}()</script>",
    f"<img src=x onerror={MARK}()>",
    f'"><svg onload={MARK}()>',
    f"'><svg onload={MARK}()>",
    f'" onmouseover="{MARK}()" x="',
    f"' onfocus='{MARK}()' autofocus x='",
    f"</script><script>{MARK}()</script>",
    f"</title><script>{MARK}()</script>",
    f"</textarea><script>{MARK}()</script>",
    f"</style><script>{MARK}()</script>",
    f"--><img src=x onerror={MARK}()>",
    f"<iframe srcdoc='<script>{MARK}()</script>'>",
    f"<iframe src=javascript:{MARK}()>",
    f"<a href=javascript:{MARK}()>x</a>",
    f"<a href=' javascript:{MARK}()'>x</a>",
    f"javascript:{MARK}()",
    f"<body onload={MARK}()>",
    f"<details open ontoggle={MARK}()>",
    f"<math><a xlink:href=javascript:{MARK}()>",
    f"<svg><script>{MARK}()</script></svg>",
    f"<input autofocus onfocus={MARK}()>",
    f"<object data=javascript:{MARK}()>",
    f"<form action=javascript:{MARK}()><button>",
    f"<base href=//{MARK}.example/>",
    f"<meta http-equiv=refresh content=0;url=//{MARK}>",
    f"<div x-init={MARK}()>",
    f"<div @click={MARK}() x-data>",
    f"<div hx-on:load={MARK}() hx-get=/{MARK}>",
    f"{{{{ 31337*3 }}}}{{% {MARK} %}}${{{MARK}}}",
    f"<ScRiPt/{MARK}>\u2028{MARK}()\u202e<!--",
)
# Attributes whose value is text and nothing else.
INERT = frozenset(
    (
        *("value", "title", "alt", "placeholder", "content", "id", "name", "for"),
        *("aria-label", "aria-describedby", "data-name", "data-label", "data-placeholder"),
    )
)
ADDRESSES = frozenset(("href", "action", "hx-get"))


class _Finder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._raw = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._raw = tag if tag in ("script", "style") else ""
        for name, value in attrs:
            where = f"<{tag} {name}={value!r}>"[:160]
            if MARK in tag or MARK in name:
                self.found.append(where)
            elif MARK in (value or "") and name not in INERT:
                # A path of this site may have the text in its query.
                path = value or ""
                is_ours = path.startswith(("/", "?")) and not path.startswith("//")
                if not (name in ADDRESSES and is_ours):
                    self.found.append(where)

    def handle_endtag(self, tag: str) -> None:
        self._raw = ""

    def handle_data(self, data: str) -> None:
        if MARK in data and self._raw:
            self.found.append(f"<{self._raw}>{data[:100]}")
        if "94011" in data:
            self.found.append(f"evaluated: {data[:100]}")

    def handle_comment(self, data: str) -> None:
        if MARK in data:
            self.found.append(f"<!--{data[:100]}")


def live(page: str) -> list[str]:
    """The tags, attributes and scripts of this page that a hostile text became or got into."""
    finder = _Finder()
    finder.feed(page)
    finder.close()
    return finder.found
