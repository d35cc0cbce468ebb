"""What pyproject.toml can't say: the wheel has files that lie beside the package.

They become hpsearch/shipped/files/, laid out as here. An editable installation reads them where
they are.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md"),
    *("docs/*.md", "docs/dev/*.md", "docs/reference/*.md"),
    *("studies/*.toml", "studies/*.py", "studies/*.sh", "studies/*.csv"),
    *("studies/batches/*.toml", "studies/tables/*.csv", "studies/figures/*.png"),
)


class BuildWithShipped(build_py):
    """Copies them beside the package's modules."""

    def run(self) -> None:
        """Build the package, then copy."""
        super().run()
        if self.editable_mode:
            return
        here = Path(__file__).parent
        for path in (path for pattern in SHIPPED for path in sorted(here.glob(pattern))):
            target = Path(self.build_lib, "hpsearch/shipped/files", path.relative_to(here))
            target.parent.mkdir(parents=True, exist_ok=True)
            self.copy_file(str(path), str(target))


setup(cmdclass={"build_py": BuildWithShipped})
