"""A small Gaussian process: all that the coarse-to-fine sampler needs, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize

from hpsearch.samplers.unit import Floats, Indices

LEAST_NOISE = 1e-6
ITERATIONS = 20  # of L-BFGS; the prior has done the rest
SCALE_BOUNDS, AMPLITUDE_BOUNDS, NOISE_BOUNDS = (-3.5, 2.5), (-2.0, 2.0), (-9.0, 0.0)  # of logs
EFFECTS_BOUNDS, AMPLITUDE_BESIDE = (-6.0, 3.0), (-5.0, 2.0)  # with main effects
USUAL_SCALE = 0.4
LINE, PARABOLA = sqrt(12), sqrt(180)  # to deviation 1 over the range


@dataclass(frozen=True)
class Kernel:
    """Matern 5/2 with a length scale a dimension, over features of which some share a dimension.

        k(x, z) = a (1 + s + s^2 / 3) exp(-s),  s^2 = 5 sum_d |x_d - z_d|^2 / l_d^2

    A number is one feature; a category is one-hot times sqrt(1/2), so that its squared distance
    is Hamming's: 0 or 1.

    With main effects, what each dimension does by itself is learned from all observations, not
    only from those nearby:

        k'(x, z) = k(x, z) + b + b / D sum_d (.4 / l_d)^2 phi_d(x_d) phi_d(z_d)

    where phi_d are a line and a parabola around the middle of a number's range, where absent
    ones lie, or the one-hot features of a category. The last dimension, the training length, has
    none: scores are shifted so that it makes no difference by itself.

    Attributes:
        dimensions: the dimension of each feature, (F,).
        logs: log l_d of the D dimensions, log b with main effects, log a, log of the noise's
            variance, (D + 2,) or (D + 3,).

    Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, eq. 4.17; eq.
    2.40 for a polynomial beside it.
    """

    dimensions: Indices
    logs: Floats

    @property
    def n_dimensions(self) -> int:
        """D."""
        return int(self.dimensions.max()) + 1

    @property
    def has_effects(self) -> bool:
        """Whether it has main effects."""
        return len(self.logs) > self.n_dimensions + 2

    @property
    def amplitude(self) -> float:
        """The variance a of the function."""
        return exp(self.logs[-2])

    @property
    def noise(self) -> float:
        """The variance of what is added to it."""
        return exp(self.logs[-1]) + LEAST_NOISE

    def __call__(self, x: Floats, z: Floats) -> Floats:
        """k of each x with each z, (n, F) and (m, F) -> (n, m)."""
        k = self._of_distances(self._distances(x, z))
        return k + self._effects(x)[0] @ self._effects(z)[0].T if self.has_effects else k

    def variances(self, x: Floats) -> Floats | float:
        """k of each x with itself, (n,), or a number where it is the same for all."""
        if not self.has_effects:
            return self.amplitude
        effects = self._effects(x)[0]
        return np.asarray(self.amplitude + (effects * effects).sum(1))

    def _effects(self, x: Floats) -> tuple[Floats, Indices]:
        """Weighted features of the main effects, (n, G), and the dimension of each, D for none."""
        d = self.n_dimensions
        single = np.bincount(self.dimensions)[self.dimensions] == 1
        numbers = single & (self.dimensions < d - 1)
        u = x[:, numbers] - 0.5
        of = [self.dimensions[numbers], self.dimensions[numbers], self.dimensions[~single]]
        features = [LINE * u, PARABOLA * u * u, sqrt(2) * x[:, ~single]]
        owners = np.concatenate([*of, [d]])
        weights = np.append(USUAL_SCALE * np.exp(-self.logs[:d]) / sqrt(d), 1.0)[owners]
        strength = exp(0.5 * self.logs[d])
        return np.hstack([*features, np.ones((len(x), 1))]) * (strength * weights), owners

    def _distances(self, x: Floats, z: Floats) -> Floats:
        scales = np.exp(-self.logs[: self.n_dimensions])[self.dimensions]
        x, z = x * scales, z * scales
        squares = (x * x).sum(1)[:, None] + (z * z).sum(1)
        squares -= 2 * x @ z.T
        return np.asarray(np.maximum(squares, 1e-16, out=squares))

    def _of_distances(self, squares: Floats) -> Floats:
        """k: a (1 + s + s^2 / 3) exp(-s), in few arrays, as there are many distances."""
        s = np.sqrt(5 * squares)
        decay = np.exp(-s)
        decay *= self.amplitude
        k = 1 + s
        s *= s
        s /= 3
        k += s
        k *= decay
        return np.asarray(k)

    def _slope(self, squares: Floats) -> Floats:
        """-2 dk / d(squares)."""
        s = np.sqrt(5 * squares)
        return np.asarray(self.amplitude * np.exp(-s) * (5 / 3) * (1 + s))


def prior(n_dimensions: int, *, main_effects: bool = False) -> tuple[Floats, Floats]:
    """Mean and standard deviation of a kernel's logs, (D + 2,) or (D + 3,) each."""
    scale = log(USUAL_SCALE) + 0.25 * log(max(1.0, n_dimensions / 4))
    strength = ([log(0.3)], [1.0]) if main_effects else ([], [])
    mean = np.append(np.full(n_dimensions, scale), [*strength[0], 0.0, log(0.01)])
    return mean, np.append(np.full(n_dimensions, 0.9), [*strength[1], 0.7, 1.5])


