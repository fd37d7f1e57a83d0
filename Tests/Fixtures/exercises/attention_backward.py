"""Attention, backward: two heads."""
import numpy as np
from attention import halves, softmax
from attention import s as scores


def pairs(stacked, x):
    return zip(np.split(stacked, 2), halves(x))


def p(q, k):
    return softmax(scores(q, k))


def d_v(p, d_o):
    return np.hstack([a.T @ b for a, b in pairs(p, d_o)])


def d_p(d_o, v):
    return np.vstack([a @ b.T for a, b in zip(halves(d_o), halves(v))])


def d_s(p, d_p):
    return p * (d_p - (p * d_p).sum(axis=1, keepdims=True))


def d_q(d_s, k):
    return (np.hstack([a @ b for a, b in pairs(d_s, k)]) / np.sqrt(k.shape[1] // 2)).astype(k.dtype)


def d_k(d_s, q):
    return (np.hstack([a.T @ b for a, b in pairs(d_s, q)]) / np.sqrt(q.shape[1] // 2)).astype(q.dtype)


STEPS = [
    (p, ["q", "k"]), (d_v, ["p", "d_o"]), (d_p, ["d_o", "v"]), (d_s, ["p", "d_p"]), (d_q, ["d_s", "k"]),
    (d_k, ["d_s", "q"]),
]

MISTAKES = {
    "not-transposed": ("d_v", lambda p, d_o: np.hstack([a @ b for a, b in pairs(p, d_o)]), "P ∂O in place of Pᵀ ∂O"),
    "no-sum": ("d_s", lambda p, d_p: p * d_p, "the sum of P ∂P is not subtracted"),
    "no-root": ("d_q", lambda d_s, k: d_q(d_s, k) * np.sqrt(k.shape[1] // 2), "not divided by √d"),
    "sign": ("d_k", lambda d_s, q: -d_k(d_s, q), "sign"),
}
