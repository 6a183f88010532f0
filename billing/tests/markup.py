"""These functions tell whether a page's elements are closed in the order in which they were opened, and where it
leads."""

from html.parser import HTMLParser

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


class Page(HTMLParser):
    """`problems` is empty for a page that is whole; `links` are the addresses of its links and frames."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.links: list[str] = []
        self._open: list[tuple[str, int]] = []
        self.feed(html)
        self.close()
        self.problems += [f"<{tag}> of line {line} is not closed" for tag, line in self._open]

    def handle_starttag(self, tag, attrs):
        self._lead(tag, dict(attrs))
        if tag not in VOID:
            self._open.append((tag, self.getpos()[0]))

    def handle_startendtag(self, tag, attrs):
        self._lead(tag, dict(attrs))

    def handle_endtag(self, tag):
        line = self.getpos()[0]
        if tag not in [name for name, _ in self._open]:
            self.problems.append(f"</{tag}> of line {line} closes nothing")
            return
        while (last := self._open.pop())[0] != tag:
            self.problems.append(f"<{last[0]}> of line {last[1]} is not closed before </{tag}> of line {line}")

    def _lead(self, tag, given):
        if tag in {"a", "iframe"}:
            self.links.append(given.get("href") or given.get("src") or "")
