"""The same text as Markdown, LaTeX, plain text and HTML."""

from __future__ import annotations

import re

import pytest

from hpsearch.reports.methods.markup import FORMS, Html, written
from hpsearch.reports.methods.passage import Cells, Cite, Fact, Name, Parts, Passage, listed, say
from hpsearch.reports.methods.references import in_order

PLACE = "study.json#/file/seed"
KEYS = ("kingma2015adam", "zeiler2012adadelta")
SENTENCE = say(
    "By {who}{source} {share} of {name} & co. was {what}",
    who="Adam",
    source=Cite(KEYS),
    share=Fact("95 %", PLACE),
    name=Name("learning_rate|2"),
    what=Fact("a_b^c #1 {x} <y> ~z $w \\v [u] 50%", PLACE),
)
TABLE = Cells("result", ("Of ", Name("a_b")), (("case",), (Name("f_1"),)), ((("x",), ()),))


def test_a_number_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match="must have its place in the records, got '3 trials'"):
        say("3 trials")
    with pytest.raises(ValueError, match="got 'two or 3'"):
        say("{n} trials", n="two or 3")
    with pytest.raises(ValueError, match="got 'x2'"):
        listed(["x2"])


def test_a_list_has_commas_and_one_word_before_its_last_item() -> None:
    assert listed(["a"]) == ("a",)
    assert "".join(map(str, listed(["a", "b", "c"]))) == "a, b and c"
    assert "".join(map(str, listed(["a", "b"], "or"))) == "a or b"


def test_latex_escapes_what_it_would_take_for_more_than_letters() -> None:
    assert FORMS["latex"].parts(SENTENCE) == (
        r"By Adam~\cite{kingma2015adam,zeiler2012adadelta} 95 \% of "
        r"\texttt{learning\_\allowbreak{}rate\textbar{}2} \& co. was "
        r"a\_\allowbreak{}b\textasciicircum{}c \#1 \{x\} "
        r"\textless{}y\textgreater{} \textasciitilde{}z \$w \textbackslash{}v {[}u{]} 50\%"
    )


def test_latex_has_a_table_of_booktabs() -> None:
    assert FORMS["latex"].table(TABLE) == "\n".join(
        [
            r"\begin{table}",
            r"  \centering\footnotesize\setlength{\tabcolsep}{3pt}",
            r"  \caption{Of \texttt{a\_\allowbreak{}b}.}",
            r"  \label{tab:result}",
            r"  \begin{tabular}{ll}",
            r"    \toprule",
            r"    case & \texttt{f\_\allowbreak{}1} \\",
            r"    \midrule",
            r"    x &  \\",
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
        ]
    )


def test_latex_tables_are_as_wide_as_the_text() -> None:
    row: tuple[Parts, ...] = (
        ("trainer",),
        ("one of these " * 12,),
        ("HistGradientBoostingClassifier",),
    )
    head: tuple[Parts, ...] = (("name",), ("what is searched",), ("chosen",))
    wide = Cells("wide", ("Wide",), head, (row,))
    written = FORMS["latex"].table(wide)
    paragraph = r">\{\\raggedright\\arraybackslash\}p\{(0\.\d+)\\linewidth\}"
    found = re.search(rf"begin\{{tabular\}}\{{l{paragraph}{paragraph}\}}", written)
    assert found is not None, written
    shares = [float(share) for share in found.groups()]
    assert 0.6 < sum(shares) < 0.95
    assert shares[0] > shares[1] > 15 / 78  # as wide as its longest word
    assert written.startswith("\\begin{table*}\n")  # both columns of a paper that has two
    assert written.endswith("\\end{table*}")


def test_names_break_between_their_words() -> None:
    name = FORMS["latex"].name("sklearn.HistGradientBoosting")
    assert name.replace(r"\allowbreak{}", "|") == r"\texttt{sklearn.|Hist|Gradient|Boosting}"
    assert FORMS["latex"].words("0.25 of 1. Then") == "0.25 of 1. Then"


def test_negative_numbers_have_a_minus_sign_and_powers_of_ten_are_written_as_such() -> None:
    fact = Fact("-0.5 (-1e-07 … 6.295e-05), x=-2, k-fold, 2026-11-29, x86-64, 5809ad0e-10d", PLACE)
    shown = "−0.5 (−1 × 10⁻⁷ … 6.295 × 10⁻⁵), x=−2, k-fold, 2026-11-29, x86-64, 5809ad0e-10d"
    assert FORMS["text"].parts((fact,)) == FORMS["markdown"].parts((fact,)) == shown
    assert f">{shown}</span>" in Html().parts((fact,))
    latex = FORMS["latex"].parts((fact,))
    assert latex.startswith(
        r"$-$0.5 ($-$1 $\times$ 10$^{-7}$ \dots{} 6.295 $\times$ 10$^{-5}$), x=$-$2"
    )


def test_markdown_cites_as_pandoc_does() -> None:
    assert FORMS["markdown"].parts(SENTENCE) == (
        r"By Adam [@kingma2015adam; @zeiler2012adadelta] 95 % of `learning_rate\|2` & co. was "
        r"a\_b\^c \#1 \{x\} \<y\> \~z \$w \\v \[u\] 50%"
    )
    table = FORMS["markdown"].table(TABLE)
    assert table == "Of `a_b`.\n\n| case | `f_1` |\n| --- | --- |\n| x |  |"


def test_plain_text_has_columns_and_authors() -> None:
    text = FORMS["text"].parts(SENTENCE)
    assert text.startswith("By Adam (Kingma and Ba, 2015; Zeiler, 2012) 95 % of learning_rate|2")
    assert FORMS["text"].table(TABLE) == "Of a_b.\ncase  f_1\nx"


def test_html_shows_where_a_number_is_from_and_holds_no_markup_of_others() -> None:
    text = Html().parts(SENTENCE)
    assert f'<span title="{PLACE}">95 %</span>' in text
    assert "&lt;y&gt;" in text
    assert "<y>" not in text


@pytest.mark.parametrize("form", FORMS)
def test_a_whole_text_has_its_paragraphs_tables_and_references(form: str) -> None:
    passage = Passage("Data", (SENTENCE, say("It was so.")))
    text = written(FORMS[form], [passage], [TABLE], in_order(KEYS))
    paragraph, table, *_ = text.split("\n\n")
    assert "Data." in paragraph
    assert paragraph.endswith("It was so.")
    assert "Of " in table
    last = {"markdown": "@article{zeiler2012adadelta", "text": "Zeiler, Matthew D. (2012)"}
    assert last.get(form, "--bibtex") in text
