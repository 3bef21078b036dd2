"""Names for arrays by element type and number of dimensions.

thinc's types of the same names are classes of their own, which numpy's functions do not take. mypy
checks the element type alone; the number of dimensions tells the reader. On a GPU, scores and
gradients are cupy's arrays, which have the same methods.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy
from numpy.typing import NDArray

Floats1d: TypeAlias = NDArray[numpy.floating[Any]]
Floats2d: TypeAlias = NDArray[numpy.floating[Any]]
Floats3d: TypeAlias = NDArray[numpy.floating[Any]]
Ints1d: TypeAlias = NDArray[numpy.integer[Any]]
Ints2d: TypeAlias = NDArray[numpy.integer[Any]]
