"""Zero-shot classifier."""
import numpy as np


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def t(texts):
    return texts.reshape(-1, 2, texts.shape[1]).mean(axis=1)


def z(f, t, log_s):
    return np.exp(log_s) * (unit(f) @ unit(t).T)


def prediction(z):
    return z.argmax(axis=1)


def accuracy(prediction, y):
    return (prediction == y).mean(dtype=y.dtype)


STEPS = [(t, ["texts"]), (z, ["f", "t", "log_s"]), (prediction, ["z"]), (accuracy, ["prediction", "y"])]

MISTAKES = {
    "unit-texts": ("t", lambda texts: t(unit(texts)), "the features are normalised before the mean"),
    "raw-features": (
        "z", lambda f, t, log_s: np.exp(log_s) * (f @ unit(t).T), "the features are not normalised"),
    "no-exponential": (
        "z", lambda f, t, log_s: log_s * (unit(f) @ unit(t).T), "s = log s: the exponential is missing"),
    "smallest": ("prediction", lambda z: z.argmin(axis=1), "the class with the smallest z"),
}
