"""Sensitivity."""
import numpy as np
from cross_entropy import p as softmax


def z(f, v, c):
    return f @ v.T + c


def d_z(z, y):
    d = softmax(z)
    d[np.arange(len(y)), y.astype(int)] -= 1
    return d


def g_first(d_z, f):
    return np.outer(d_z[0], f[0])


def s_v(d_z, f):
    return (d_z**2).T @ f**2


def s_c(d_z):
    return (d_z**2).sum(axis=0)


STEPS = [(z, ["f", "v", "c"]), (d_z, ["z", "y"]), (g_first, ["d_z", "f"]), (s_v, ["d_z", "f"]), (s_c, ["d_z"])]

MISTAKES = {
    "no-bias": ("z", lambda f, v, c: f @ v.T, "the bias is missing"),
    "batch": ("s_v", lambda d_z, f: (d_z.T @ f) ** 2, "the square of the sum in place of the sum of squares"),
    "absolute": ("s_v", lambda d_z, f: np.abs(d_z).T @ np.abs(f), "the absolute value in place of the square"),
    "mean": ("d_z", lambda z, y: d_z(z, y) / len(y),
             "divided by the number of images, which belong to batches of one"),
}
