"""Modules of a user's own: how they are found and loaded, and the digest of what they say.

A study file names them ("own:train", "package.module.Class"). They lie beside it or elsewhere on
Python's path, outside of what is installed. Nothing here runs them but `load_module`: what a
module imports is read from its text, so that the digest does not depend on what this process has
loaded before, and holds imports inside functions too.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import resolve_name
from pathlib import Path
from types import ModuleType

from hpsearch.import_order import add_study_folder, use_as_own

INSTALLED = ("site-packages", "dist-packages")  # folders of them, in any environment
OURSELVES = "hpsearch"

_loaded: dict[str, tuple[Path, str]] = {}  # by module: its file, and the digest of that
_found: dict[str, _Found] = {}  # by module, what `load_module` found last
_compared: set[NamedModule] = set()  # those that are here as they were where the study began


@dataclass(frozen=True)
class Source:
    """A module's file.

    Attributes:
        name: of the module, e.g. "package.module".
        package: whether other modules may lie below it.
        root: the folder of Python's path that it was found in.
    """

    name: str
    path: Path
    package: bool
    root: Path

    @property
    def label(self) -> str:
        """Its path below the root: "own.py", "package/__init__.py"."""
        place = self.name.replace(".", "/") + ("/__init__" if self.package else "")
        return place + "".join(self.path.suffixes[-1:])


@dataclass(frozen=True)
class NamedModule:
    """A module that a study names, as it was when the study was started.

    Attributes:
        name: e.g. "own", "package.module".
        files: label and digest of each file that it is made of.
    """

    name: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Found:
    """A module that was searched for.

    Attributes:
        module: it.
        path: sys.path at that time.
        sources: its file and those of what it imports.
    """

    module: ModuleType
    path: tuple[str, ...]
    sources: tuple[Source, ...]

    def holds(self, name: str) -> bool:
        """Whether a search would find the same, all of which is loaded from there, if at all."""
        same = sys.modules.get(name) is self.module and self.path == tuple(sys.path)
        return same and not any(_is_elsewhere(source) for source in self.sources)


def look_first_in(folder: str) -> None:
    """Import modules from this folder before all others, also where another study's was first."""
    add_study_folder(folder)
    if sys.path[:1] != [folder]:
        sys.path[:] = [folder, *(other for other in sys.path if other != folder)]
        importlib.invalidate_caches()


def load_module(name: str) -> ModuleType:
    """The module that is found now: one of the same name may be loaded from another folder.

    Searched for again after a change of `sys.path` and after `forget_changed`; a trial asks many
    times, and a search looks for all that the module imports.

    Raises:
        Exception: whatever the module raises; it may be SystemExit.
    """
    known = _found.get(name)
    if known is not None and known.holds(name):
        return known.module
    found = [source for source in sources([name]) if source.path.suffix == ".py"]
    use_as_own(source.name.partition(".")[0] for source in found)
    if any(_is_elsewhere(source) for source in found):
        _compared.clear()
        for source in found:
            sys.modules.pop(source.name, None)
    module = importlib.import_module(name)
    for source in found:
        if source.name in sys.modules:
            _loaded.setdefault(source.name, (source.path, content_digest(source.path)))
    _found[name] = _Found(module, tuple(sys.path), tuple(found))
    return module


def forget_changed() -> bool:
    """Drop all modules that `load_module` loaded, should one of them be another one by now.

    The next load runs them again, as they are then.
    """
    _found.clear()
    unchanged = all(
        (found := _source(name)) is not None
        and found.path == path
        and content_digest(found.path) == content
        for name, (path, content) in _loaded.items()
    )
    if unchanged:
        return False
    importlib.invalidate_caches()
    for name in _loaded:
        sys.modules.pop(name, None)
    _loaded.clear()
    _compared.clear()
    return True


def is_own(name: str) -> bool:
    """Whether a name of a study file may lead to code of a user's own.

    All do that name a module but estimators of installed packages. A function of those is no
    harmless one either: it is called with any params.
    """
    return ":" in name or ("." in name and not is_installed(module_of(name)))


def module_of(name: str) -> str:
    """The module of "module:function" or "package.module.Class"."""
    return name.partition(":")[0] if ":" in name else name.rpartition(".")[0]


def is_installed(module: str) -> bool:
    """Whether a module belongs to an installed package; one that is not there does not."""
    top = module.partition(".")[0]
    spec = PathFinder.find_spec(top)
    places = [] if spec is None else [spec.origin, *(spec.submodule_search_locations or ())]
    return any(place is not None and _in_packages(Path(place)) for place in places)


def sources(modules: Iterable[str]) -> list[Source]:
    """The files of these modules and of what they import, in turn, by name of the module.

    What they import counts where it lies in a root that one of them was found in.
    """
    named = [source for module in modules for source in _with_parents(module)]
    roots = {source.root for source in named}
    found: dict[str, Source] = {}
    waiting = named
    while waiting:
        source = waiting.pop()
        if source.name in found:
            continue
        found[source.name] = source
        for imported in _imports(source):
            waiting += [one for one in _with_parents(imported) if one.root in roots]
    return [found[name] for name in sorted(found)]


def installed_imports(modules: Iterable[str]) -> list[str]:
    """The installed packages that these modules belong to or import by their text, by the name
    they are imported by, in order."""
    named = list(modules)
    names = [*named, *(name for source in sources(named) for name in _imports(source))]
    tops = {name.partition(".")[0] for name in names} - {OURSELVES, ""}
    return sorted(top for top in tops if is_installed(top))


