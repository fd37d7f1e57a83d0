"""LayerNorm and its gradient."""
import numpy as np


def mean(x):
    return x.mean(axis=1)


def variance(x, mean):
    return ((x - mean[:, None]) ** 2).mean(axis=1)


def x_hat(x, mean, variance):
    return (x - mean[:, None]) / np.sqrt(variance + 1e-5)[:, None]


def y(x_hat, gamma, beta):
    return gamma * x_hat + beta


def d_gamma(d_y, x_hat):
    return (d_y * x_hat).sum(axis=0)


def d_beta(d_y):
    return d_y.sum(axis=0)


def d_x(d_y, gamma, x_hat, variance):
    g = gamma * d_y
    inner = g - g.mean(axis=1, keepdims=True) - x_hat * (g * x_hat).mean(axis=1, keepdims=True)
    return inner / np.sqrt(variance + 1e-5)[:, None]


STEPS = [
    (mean, ["x"]), (variance, ["x", "mean"]), (x_hat, ["x", "mean", "variance"]), (y, ["x_hat", "gamma", "beta"]),
    (d_gamma, ["d_y", "x_hat"]), (d_beta, ["d_y"]), (d_x, ["d_y", "gamma", "x_hat", "variance"]),
]

MISTAKES = {
    "unbiased": ("variance", lambda x, mean: x.var(axis=1, ddof=1), "divided by n − 1 in place of n"),
    "no-epsilon": (
        "x_hat", lambda x, mean, variance: (x - mean[:, None]) / np.sqrt(variance)[:, None], "ε is missing"),
    "epsilon-1e-6": (
        "x_hat", lambda x, mean, variance: (x - mean[:, None]) / np.sqrt(variance + 1e-6)[:, None],
        "ε = 1e-6 in place of 1e-5"),
    "constants": (
        "d_x", lambda d_y, gamma, x_hat, variance: gamma * d_y / np.sqrt(variance + 1e-5)[:, None],
        "mean and variance are taken for constants"),
    "wrong-axis": ("d_beta", lambda d_y: d_y.sum(axis=1), None),
}
