"""Two steps of Adam."""
import numpy as np


def m1(g1):
    return (1 - 0.9) * g1


def v1(g1):
    return (1 - 0.999) * g1**2


def theta1(theta, m1, v1):
    return theta - 0.01 * (m1 / (1 - 0.9)) / (np.sqrt(v1 / (1 - 0.999)) + 1e-8)


def m2(m1, g2):
    return 0.9 * m1 + (1 - 0.9) * g2


def v2(v1, g2):
    return 0.999 * v1 + (1 - 0.999) * g2**2


def theta2(theta1, m2, v2):
    return theta1 - 0.01 * (m2 / (1 - 0.9**2)) / (np.sqrt(v2 / (1 - 0.999**2)) + 1e-8)


STEPS = [
    (m1, ["g1"]), (v1, ["g1"]), (theta1, ["theta", "m1", "v1"]), (m2, ["m1", "g2"]), (v2, ["v1", "g2"]),
    (theta2, ["theta1", "m2", "v2"]),
]

MISTAKES = {
    "biased": (
        "theta2", lambda theta1, m2, v2: theta1 - 0.01 * m2 / (np.sqrt(v2) + 1e-8),
        "the moments are not corrected (biased)"),
    "no-epsilon": (
        "theta1", lambda theta, m1, v1: theta - 0.01 * (m1 / (1 - 0.9)) / np.sqrt(v1 / (1 - 0.999)), "ε is missing"),
    "forgotten": ("m2", lambda m1, g2: (1 - 0.9) * g2, "m is forgotten between the steps"),
    "uphill": (
        "theta1", lambda theta, m1, v1: 2 * theta - theta1(theta, m1, v1), "the step goes uphill: + in place of −"),
}