def file_digests(modules: Iterable[str]) -> dict[str, str]:
    """The digest of the content of each file that these modules are made of, by its label."""
    return {source.label: content_digest(source.path) for source in sources(modules)}


def file_digest(path: Path) -> str:
    """As `content_digest`, looked up again where size and time are the same."""
    try:
        stat = path.stat()
    except OSError:
        return ""
    return _file_digest(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1024)
def _file_digest(path: Path, mtime: int, size: int) -> str:
    return content_digest(path)


def script_digests(script: Path) -> dict[str, str]:
    """The digest of a script and of the modules beside it that it imports, by path beside it.

    Of another script than Python's it is the script alone.
    """
    found: dict[str, str] = {}
    waiting = [script]
    while waiting:
        path = waiting.pop()
        label = str(path.relative_to(script.parent))
        if label in found:
            continue
        found[label] = content_digest(path)
        if path.suffix == ".py":
            stat = path.stat()
            for level, module, names in _statements(path, stat.st_mtime_ns, stat.st_size):
                top = path.parents[level - 1] if level else script.parent
                waiting += _beside(top, script.parent, module, names)
    return found


def _beside(top: Path, root: Path, module: str, names: Sequence[str]) -> Iterator[Path]:
    """The files of an import that lie below a folder, packages on the way among them."""
    if not top.is_relative_to(root):
        return
    parts = module.split(".") if module else []
    folders = [top.joinpath(*parts[:n]) for n in range(1, len(parts) + 1)]
    for place in [*folders, *(top.joinpath(*parts, name) for name in names)]:
        for path in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if path.is_file():
                yield path


def named_modules(modules: Iterable[str], files: Mapping[str, str]) -> tuple[NamedModule, ...]:
    """These modules, but those that are installed.

    Args:
        files: the digests of all that they are made of.
    """
    found = []
    for name in dict.fromkeys(modules):
        labels = [source.label for source in sources([name])]
        if labels:
            found.append(NamedModule(name, tuple((k, files.get(k, "")) for k in labels)))
    return tuple(found)


def changed_since(began: NamedModule) -> list[str]:
    """The files of a module that are not here what they were when the study was started.

    Asked after the module was loaded it is looked up once a process, until the module is loaded
    anew. Nothing is known of one that is installed here, as on another machine it may be.
    """
    if began in _compared:
        return []
    now = file_digests([began.name])
    changed = differing(dict(began.files), now) if now else []
    if not changed:
        _compared.add(began)
    return changed


def digest(files: Mapping[str, str]) -> str:
    """One digest of these, 16 hexadecimal digits; "" of none."""
    if not files:
        return ""
    lines = "".join(f"{label} {files[label]}\n" for label in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The files that are others, new or gone, by label."""
    return sorted(label for label in {**before, **now} if before.get(label) != now.get(label))


def _with_parents(module: str) -> Iterator[Source]:
    """A module and the packages that it lies in, as far as they are files of a user's own."""
    parts = module.split(".")
    for n in range(1, len(parts) + 1):
        source = _source(".".join(parts[:n]))
        if source is not None:
            yield source


def _source(module: str) -> Source | None:
    """The file of a module; None for one that is installed, is not there, or has no file."""
    if module.partition(".")[0] in (OURSELVES, *sys.builtin_module_names):
        return None
    spec: ModuleSpec | None = None
    places: list[str] | None = None
    parts = module.split(".")
    for n in range(1, len(parts) + 1):
        try:
            spec = PathFinder.find_spec(".".join(parts[:n]), places)
        except KeyError:  # a folder without __init__.py in a package that is not loaded
            spec, places = None, [str(Path(place, parts[n - 1])) for place in places or ()]
            continue
        if spec is None:
            return None
        places = list(spec.submodule_search_locations or ())
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin)
    if not path.is_file() or _is_of_others(path):
        return None
    package = spec.submodule_search_locations is not None
    return Source(module, path, package, path.parents[len(parts) - (0 if package else 1)])


def _is_of_others(path: Path) -> bool:
    return _in_packages(path) or any(path.is_relative_to(place) for place in _standard_library())


def _in_packages(path: Path) -> bool:
    return any(part in INSTALLED for part in path.parts)


@lru_cache(maxsize=1)
def _standard_library() -> tuple[Path, ...]:
    return tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))


def _is_elsewhere(source: Source) -> bool:
    """Whether a module of this name is loaded that comes from another file."""
    loaded = getattr(sys.modules.get(source.name), "__file__", None)
    return loaded is not None and Path(loaded) != source.path


def _imports(source: Source) -> Iterator[str]:
    """The modules that a file may import by its text, be they there or not."""
    if source.path.suffix != ".py":
        return
    stat = source.path.stat()
    for level, module, names in _statements(source.path, stat.st_mtime_ns, stat.st_size):
        base = module
        if level:
            package = source.name if source.package else source.name.rpartition(".")[0]
            try:
                base = resolve_name("." * level + module, package)
            except ImportError:  # beyond the top; it would fail when it ran
                continue
        yield base
        yield from (f"{base}.{name}" for name in names)


@lru_cache(maxsize=1024)
def _statements(path: Path, mtime: int, size: int) -> tuple[tuple[int, str, tuple[str, ...]], ...]:
    """Imports of a file: level of a relative one, module, and names from it."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # what imports it may catch that
        return ()
    found: list[tuple[int, str, tuple[str, ...]]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(0, alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names if alias.name != "*")
            found.append((node.level, node.module or "", names))
    return tuple(found)


def content_digest(path: Path) -> str:
    """SHA-256 of a file, 16 hexadecimal digits; "" where it is gone."""
    if not path.exists():
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
