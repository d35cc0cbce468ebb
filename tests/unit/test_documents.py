"""What the documents say of the repository is true of it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = [
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md"),
    *(str(path.relative_to(REPOSITORY)) for path in sorted((REPOSITORY / "docs").rglob("*.md"))),
]
LINK = re.compile(r"\]\(([^)\s:#]*)(?:#([^)\s]*))?\)")
OF_OTHERS = {("docs/dev/style.md", "tests/test_docs.py")}  # of another repository
FOLDERS = "hpsearch|studies|scripts|benchmarks|soak|tests|docs"
LAYERS: list[list[str]] = [
    layer.split(" | ")
    for layer in tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"][
        "importlinter"
    ]["contracts"][0]["layers"]
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_a_document_names_are_there(document: str) -> None:
    text = (REPOSITORY / document).read_text()
    named = set(re.findall(rf"(?<![\w/.-])(?:{FOLDERS})/[\w/.-]*[\w/](?![<*\w])", text))
    missing = sorted(path for path in named if not (REPOSITORY / path).exists())
    missing = [path for path in missing if (document, path) not in OF_OTHERS]
    assert not missing, f"{document} names {missing}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_files_and_headings_that_are_there(document: str) -> None:
    path = REPOSITORY / document
    for target, anchor in LINK.findall(_without_code(path.read_text())):
        linked = (path.parent / target).resolve() if target else path
        assert linked.exists(), f"{document} links to {target}"
        if anchor:
            assert anchor in _anchors(linked), f"{document} links to {target}#{anchor}"


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def _anchors(page: Path) -> set[str]:
    """Of its headings, as both the site and the web page of the repository name them."""
    headings = re.findall(r"^#+ (.+)$", _without_code(page.read_text()), re.MULTILINE)
    texts = (re.sub(r"[^\w\s-]", "", heading.lower()).strip() for heading in headings)
    return {re.sub(r"\s", "-", text) for text in texts}


def test_the_readme_is_short() -> None:
    lines = (REPOSITORY / "README.md").read_text().splitlines()
    assert len(lines) <= 150
    assert max(map(len, lines)) <= 140


def test_every_page_is_in_the_index_and_in_the_site() -> None:
    index = (REPOSITORY / "docs/README.md").read_text()
    site = (REPOSITORY / "docs/site/mkdocs.yml").read_text()
    for path in (REPOSITORY / "docs").rglob("*.md"):
        name = path.relative_to(REPOSITORY / "docs").as_posix()
        assert f": {name}\n" in site, name
        assert name == "README.md" or f"]({name})" in index, name


def test_the_rooms_of_contributing_are_those_of_the_contract() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    table = text.partition("| room of `hpsearch/` |")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    rooms = [
        name.removesuffix("/").removesuffix(".py")
        for cell in cells
        for name in re.findall(r"`([^`]+)`", cell)
    ]
    assert sorted(rooms) == sorted(name for layer in LAYERS for name in layer)


def test_the_layers_of_the_design_are_those_of_the_contract() -> None:
    text = (REPOSITORY / "docs/dev/design.md").read_text()
    block = text.partition("on one line do not import each other.\n\n")[2].partition("\n\n")[0]
    shown = [re.split(r"  +", line.strip())[0].split(" | ") for line in block.splitlines()]
    assert shown == LAYERS
