"""Softmax and cross-entropy."""
import numpy as np


def p(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def log_p(z):
    shifted = z - z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def loss(log_p, y):
    return -log_p[np.arange(len(y)), y.astype(int)].mean()


def d_z(p, y):
    d = p.copy()
    d[np.arange(len(y)), y.astype(int)] -= 1
    return d / len(y)


STEPS = [(p, ["z"]), (log_p, ["z"]), (loss, ["log_p", "y"]), (d_z, ["p", "y"])]


def columns(z):
    e = np.exp(z)
    return e / e.sum(axis=0)


# Name of the stored file: the function that is wrong, and the cause that is named (None: none is expected).
MISTAKES = {
    "columns": ("p", columns, "softmax over the images in place of the classes"),
    "base-2": ("log_p", lambda z: log_p(z) / np.log(2), "logarithm of base 2"),
    "sum": ("loss", lambda log_p, y: loss(log_p, y) * len(y), "the sum over the images in place of their mean"),
    "no-mean": ("d_z", lambda p, y: d_z(p, y) * len(y), "not divided by the number of images"),
    "no-label": ("d_z", lambda p, y: p / len(y), "the labels are not subtracted"),
    "half": ("p", lambda z: p(z).astype(np.float16).astype(float), "float16 rounding"),
}
