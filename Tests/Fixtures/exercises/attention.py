"""Attention, forward: two heads."""
import numpy as np


def halves(x):
    return np.split(x, 2, axis=1)


def softmax(s):
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def s(q, k):
    d = q.shape[1] // 2
    return np.vstack([a @ b.T / np.sqrt(d) for a, b in zip(halves(q), halves(k))]).astype(q.dtype)


def p(s):
    return softmax(s)


def o(p, v):
    return np.hstack([a @ b for a, b in zip(np.split(p, 2), halves(v))])


STEPS = [(s, ["q", "k"]), (p, ["s"]), (o, ["p", "v"])]

MISTAKES = {
    "no-root": ("s", lambda q, k: s(q, k) * np.sqrt(q.shape[1] // 2), "not divided by √d"),
    "whole-width": ("s", lambda q, k: s(q, k) / np.sqrt(2), "divided by the root of the whole width"),
    "queries": ("p", lambda s: softmax(s.T).T, "softmax over the queries in place of the keys"),
    "transposed": (
        "o", lambda p, v: np.hstack([a.T @ b for a, b in zip(np.split(p, 2), halves(v))]), "Pᵀ V in place of P V"),
    "unnormalised": ("p", lambda s: np.exp(s), "rows are not divided by their sum"),
}
