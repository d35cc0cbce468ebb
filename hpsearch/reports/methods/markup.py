"""A text about a study in the forms that it is asked for: Markdown, LaTeX, plain text, HTML."""

from __future__ import annotations

import html
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from hpsearch.reports.methods.passage import Cells, Cite, Fact, Name, Parts, Passage
from hpsearch.reports.methods.references import REFERENCES, Reference

# What LaTeX takes for more than a letter.
LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",
    "]": "{]}",
    '"': r"\textquotedbl{}",
    "“": "``",
    "”": "''",
    "…": r"\dots{}",
    "±": r"$\pm$",
    "–": "--",
    "’": "'",
    "−": "$-$",
    "×": r"$\times$",
}
MINUS = re.compile(r"(?<![\w.-])-(?=\d)")  # before a number
POWER = re.compile(r"(?<![\w.])(\d(?:\.\d+)?)e([+-])0*(\d+)(?!\w)")  # 6.295e-05
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
LOWERED = {raised: digit for digit, raised in RAISED.items()}
EXPONENT = re.compile(f"[{''.join(map(chr, LOWERED))}]+")
BREAK = r"\allowbreak{}"
INSIDE_NAME = re.compile(r"(?<=\w)\.(?=[A-Za-z])")  # a dot of module.Class
HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")  # between the words of a class's name
PIECES = re.compile(r"\s+|(?<=[._])|(?<=[a-z])(?=[A-Z])")  # where lines may break
# Letters of a size beside each other on a page of an article, with gaps; the smaller size is for
# tables whose longest words need it.
LINE, SMALL_LINE = 78, 86
SIZES = {LINE: r"\footnotesize", SMALL_LINE: r"\scriptsize"}
COLUMN = 50  # the same in the narrowest column of an article in two columns
GAP = 2  # letters between columns
MARKDOWN = frozenset("\\`*_{}[]<>#|~^$")


class Form(ABC):
    """How the parts of a text are written. Abstract, or final."""

    @abstractmethod
    def words(self, text: str) -> str:
        """Words, or the text of a fact."""

    @abstractmethod
    def name(self, text: str) -> str:
        """A name, as code."""

    @abstractmethod
    def cite(self, keys: Sequence[str]) -> str:
        """A citation, with the space before it."""

    @abstractmethod
    def passage(self, passage: Passage) -> str:
        """A paragraph with its title."""

    @abstractmethod
    def table(self, table: Cells) -> str:
        """A table with its caption."""

    @abstractmethod
    def references(self, found: Sequence[Reference]) -> str:
        """The list of what is cited."""

    def fact(self, fact: Fact) -> str:
        """A fact."""
        return self.words(typeset(fact.text))

    def parts(self, parts: Parts) -> str:
        """A sentence, or a cell."""
        written = []
        for part in parts:
            if isinstance(part, Cite):
                written.append(self.cite(part.keys))
            elif isinstance(part, Name):
                written.append(self.name(part.text))
            else:
                written.append(self.fact(part) if isinstance(part, Fact) else self.words(part))
        return "".join(written)

    def sentences(self, passage: Passage) -> str:
        """All sentences of a paragraph."""
        return " ".join(f"{self.parts(sentence).rstrip('.')}." for sentence in passage.sentences)

    def rows(self, table: Cells) -> list[list[str]]:
        """The head of a table and its rows, written."""
        return [[self.parts(cell) for cell in row] for row in (table.head, *table.rows)]


def typeset(text: str) -> str:
    """A text of a record with a minus sign before negative numbers, and powers of ten written as
    such: "−0.5", "6.295 × 10⁻⁵"."""
    text = POWER.sub(lambda m: f"{m[1]} × 10{_exponent(m[2], m[3])}", text)
    return MINUS.sub("−", text)


def _exponent(sign: str, digits: str) -> str:
    return f"{sign.replace('+', '')}{digits}".translate(RAISED)


class PlainText(Form):
    """Paragraphs, columns and a list of references, for a word processor."""

    def words(self, text: str) -> str:
        return text

    def name(self, text: str) -> str:
        return text

    def cite(self, keys: Sequence[str]) -> str:
        return f" ({'; '.join(REFERENCES[key].label for key in keys)})"

    def passage(self, passage: Passage) -> str:
        return f"{passage.title}. {self.sentences(passage)}"

    def table(self, table: Cells) -> str:
        rows = self.rows(table)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows)
        return "\n".join([f"{self.parts(table.caption)}.", *(line.rstrip() for line in lines)])

    def references(self, found: Sequence[Reference]) -> str:
        return "\n".join(["References", *(reference.line for reference in found)])


class Markdown(Form):
    """Markdown with the citations of Pandoc, and the entries in BibTeX."""

    def words(self, text: str) -> str:
        return "".join(f"\\{c}" if c in MARKDOWN else c for c in text)

    def name(self, text: str) -> str:
        fence = "``" if "`" in text else "`"
        return f"{fence}{text}{fence}".replace("|", "\\|")

    def cite(self, keys: Sequence[str]) -> str:
        return f" [{'; '.join(f'@{key}' for key in keys)}]"

    def passage(self, passage: Passage) -> str:
        return f"**{passage.title}.** {self.sentences(passage)}"

    def table(self, table: Cells) -> str:
        head, *rows = self.rows(table)
        lines = [head, ["---"] * len(head), *rows]
        body = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        return f"{self.parts(table.caption)}.\n\n{body}"

    def references(self, found: Sequence[Reference]) -> str:
        return "```bibtex\n" + "\n".join(one.bibtex() for one in found) + "\n```"


