"""Runs every solution, in double and in single precision, and every planted mistake, and stores what they give.

    frugal exercise NAME --student 0 --out FOLDER/NAME       for every exercise
    python3 make.py FOLDER

writes NAME/CASE.npz, and cases.json with the tensor that is wrong in each case and the cause that is to be named.
Made with Python 3 and NumPy 2. The tests read the files; they run no Python.
"""
import importlib
import json
import sys
from pathlib import Path

import numpy as np

EXERCISES = [
    "cross-entropy", "layer-norm", "attention", "attention-backward", "adam", "zero-shot", "task-res",
    "straight-through", "gradient-dropout", "sensitivity", "allocation", "lora", "r-amt",
]


def run(module, inputs, dtype, wrong=None):
    values = {name: value.astype(dtype) for name, value in inputs.items()}
    answers = {}
    for function, names in module.STEPS:
        name = function.__name__
        if wrong and wrong[0] == name:
            function = wrong[1]
        answers[name] = values[name] = np.asarray(function(*[values[n] for n in names]))
    return answers


def main(folder):
    here = Path(__file__).parent
    cases = {}
    for exercise in EXERCISES:
        module = importlib.import_module(exercise.replace("-", "_"))
        paths = sorted((Path(folder) / exercise / "public" / "inputs").glob("*.npy"))
        inputs = {path.stem: np.load(path) for path in paths}
        (here / exercise).mkdir(exist_ok=True)
        for dtype in ["float64", "float32"]:
            answers = run(module, inputs, dtype)
            assert all(a.dtype.kind in "biu" or a.dtype == dtype for a in answers.values()), exercise
            np.savez_compressed(here / exercise / f"{dtype}.npz", **answers)
        cases[exercise] = {}
        for case, (tensor, function, cause) in module.MISTAKES.items():
            answers = run(module, inputs, "float64", (tensor, function))
            np.savez_compressed(here / exercise / f"{case}.npz", **answers)
            cases[exercise][case] = {"tensor": tensor, "cause": cause}
    text = json.dumps(cases, ensure_ascii=False, indent=1, sort_keys=True)
    (here / "cases.json").write_text(text + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