def fit_kernel(x: Floats, y: Floats, dimensions: Indices, *, main_effects: bool = False) -> Kernel:
    """The most probable kernel for standardised targets y (n,) at features x (n, F)."""
    d = int(dimensions.max()) + 1
    mean, deviation = prior(d, main_effects=main_effects)
    others = [EFFECTS_BOUNDS, AMPLITUDE_BESIDE] if main_effects else [AMPLITUDE_BOUNDS]
    bounds = [SCALE_BOUNDS] * d + [*others, NOISE_BOUNDS]

    def loss(logs: Floats) -> tuple[float, Floats]:
        value, gradient = _misfit(Kernel(dimensions, logs), x, y)
        z = (logs - mean) / deviation
        return value + 0.5 * float(z @ z), gradient + z / deviation

    found = minimize(
        loss, mean, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": ITERATIONS}
    )
    return Kernel(dimensions, found.x)


def _misfit(kernel: Kernel, x: Floats, y: Floats) -> tuple[float, Floats]:
    """Minus the log marginal likelihood, and its gradient by the kernel's logs (eq. 5.8, 5.9)."""
    squares = kernel._distances(x, x)
    k = kernel._of_distances(squares)
    whole, d = k, kernel.n_dimensions
    if kernel.has_effects:
        effects, owners = kernel._effects(x)
        whole = k + effects @ effects.T
    try:
        factor = cho_factor(whole + kernel.noise * np.eye(len(y)), lower=True)
    except LinAlgError:
        return 1e10, np.zeros_like(kernel.logs)
    a = cho_solve(factor, y)
    w = cho_solve(factor, np.eye(len(y))) - np.outer(a, a)
    value = 0.5 * float(y @ a) + float(np.log(np.diag(factor[0])).sum())
    # sum_ij m_ij (x_i - x_j)^2 for each feature, without an array of all differences
    m = w * kernel._slope(squares)
    by_feature = 2 * (m.sum(1) @ (x * x) - (x * (m @ x)).sum(0))
    by_scale = np.bincount(kernel.dimensions, by_feature) * np.exp(-2 * kernel.logs[:d])
    rest = [(w * k).sum(), np.trace(w) * exp(kernel.logs[-1])]
    if kernel.has_effects:
        by_effect = (effects * (w @ effects)).sum(0)
        by_scale = by_scale - 2 * np.bincount(owners, by_effect, minlength=d)[:d]
        rest = [by_effect.sum(), *rest]
    return value, 0.5 * np.append(by_scale, rest)


class Posterior:
    """What is known of the function after n noisy targets.

    Args:
        x: features, (n, F).
        y: targets, (n,), of mean 0 and the scale that the kernel was fitted to.
    """

    def __init__(self, kernel: Kernel, x: Floats, y: Floats) -> None:
        self._kernel, self._x = kernel, x
        self._factor = np.linalg.cholesky(kernel(x, x) + kernel.noise * np.eye(len(y)))
        self._weights = cho_solve((self._factor, True), y)

    def mean(self, z: Floats) -> Floats:
        """(m, F) -> (m,)."""
        return np.asarray(self._kernel(z, self._x) @ self._weights)

    def _whitened(self, z: Floats) -> Floats:
        return np.asarray(
            solve_triangular(self._factor, self._kernel(self._x, z), lower=True)
        )  # (n, m)

    def marginals(self, z: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation at each point, (m,) each."""
        white = self._whitened(z)
        variance = self._kernel.variances(z) - (white * white).sum(0)
        return self.mean(z), np.sqrt(np.maximum(variance, 1e-10))


class JointDraws:
    """Values of the same random functions at some points, to which more can be added.

    Args:
        z: the points, (m, F).
        normals: standard normals, (m, number of draws).

    Attributes:
        values: (m, number of draws).
    """

    def __init__(self, posterior: Posterior, z: Floats, normals: Floats) -> None:
        self._posterior, self._z, self._normals = posterior, z, normals
        self._white = posterior._whitened(z)
        kernel = posterior._kernel
        covariance = kernel(z, z) - self._white.T @ self._white
        covariance[np.diag_indices_from(covariance)] += 1e-6 * kernel.amplitude + 1e-9
        self._factor = _factor(covariance)
        self.values = posterior.mean(z)[:, None] + self._factor @ normals

    def at(self, point: Floats, normals: Floats) -> Floats:
        """The same functions at one further point (F,); normals as many as there are draws.

        A row more of the Cholesky factor.
        """
        posterior, point = self._posterior, point[None]
        kernel, white = posterior._kernel, posterior._whitened(point)[:, 0]
        covariance = kernel(self._z, point)[:, 0] - self._white.T @ white
        row = solve_triangular(self._factor, covariance, lower=True)
        own = float(np.max(kernel.variances(point)))
        variance = own - float(white @ white) - float(row @ row)
        draws = row @ self._normals + sqrt(max(variance, 1e-9)) * normals
        return np.asarray(posterior.mean(point)[0] + draws)


def standardised(y: Floats) -> Floats:
    """Mean 0 and deviation 1; all 0 where they are equal."""
    return np.asarray((y - y.mean()) / (y.std() + 1e-9))


def _factor(covariance: Floats) -> Floats:
    """Lower Cholesky factor, with as much added to the diagonal as it takes."""
    for jitter in (0.0, 1e-5, 1e-4, 1e-3):
        try:
            return np.asarray(np.linalg.cholesky(covariance + jitter * np.eye(len(covariance))))
        except np.linalg.LinAlgError:
            continue
    return np.diag(np.sqrt(np.maximum(np.diag(covariance), 1e-9)))
