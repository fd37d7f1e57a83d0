# What the scripts of this folder share: definitions out of the authors' files, and comparisons with fixtures.
#
#     python3 METHOD.py AUTHORS          # torch 2.15.0, safetensors 0.8.0, numpy 2.4.6, scipy 1.17.1
#
# AUTHORS holds the authors' files as OWNER/REPOSITORY/PATH at the commits that the scripts name; none of their code is
# here. Written for this project.
import ast
import csv
import hashlib
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

torch.set_default_dtype(torch.float64)
torch.Tensor.cuda = nn.Module.cuda = lambda self, *_, **__: self

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent
# Of the largest element of a tensor. Fixtures hold float32: half an ULP is 6e-8; the rest is for double precision.
BOUND = 1e-7


class Source:
    """A file of a repository. `definitions` executes some of its functions and classes and nothing else of it.

    A class may be taken in part, as `Class.method`. `digest` is of all lines of what was taken, without blanks at
    their ends and without empty lines, so that it does not depend on line endings.
    """

    def __init__(self, repository, commit, path):
        self.repository, self.commit, self.path = repository, commit, path
        self.text = (pathlib.Path(sys.argv[1]) / repository / path).read_text()

    def definitions(self, names, given, replaced=None):
        """- given: what the definitions refer to; replaced: integers of the code by others, for small models."""
        whole = [name for name in names if "." not in name]
        parts = [name.split(".") for name in names if "." in name]
        body, lines = [], self.text.splitlines()
        digest = hashlib.sha256()

        def add(node):
            first = min([node.lineno] + [decorator.lineno for decorator in node.decorator_list])
            for line in lines[first - 1:node.end_lineno]:
                if line.strip():
                    digest.update(line.rstrip().encode() + b"\n")

        for node in ast.parse(self.text).body:
            name = getattr(node, "name", None)
            methods = [part for owner, part in parts if owner == name]
            if name in whole:
                add(node)
            elif methods:
                node.body = [member for member in node.body if getattr(member, "name", None) in methods]
                assert len(node.body) == len(methods), f"{self.path}: expected {methods} in {name}"
                for member in node.body:
                    add(member)
            else:
                continue
            body.append(node)
        found = {node.name for node in body}
        assert found == {name.split(".")[0] for name in names}, f"{self.path}: expected {names}, found {found}"
        if replaced:
            body = [Integers(replaced).visit(node) for node in body]
        space = dict(given)
        exec(compile(ast.Module(body, []), self.path, "exec"), space)
        self.digest = digest.hexdigest()
        self.names = " ".join(names)
        return space


class Integers(ast.NodeTransformer):
    def __init__(self, replaced):
        self.replaced = replaced

    def visit_Constant(self, node):
        if type(node.value) is int and node.value in self.replaced:
            node.value = self.replaced[node.value]
        return node


class Instead:
    """A module some of whose names are others."""

    def __init__(self, module, **names):
        self.__dict__.update(names)
        self._module = module

    def __getattr__(self, name):
        return getattr(self._module, name)


class Report:
    """Differences, one row for each kind of number of a method; `finish` writes them and says whether all are small."""

    columns = ["method", "repository", "commit", "file", "definitions", "sha256", "compared", "fixture", "largest",
               "absolute", "relative"]

    def __init__(self):
        self.rows = []

    def add(self, method, source, compared, fixture, pairs):
        """- pairs: what the authors' code gives and what the fixture holds."""
        absolute = relative = largest = 0.0
        for got, want in pairs:
            got, want = torch.as_tensor(got).detach().double(), torch.as_tensor(want).double()
            assert got.shape == want.shape, f"{method} {compared}: {tuple(got.shape)}, expected {tuple(want.shape)}"
            size, difference = float(want.abs().max()), float((got - want).abs().max())
            assert difference == difference, f"{method} {compared}: NaN"
            absolute, largest = max(absolute, difference), max(largest, size)
            relative = max(relative, difference / size if size else difference)
        sources = source if isinstance(source, list) else [source]
        self.rows.append([
            method, sources[0].repository, " ".join(dict.fromkeys(s.commit for s in sources)),
            " ".join(s.path for s in sources), " ".join(s.names for s in sources),
            " ".join(s.digest for s in sources), compared, fixture, f"{largest:.3g}", f"{absolute:.1e}",
            f"{relative:.1e}"])
        print(f"{method:20} {compared:32} {len(pairs):3} tensors, largest {largest:8.3g}, "
              f"differences {absolute:.1e}, relative {relative:.1e}{'' if relative <= BOUND else '   ABOVE THE BOUND'}")

    def finish(self):
        """Replaces the rows of these methods in agreement.csv."""
        path, methods = HERE / "agreement.csv", {row[0] for row in self.rows}
        kept = []
        if path.exists():
            with path.open(newline="") as file:
                kept = [row for row in list(csv.reader(file))[1:] if row[0] not in methods]
        with path.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([self.columns] + sorted(kept + self.rows, key=lambda row: row[0]))
        sys.exit(any(float(row[-1]) > BOUND for row in self.rows))


report = Report()
torch_names = {"torch": torch, "nn": nn, "F": F, "math": math, "np": np}


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


def fixture(path):
    return {name: value.double() if value.is_floating_point() else value
            for name, value in load_file(FIXTURES / path).items()}
