"""A mask and its straight-through gradient."""
import numpy as np


def b(m, alpha):
    return m > alpha


def w_masked(w, b):
    return w * b


def y(x, w_masked):
    return x @ w_masked.T


def d_w_masked(d_y, x):
    return d_y.T @ x


def d_m(d_w_masked, w):
    return d_w_masked * w


STEPS = [
    (b, ["m", "alpha"]), (w_masked, ["w", "b"]), (y, ["x", "w_masked"]), (d_w_masked, ["d_y", "x"]),
    (d_m, ["d_w_masked", "w"]),
]

MISTAKES = {
    "at-least": ("b", lambda m, alpha: m >= alpha, "M ≥ α in place of M > α"),
    "inverted": ("b", lambda m, alpha: m < alpha, "M < α in place of M > α"),
    "weight-gradient": ("d_m", lambda d_w_masked, w: d_w_masked, "the gradient of the weight: the factor W is missing"),
    "sign": ("d_m", lambda d_w_masked, w: -d_w_masked * w, "sign"),
}
