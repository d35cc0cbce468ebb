"""The documents as pages for a browser that has no network."""

from __future__ import annotations

import html
import re
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any

from hpsearch.errors import HpsearchError, nearest
from hpsearch.records.whole_files import write_below
from hpsearch.shipped.folder import shipped

START = "docs/index.html"
SHOWN_AS_TEXT = (".toml", ".py", ".sh", ".csv")  # a browser would save them
STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.55 system-ui, sans-serif; max-width: 56rem; margin: 0 auto; padding: 1rem; }
pre { overflow-x: auto; padding: .8rem; background: #8882; border-radius: 4px; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid #8886; padding: .3rem .6rem; text-align: left; vertical-align: top; }
img { max-width: 100%; background: #fff; }
nav { border-bottom: 1px solid #8886; padding-bottom: .5rem; }
"""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - hpsearch</title>
<style>{style}</style>
</head>
<body>
<nav><a href="{start}">All pages</a></nav>
<main>
{content}</main>
</body>
</html>
"""


def topics() -> dict[str, str]:
    """The title of each page by the name that a person asks for, e.g. reference/commands."""
    folder = shipped() / "docs"
    paths = sorted(folder.rglob("*.md"))
    named = {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}
    return {name: _title(path.read_text()) for name, path in named.items() if name != "README"}


def usual_folder() -> Path:
    """Where the pages are written to: the user's cache."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("hpsearch")) / "docs"


def write_pages(folder: Path) -> None:
    """Write all pages, their figures and the files that they link to, as the repository has them.

    Raises:
        StorageError: the folder can't be written to.
    """
    source = shipped()
    documents = [*source.glob("*.md"), *(source / "docs").rglob("*.md")]
    for path in documents:
        name = path.relative_to(source).as_posix()
        _write(folder / _target(name), _page(path.read_text(), name).encode())
    for path in (source / "studies").rglob("*"):
        if path.suffix in (*SHOWN_AS_TEXT, ".png"):
            _write(folder / _target(path.relative_to(source).as_posix()), path.read_bytes())


def page_of(topic: str | None) -> str:
    """The page of a topic, below the folder of `write_pages`; None: the list of pages.

    Raises:
        HpsearchError: there is no such page.
    """
    if topic is None:
        return START
    names = topics()
    asked = topic.removesuffix(".md").removeprefix("docs/").lower()
    by_last = {name.rpartition("/")[2]: name for name in reversed(list(names))}
    name = asked if asked in names else by_last.get(asked)
    if name is None:
        raise HpsearchError(
            "TOPIC must be one of those that python -m hpsearch docs --topics lists, "
            f"got {topic!r}{nearest(asked, names)}"
        )
    return _target(f"docs/{name}.md")


def _write(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        write_below(path, content)


def _target(name: str) -> str:
    """The file that a file of the repository becomes."""
    if name == "docs/README.md":
        return START
    if name.endswith(".md"):
        return f"{name.removesuffix('.md')}.html"
    return f"{name}.txt" if name.endswith(SHOWN_AS_TEXT) else name


def _title(text: str) -> str:
    heading = re.search(r"^# (.+)$", text, re.MULTILINE)
    return heading[1] if heading else ""


def _page(text: str, name: str) -> str:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark").enable("table")
    tokens = reader.parse(text)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and following is not None:
            token.attrSet("id", anchor(following.content))
        for part in token.children or ():
            _move_link(part, name)
    start = "../" * name.count("/") + START
    content = reader.renderer.render(tokens, reader.options, {})
    return PAGE.format(title=html.escape(_title(text)), style=STYLE, start=start, content=content)


def anchor(heading: str) -> str:
    """The name of a heading in a link, as the web page of the repository has it."""
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip())


def _move_link(part: Any, page: str) -> None:
    """Let a link inside the repository lead to the file that the linked one becomes."""
    key = {"link_open": "href", "image": "src"}.get(part.type, "")
    link = str(part.attrGet(key) or "") if key else ""
    path, sharp, heading = link.partition("#")
    if not path or ":" in path:
        return
    linked = _target(normpath((PurePosixPath(page).parent / path).as_posix()))
    part.attrSet(key, "../" * page.count("/") + linked + sharp + heading)
