"""Gradient dropout."""
import numpy as np


def p(a, b):
    return 0.5 * (1 + np.sign(a) * (a + b) / (np.abs(a) + np.abs(b) + 1e-8))


def keep(p, u):
    return p > u


def g(a, keep, share):
    return ((1 - share) + share * keep) * a


STEPS = [(p, ["a", "b"]), (keep, ["p", "u"]), (g, ["a", "keep", "lam"])]

MISTAKES = {
    "no-epsilon": (
        "p", lambda a, b: 0.5 * (1 + np.sign(a) * (a + b) / (np.abs(a) + np.abs(b))), "ε is missing"),
    "no-sign": ("p", lambda a, b: 0.5 * (1 + (a + b) / (np.abs(a) + np.abs(b) + 1e-8)), "the sign of a is missing"),
    "at-least": ("keep", lambda p, u: p >= u, "P ≥ U in place of P > U"),
    "lambda": (
        "g", lambda a, keep, share: (share + (1 - share) * keep) * a, "λ and 1 − λ are exchanged"),
}
