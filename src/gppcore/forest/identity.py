"""Identity of forests: equality and hash by content, pickling, copies and how they are shown."""

from __future__ import annotations

import hashlib
from typing import Any, Self

import numpy as np

from gppcore.display import html_table
from gppcore.errors import ForestFormatError


class Identity:
    """An immutable forest is its arrays: two of the same content are equal, and copies are the object itself."""

    __slots__ = ("__weakref__", "_digest", "_path")

    _digest: str
    _path: str | None

    @property
    def digest(self) -> str:
        """Hexadecimal digits of the content: equal for forests of the same trees."""
        if not self._digest:
            sha = hashlib.sha256()
            for name, value in self.arrays().items():
                content = value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
                sha.update(f"{name} {len(content)} ".encode() + content)
            self._digest = sha.hexdigest()[:32]
        return self._digest

    def arrays(self) -> dict[str, Any]:
        """Arguments that make this forest again."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and (self is other or self.digest == other.digest)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[Any, ...]:
        # A forest of a file is found there by other processes of this machine; any other one travels with its arrays.
        if self._path is not None:
            return _loaded_again, (type(self), self._path, self.digest)
        arrays = {name: np.array(v) if isinstance(v, np.ndarray) else v for name, v in self.arrays().items()}
        return _made_again, (type(self), arrays)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __repr__(self) -> str:
        forest: Any = self
        names = ("n_trees", "n_leaves", "n_features", "n_outputs", "link")
        return f"Forest({', '.join(f'{name}={getattr(forest, name)!r}' for name in names)})"

    def _repr_html_(self) -> str:
        forest: Any = self
        rows = {
            "trees": f"{forest.n_trees:,}",
            "leaves": f"{forest.n_leaves:,}",
            "features": ", ".join(forest.feature_names) or str(forest.n_features),
            "outputs": str(forest.n_outputs),
            "link": forest.link,
        }
        return html_table("Forest", rows)


def _made_again(kind: Any, arrays: dict[str, Any]) -> Any:
    return kind.from_arrays(**arrays)


def _loaded_again(kind: Any, path: str, digest: str) -> Any:
    """Return the forest of a file, if it is still the same."""
    forest = kind.load(path)
    if forest.digest != digest:
        raise ForestFormatError(f"{path}: expected the forest with digest {digest}, got another, {forest.digest}")
    return forest
