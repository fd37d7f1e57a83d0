"""A whole step of R-AMT."""
import numpy as np
from cross_entropy import log_p
from cross_entropy import loss as mean_loss
from cross_entropy import p as softmax
from gradient_dropout import g, keep
from gradient_dropout import p as probability
from straight_through import b
from zero_shot import unit, z


def f(x, w, b):
    return x @ (w * b).T


def z0(x, w, t, log_s):
    return z(x @ w.T, t, log_s)


def norm(m):
    return np.sqrt((m**2).sum())


def loss_a(z, y, norm):
    return mean_loss(log_p(z), y) + 1e-4 * norm


def loss_b(z, z0):
    return -(softmax(z0) * log_p(z)).sum(axis=1).mean()


def through(d_z, f, x, w, t, log_s):
    """The gradient of the mask for one of the logits."""
    d_u = np.exp(log_s) * (d_z @ unit(t))
    u = unit(f)
    d_f = (d_u - u * (u * d_u).sum(axis=1, keepdims=True)) / np.linalg.norm(f, axis=1, keepdims=True)
    return (d_f.T @ x) * w


def a(z, y, f, x, w, t, log_s, m, norm):
    d = softmax(z)
    d[np.arange(len(y)), y.astype(int)] -= 1
    return through(d / len(y), f, x, w, t, log_s) + 1e-4 * m / norm


def b_grad(z, z0, f, x, w, t, log_s):
    return through((softmax(z) - softmax(z0)) / len(z), f, x, w, t, log_s)


def p(a, b_grad):
    return probability(a, b_grad)


def m_new(m, g):
    return m - 8e-5 * g / (np.sqrt(g**2) + 1e-8)


STEPS = [
    (b, ["m", "alpha"]), (f, ["x", "w", "b"]), (z, ["f", "t", "log_s"]), (z0, ["x", "w", "t", "log_s"]), (norm, ["m"]),
    (loss_a, ["z", "y", "norm"]), (loss_b, ["z", "z0"]), (a, ["z", "y", "f", "x", "w", "t", "log_s", "m", "norm"]),
    (b_grad, ["z", "z0", "f", "x", "w", "t", "log_s"]), (p, ["a", "b_grad"]), (keep, ["p", "u"]),
    (g, ["a", "keep", "lam"]), (m_new, ["m", "g"]),
]

MISTAKES = {
    "at-least": ("b", lambda m, alpha: m >= alpha, "M ≥ α in place of M > α"),
    "exchanged": ("loss_b", lambda z, z0: loss_b(z0, z), "z and z⁰ are exchanged"),
    "no-norm": (
        "a", lambda z, y, f, x, w, t, log_s, m, norm: a(z, y, f, x, w, t, log_s, 0 * m, norm),
        "the gradient of the norm is missing"),
    "uphill": ("m_new", lambda m, g: 2 * m - m_new(m, g), "the step goes uphill: + in place of −"),
    "biased": (
        "m_new", lambda m, g: m - 8e-5 * 0.1 * g / (np.sqrt(0.001 * g**2) + 1e-8),
        "the moments are not corrected (biased)"),
}
