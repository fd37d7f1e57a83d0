"""Allocation under a budget."""
import numpy as np


def order(s_q, s_b, s_u, tau):
    s = np.concatenate([s_q.ravel(), s_b, s_u.ravel()])
    return np.argsort(-s, kind="stable")[: int(tau)]


def n(order, s_q, s_b, s_u):
    ends = [s_q.size, s_q.size + s_b.size]
    tensor = (order >= ends[0]).astype(int) + (order >= ends[1])
    return np.bincount(tensor, minlength=3)


def costs(s_q, s_b, s_u, r):
    return np.array([r * sum(s_q.shape), s_b.size, r * sum(s_u.shape)], dtype=r.dtype)


def whole(n, s_q, s_b, s_u, r, alpha, beta):
    return n >= costs(s_q, s_b, s_u, r) / np.array([alpha, beta, alpha])


def trained(whole, n, s_q, s_b, s_u, r):
    return np.where(whole, costs(s_q, s_b, s_u, r), n.astype(r.dtype))


def total(trained):
    return trained.sum()


STEPS = [
    (order, ["s_q", "s_b", "s_u", "tau"]), (n, ["order", "s_q", "s_b", "s_u"]),
    (whole, ["n", "s_q", "s_b", "s_u", "r", "alpha", "beta"]), (trained, ["whole", "n", "s_q", "s_b", "s_u", "r"]),
    (total, ["trained"]),
]


def ties(s_q, s_b, s_u, tau):
    s = np.concatenate([s_q.ravel(), s_b, s_u.ravel()])
    return np.array(sorted(range(len(s)), key=lambda i: (-s[i], -i))[: int(tau)])


MISTAKES = {
    "ties": ("order", ties, "equal entries in reverse order"),
    "smallest": (
        "order",
        lambda s_q, s_b, s_u, tau: np.argsort(np.concatenate([s_q.ravel(), s_b, s_u.ravel()]), kind="stable")[: int(tau)],
        "the smallest in place of the largest"),
    "inverted": (
        "whole", lambda n, s_q, s_b, s_u, r, alpha, beta: ~whole(n, s_q, s_b, s_u, r, alpha, beta),
        "the other way round: 1 where n is too small"),
    "matrix": (
        "trained",
        lambda whole, n, s_q, s_b, s_u, r: np.where(whole, [s_q.size, s_b.size, s_u.size], n),
        "a module costs the whole matrix"),
}
