"""What mkdocs does not do by itself: pages link to files of the repository outside docs/.

Such a link works on the web page of the repository and in a checkout. In the built pages the file
is copied to repository/, and the link leads there.
"""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import normpath, relpath
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).parents[2]
LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")


def on_files(files: Files, *, config: Any) -> Files:
    """Add the files outside docs/ that pages link to."""
    outside = {
        path
        for page in files.documentation_pages()
        for _, link, _ in LINK.findall(page.content_string)
        if (path := _outside(page.src_uri, link))
    }
    for path in sorted(outside):
        if (REPOSITORY / path).is_file():
            content = (REPOSITORY / path).read_bytes()
            name = f"repository/{path.removesuffix('.md')}{'.txt' if path.endswith('.md') else ''}"
            files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: Any, files: Files) -> str:
    """Let links to files outside docs/ lead to their copies."""
    here = page.file.src_uri

    def moved(match: re.Match[str]) -> str:
        path = _outside(here, match[2])
        if not path:
            return match[0]
        name = f"repository/{path.removesuffix('.md')}{'.txt' if path.endswith('.md') else ''}"
        end = ")" if path.endswith(".md") else match[3]
        return match[1] + relpath(name, str(Path(here).parent)) + end

    return LINK.sub(moved, markdown)


def _outside(page: str, link: str) -> str:
    """The path in the repository of a link that leaves docs/, else ""."""
    path = normpath(str(Path("docs", page).parent / link))
    return "" if path.startswith(("docs/", "..", "/")) else path
