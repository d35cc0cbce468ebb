"""The Gaussian process against scikit-learn's, finite differences and itself."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from hpsearch.samplers.coarse_to_fine import gp
from hpsearch.samplers.coarse_to_fine.gp import (
    JointDraws,
    Kernel,
    Posterior,
    fit_kernel,
    standardised,
)

RNG = np.random.default_rng(0)
X, Z = RNG.random((30, 3)), RNG.random((12, 3))
Y = standardised(np.sin(5 * X[:, 0]) + X[:, 1] + 0.1 * RNG.standard_normal(30))
SCALES, AMPLITUDE, NOISE = np.array([0.3, 0.8, 2.0]), 1.4, 0.02
KERNEL = Kernel(
    np.arange(3), np.log([*SCALES, AMPLITUDE, NOISE - gp.LEAST_NOISE])
)  # Kernel.noise adds the least


def test_mean_and_deviation_are_scikit_learns() -> None:
    kernel = ConstantKernel(AMPLITUDE, "fixed") * Matern(SCALES, "fixed", nu=2.5)
    theirs = GaussianProcessRegressor(kernel, alpha=NOISE, optimizer=None).fit(X, Y)
    expected_mean, expected_deviation = theirs.predict(Z, return_std=True)
    mean, deviation = Posterior(KERNEL, X, Y).marginals(Z)
    np.testing.assert_allclose(mean, expected_mean, atol=1e-6)
    np.testing.assert_allclose(deviation, expected_deviation, atol=1e-6)
    own = -gp._misfit(KERNEL, X, Y)[0] - 15 * np.log(2 * np.pi)
    assert own == pytest.approx(theirs.log_marginal_likelihood_value_, abs=1e-6)


def test_main_effects_are_lines_parabolas_and_choices_beside_the_rest() -> None:
    dimensions = np.array([0, 0, 1, 2])  # two choices, a number, and the training length
    choice = np.sqrt(0.5) * np.eye(2)[RNG.integers(2, size=20)]
    x = np.hstack([choice, X[:20, :2]])
    logs = np.log([0.5, 0.8, 2.0, 0.7, 1.3, 0.02])
    u, same = x[:, 2] - 0.5, (x[:, 0, None] == x[:, 0]) * 1.0
    number = 12 * np.outer(u, u) + 180 * np.outer(u * u, u * u)
    effects = 0.7 * (1 + 0.4**2 / 3 * (same / 0.5**2 + number / 0.8**2))
    expected = Kernel(dimensions, np.delete(logs, 3))(x, x) + effects
    kernel = Kernel(dimensions, logs)
    np.testing.assert_allclose(kernel(x, x), expected, atol=1e-6)
    np.testing.assert_allclose(kernel.variances(x), np.diag(expected), atol=1e-6)


def test_what_a_parameter_does_by_itself_is_known_far_from_all_trials() -> None:
    x = np.hstack([RNG.random((40, 6)), np.zeros((40, 1))])
    y = standardised(((x[:, :6] - 0.4) ** 2).sum(1))
    near, far = slice(0, 25), slice(25, 40)
    off = []
    for main_effects in (False, True):
        kernel = fit_kernel(x[near], y[near], np.arange(7), main_effects=main_effects)
        off.append(np.abs(Posterior(kernel, x[near], y[near]).mean(x[far]) - y[far]).mean())
    assert off[1] < 0.5 * off[0]


@pytest.mark.parametrize("logs", [[-0.5, 0.2, 0.1, -3.0], [-0.5, 0.2, -0.3, 0.1, -3.0]])
def test_the_gradient_is_that_of_finite_differences(logs: list[float]) -> None:
    dimensions = np.array([0, 0, 1])  # the first two features share a length scale
    _, gradient = gp._misfit(Kernel(dimensions, np.array(logs)), X, Y)
    for i, step in enumerate(1e-5 * np.eye(len(logs))):
        above, below = (
            gp._misfit(Kernel(dimensions, np.array(logs) + sign * step), X, Y)[0]
            for sign in (1, -1)
        )
        assert gradient[i] == pytest.approx((above - below) / 2e-5, rel=1e-4)


def test_the_input_that_matters_gets_the_shorter_scale() -> None:
    y = standardised(np.sin(6 * X[:, 1]))
    kernel = fit_kernel(X, y, np.arange(3))
    assert np.argmin(kernel.logs[:3]) == 1
    assert gp._misfit(kernel, X, y)[0] < gp._misfit(Kernel(np.arange(3), gp.prior(3)[0]), X, y)[0]


def test_a_point_added_to_joint_draws_belongs_to_the_same_functions() -> None:
    posterior = Posterior(KERNEL, X, Y)
    normals = RNG.standard_normal((12, 4000))
    whole = JointDraws(posterior, Z, normals)
    part = JointDraws(posterior, Z[:-1], normals[:-1])
    np.testing.assert_allclose(part.values, whole.values[:-1])
    np.testing.assert_allclose(part.at(Z[-1], normals[-1]), whole.values[-1], atol=1e-2)
    mean, deviation = posterior.marginals(Z)
    np.testing.assert_allclose(whole.values.mean(1), mean, atol=0.05)
    np.testing.assert_allclose(whole.values.std(1), deviation, rtol=0.06)


def test_joint_draws_survive_points_that_are_the_same() -> None:
    draws = JointDraws(Posterior(KERNEL, X, Y), np.repeat(Z[:1], 5, 0), np.ones((5, 3)))
    assert np.isfinite(draws.values).all()
    assert np.isfinite(draws.at(Z[0], np.ones(3))).all()
