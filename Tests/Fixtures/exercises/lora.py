"""A LoRA branch."""
import numpy as np


def x_kept(x, random):
    return np.where(random >= 0.25, x / 0.75, 0).astype(x.dtype)


def h(x_kept, down):
    return x_kept @ down.T


def y(x, w, b, h, up):
    return x @ w.T + b + h @ up.T


def d_up(d_y, h):
    return d_y.T @ h


def d_h(d_y, up):
    return d_y @ up


def d_down(d_h, x_kept):
    return d_h.T @ x_kept


def d_x(d_y, w, d_h, down, random):
    return d_y @ w + x_kept(d_h @ down, random)


STEPS = [
    (x_kept, ["x", "random"]), (h, ["x_kept", "down"]), (y, ["x", "w", "b", "h", "up"]), (d_up, ["d_y", "h"]),
    (d_h, ["d_y", "up"]), (d_down, ["d_h", "x_kept"]), (d_x, ["d_y", "w", "d_h", "down", "random"]),
]

MISTAKES = {
    "unscaled": ("x_kept", lambda x, random: np.where(random >= 0.25, x, 0), "not divided by 0.75"),
    "above": ("x_kept", lambda x, random: np.where(random > 0.25, x / 0.75, 0), "> 0.25 in place of ≥ 0.25"),
    "no-branch": ("y", lambda x, w, b, h, up: x @ w.T + b, "the branch is missing"),
    "gradient": (
        "d_x", lambda d_y, w, d_h, down, random: d_y @ w + d_h @ down, "dropout is missing in the gradient"),
}