class Latex(Form):
    """LaTeX for a paper that uses array and booktabs; the entries of what is cited go to a .bib
    file. Names may break at their dots and underscores. Tables fit a column of a paper in two
    columns, or else span both; in a paper in one column `table*` is the same as `table`."""

    def words(self, text: str) -> str:
        written = "".join(LATEX.get(character, character) for character in text)
        written = written.replace(r"\_", rf"\_{BREAK}")
        written = EXPONENT.sub(lambda m: f"$^{{{m[0].translate(LOWERED)}}}$", written)
        return INSIDE_NAME.sub(lambda _: f".{BREAK}", written)

    def name(self, text: str) -> str:
        return rf"\texttt{{{HUMP.sub(lambda _: BREAK, self.words(text))}}}"

    def cite(self, keys: Sequence[str]) -> str:
        return rf"~\cite{{{','.join(keys)}}}"

    def passage(self, passage: Passage) -> str:
        return rf"\paragraph{{{passage.title}.}} {self.sentences(passage)}"

    def table(self, table: Cells) -> str:
        head, *rows = (" & ".join(row) + r" \\" for row in self.rows(table))
        plain = PlainText().rows(table)
        place = "table" if _width(plain) <= COLUMN else "table*"
        line = LINE if _least_width(plain) <= LINE else SMALL_LINE
        return "\n".join(
            [
                rf"\begin{{{place}}}",
                rf"  \centering{SIZES[line]}\setlength{{\tabcolsep}}{{3pt}}",
                rf"  \caption{{{self.parts(table.caption)}.}}",
                rf"  \label{{tab:{table.name}}}",
                rf"  \begin{{tabular}}{{{_columns(plain, line)}}}",
                r"    \toprule",
                f"    {head}",
                r"    \midrule",
                *(f"    {row}" for row in rows),
                r"    \bottomrule",
                r"  \end{tabular}",
                rf"\end{{{place}}}",
            ]
        )

    def references(self, found: Sequence[Reference]) -> str:
        return "% The entries of what is cited: the same command with --bibtex."


class Html(Form):
    """HTML, where a pointer on a number shows its place in the records."""

    def words(self, text: str) -> str:
        return html.escape(text)

    def name(self, text: str) -> str:
        return f"<code>{html.escape(text)}</code>"

    def cite(self, keys: Sequence[str]) -> str:
        return html.escape(f" ({'; '.join(REFERENCES[key].label for key in keys)})")

    def fact(self, fact: Fact) -> str:
        text = html.escape(typeset(fact.text))
        return f'<span title="{html.escape(fact.place)}">{text}</span>'

    def passage(self, passage: Passage) -> str:
        return f"<p><b>{html.escape(passage.title)}.</b> {self.sentences(passage)}</p>"

    def table(self, table: Cells) -> str:
        head, *rows = self.rows(table)
        top = "".join(f"<th>{cell}</th>" for cell in head)
        body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>\n" for row in rows)
        return (
            f"<p>{self.parts(table.caption)}.</p>\n"
            f"<table><thead><tr>{top}</tr></thead>\n<tbody>{body}</tbody></table>"
        )

    def references(self, found: Sequence[Reference]) -> str:
        entries = html.escape("\n".join(one.bibtex() for one in found))
        return f"<details><summary>BibTeX</summary><pre>{entries}</pre></details>"


FORMS: dict[str, Form] = {"markdown": Markdown(), "latex": Latex(), "text": PlainText()}


def written(
    form: Form, passages: Iterable[Passage], tables: Iterable[Cells], found: Sequence[Reference]
) -> str:
    """A whole text: paragraphs, tables, what is cited."""
    parts = [*map(form.passage, passages), *map(form.table, tables)]
    return "\n\n".join([*parts, *([form.references(found)] if found else [])]) + "\n"


def _width(rows: Sequence[Sequence[str]]) -> int:
    """Letters of a table whose cells have one line each."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return sum(widths) + GAP * (len(widths) - 1)


def _least_width(rows: Sequence[Sequence[str]]) -> int:
    """Letters of a table whose columns are as wide as their longest words."""
    return sum(map(_longest_word, zip(*rows, strict=True))) + GAP * (len(rows[0]) - 1)


def _longest_word(column: Sequence[str]) -> int:
    return max(map(len, PIECES.split(" ".join(column))))


def _columns(rows: Sequence[Sequence[str]], line: int) -> str:
    """The columns of a LaTeX table: those too wide for a line are paragraphs, which share what the
    others leave of it by the roots of their widths, so that none has much more lines, but are no
    narrower than their longest word."""
    columns = [*zip(*rows, strict=True)]
    widths = [max(map(len, column)) for column in columns]
    words = [*map(_longest_word, columns)]
    room = line - GAP * (len(widths) - 1)
    if _width(rows) <= line:
        return "l" * len(widths)
    shares: dict[int, float] = {}
    while len(shares) < len(widths):
        left = room - sum(shares.values())
        roots = {n: math.sqrt(w) for n, w in enumerate(widths) if n not in shares}
        fair = {n: left * root / sum(roots.values()) for n, root in roots.items()}
        bound = {n: min(max(share, words[n]), widths[n]) for n, share in fair.items()}
        shares |= {n: share for n, share in bound.items() if share != fair[n]} or fair
    return "".join(
        "l"
        if shares[n] == width
        else rf">{{\raggedright\arraybackslash}}p{{{shares[n] / line:.3f}\linewidth}}"
        for n, width in enumerate(widths)
    )
