"""The metrics that a program prints, as far as its text shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hpsearch.metrics import HIGHER_WORDS, NOT_SCORES, lower_is_better
from hpsearch.studyfile.scripts.source import Source, first_name, last_name

LOWER = frozenset(("err", "nll", "ppl", "wer", "cer", "fid", "bpb", "bpc", "regret"))
HIGHER = frozenset(("bleu", "rouge", "dice", "psnr", "ssim", "map", "score", "reward", "return"))
HELD_OUT = ("val", "valid", "validation", "dev", "eval", "holdout", "heldout")
COUNTS = frozenset(("epoch", "epochs", "step", "steps", "iter", "iteration", "batch", "i", "it"))
NO_METRICS = COUNTS | frozenset(("lr", "time", "seconds", "elapsed", "duration", "seed", "eta"))
WORDS = 3  # of the text before a value that may name it
NUMBER = r"[-+.\w]+"  # 0.93, 1e-05, nan


@dataclass(frozen=True)
class PrintedMetrics:
    """How a program tells of its metrics.

    Attributes:
        how: "report" for hpsearch.report, "json" for JSON lines, "line" for lines of text, "" for
            nothing that was recognised.
        names: of the metrics.
        pattern: of such a line of text.
        epoch: whether the number of the epoch is printed too.
    """

    how: str = ""
    names: tuple[str, ...] = ()
    pattern: str = ""
    epoch: bool = False

    def best(self) -> str:
        """The metric that is most likely to be optimised; "" of none that may be.

        One of held-out data comes before others, a share of what is right before a loss.
        """
        ranked = [(_rank(name), -place, name) for place, name in enumerate(self.names)]
        return max((one for one in ranked if one[0] > 0), default=(0, 0, ""))[2]


def printed_metrics(sources: Iterable[Source]) -> PrintedMetrics:
    """What the first of these files prints in a way that is understood."""
    several = list(sources)
    for finder in (_reported, _json_lines, _lines):
        for source in several:
            found = finder(source)
            if found.best():
                return found
    return PrintedMetrics()


def direction_of(metric: str) -> tuple[str, bool]:
    """The direction of a metric by its name, and whether the name tells."""
    words = _words(metric)
    if lower_is_better(metric) or LOWER & words:
        return "minimize", True
    return "maximize", bool((HIGHER_WORDS | HIGHER) & words)


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z]+\d*", name.lower()))


def _is_metric(name: str) -> bool:
    return direction_of(name)[1] and not NO_METRICS & _words(name)


def _rank(name: str) -> int:
    if name.startswith((*NOT_SCORES, "test")) or NO_METRICS & _words(name):
        return 0
    known = direction_of(name)
    quality = 1 if not known[1] else 2 if known[0] == "minimize" else 3
    return quality + (4 if _words(name) & set(HELD_OUT) else 0)


def _reported(source: Source) -> PrintedMetrics:
    """hpsearch.report(epoch=1, val_acc=0.9)."""
    aliases = {"hpsearch"}
    functions = set()
    for node in source.nodes:
        if isinstance(node, ast.Import):
            aliases |= {a.asname for a in node.names if a.name == "hpsearch" and a.asname}
        elif isinstance(node, ast.ImportFrom) and node.module == "hpsearch":
            functions |= {a.asname or a.name for a in node.names if a.name == "report"}
    names: list[str] = []
    for call in source.calls():
        is_attribute = isinstance(call.func, ast.Attribute) and call.func.attr == "report"
        if (is_attribute and first_name(call.func) in aliases) or last_name(
            call.func
        ) in functions:
            names += [one.arg for one in call.keywords if one.arg]
            names += [name for one in call.args for name in _keys(source, one)]
    return _printed("report", names)


def _json_lines(source: Source) -> PrintedMetrics:
    """print(json.dumps({"epoch": 1, "val_acc": 0.9}))."""
    names: list[str] = []
    for call in source.calls():
        if not _is_print(call):
            continue
        for one in ast.walk(call):
            if isinstance(one, ast.Call) and last_name(one.func) == "dumps" and one.args:
                names += _keys(source, one.args[0])
    return _printed("json", names)


def _is_print(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name) and call.func.id == "print":
        return not any(one.arg == "file" for one in call.keywords)
    return ast.unparse(call.func) == "sys.stdout.write"


def _printed(how: str, names: Iterable[str]) -> PrintedMetrics:
    listed = dict.fromkeys(names)
    return PrintedMetrics(how, tuple(n for n in listed if n not in COUNTS), "", "epoch" in listed)


def _keys(source: Source, node: ast.expr) -> list[str]:
    """The keys of a dict, of dict(…), or of a name that is bound to one, with numbers in them."""
    if isinstance(node, ast.Call) and last_name(node.func) == "dict":
        return [one.arg for one in node.keywords if one.arg and not _is_text(one.value)]
    if isinstance(node, ast.Dict):
        found = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:  # {**metrics}
                found += _keys(source, value)
            elif isinstance(key, ast.Constant) and isinstance(key.value, str):
                found += [] if _is_text(value) else [key.value]
        return found
    return list(_named_keys(source, node.id)) if isinstance(node, ast.Name) else []


def _named_keys(source: Source, name: str) -> Iterator[str]:
    for node in source.nodes:
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id == name:
                if not isinstance(node.value, ast.Name):
                    yield from _keys(source, node.value)
            elif isinstance(target, ast.Subscript) and last_name(target.value) == name:
                key = target.slice
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value


def _is_text(node: ast.expr) -> bool:
    texts = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return texts or isinstance(node, ast.JoinedStr)


def _lines(source: Source) -> PrintedMetrics:
    """print(f"epoch {epoch} val_acc {acc:.4f}"), of which it makes a pattern.

    The line with the best metric is taken; of equal ones one with the number of the epoch.
    """
    found = []
    for call in source.calls():
        if _is_print(call) and call.args and isinstance(call.args[0], ast.JoinedStr):
            found += [_line(source, parts) for parts in _split(call.args[0])]
    ranked = [(_rank(line.best()), line.epoch, -place) for place, line in enumerate(found)]
    usable = [one for one in ranked if one[0] > 0]
    return found[-max(usable)[2]] if usable else PrintedMetrics()


def _split(text: ast.JoinedStr) -> Iterator[list[ast.expr]]:
    """The parts of an f-string, by the line that they print."""
    parts: list[ast.expr] = []
    for part in text.values:
        if isinstance(part, ast.Constant):
            first, *rest = str(part.value).split("\n")
            parts.append(ast.Constant(first))
            for line in rest:
                yield parts
                parts = [ast.Constant(line)]
        else:
            parts.append(part)
    yield parts


def _line(source: Source, parts: list[ast.expr]) -> PrintedMetrics:
    pattern, label = "", ""
    names: list[str] = []
    epoch = False
    for part in parts:
        if isinstance(part, ast.Constant):
            label = str(part.value)
            pattern += re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", label)
            continue
        assert isinstance(part, ast.FormattedValue)
        name = _value_name(label, part.value)
        label = ""
        form = "" if part.format_spec is None else ast.unparse(part.format_spec).strip("f'\"")
        pattern += r"\s*" if form else ""  # it may pad
        if name == "epoch" and not epoch:
            epoch = True
            pattern += r"(?P<epoch>\d+)"
        elif _is_metric(name) and name not in names:
            names.append(name)
            pattern += f"(?P<{name}>{NUMBER})"
        else:
            pattern += ".*?"
        pattern += "%" if form.endswith("%") else ""
    return PrintedMetrics("line", tuple(names), pattern.strip(" "), epoch)


def _value_name(label: str, value: ast.expr) -> str:
    """What a printed value is called: by the words before it, or by its own name.

    "epoch" for a number of the epoch; "" where neither is a name.
    """
    words = re.search(r"([A-Za-z][\w /-]*?)(?: is| of)?[\s:=(\[]*$", re.split(r"[,;|]", label)[-1])
    said = "_".join(re.findall(r"\w+", words[1].lower())[-WORDS:]) if words else ""
    own = _own_name(value)
    for name in (said, own):
        if name in ("epoch", "epochs", "ep") or name.endswith("_epoch"):
            return "epoch"
    return next((name for name in (said, own) if name.isidentifier() and _is_metric(name)), "")


def _own_name(value: ast.expr) -> str:
    match value:
        case ast.Name():
            return value.id
        case ast.Attribute():
            return value.attr
        case ast.Call(func=ast.Attribute(attr="item", value=tensor)):
            return _own_name(tensor)
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            return key
        case ast.Subscript():
            return _own_name(value.value)
        case ast.BinOp(left=ast.Constant()):
            return _own_name(value.right)
        case ast.BinOp():
            return _own_name(value.left)
    return ""
