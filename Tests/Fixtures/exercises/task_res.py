"""A step of TaskRes."""
import numpy as np
from cross_entropy import p as softmax
from cross_entropy import d_z as logit_gradient
from cross_entropy import log_p, loss as mean_loss
from zero_shot import unit, z


def t_new(t, x):
    return t + 0.5 * x


def loss(z, y):
    return mean_loss(log_p(z), y)


def d_z(z, y):
    return logit_gradient(softmax(z), y)


def d_t(d_z, f, t_new, log_s):
    d_u = np.exp(log_s) * (d_z.T @ unit(f))
    u = unit(t_new)
    return (d_u - u * (u * d_u).sum(axis=1, keepdims=True)) / np.linalg.norm(t_new, axis=1, keepdims=True)


def d_x(d_t):
    return 0.5 * d_t


def g(x, d_x):
    return d_x + 5e-4 * x


def x_new(x, g):
    m, v = 0.1 * g, 0.001 * g**2
    return x - 2e-3 * (m / 0.1) / (np.sqrt(v / 0.001) + 1e-8)


STEPS = [
    (t_new, ["t", "x"]), (z, ["f", "t_new", "log_s"]), (loss, ["z", "y"]), (d_z, ["z", "y"]),
    (d_t, ["d_z", "f", "t_new", "log_s"]), (d_x, ["d_t"]), (g, ["x", "d_x"]), (x_new, ["x", "g"]),
]

MISTAKES = {
    "no-alpha": ("t_new", lambda t, x: t + x, "α is missing"),
    "no-projection": (
        "d_t",
        lambda d_z, f, t_new, log_s: np.exp(log_s) * (d_z.T @ unit(f)) / np.linalg.norm(t_new, axis=1, keepdims=True),
        "the gradient of the norm is missing: ∂u / ‖t'‖"),
    "no-decay": ("g", lambda x, d_x: d_x, "the weight decay is missing"),
    "descent": ("x_new", lambda x, g: x - 2e-3 * g, "a step of plain gradient descent"),
}
