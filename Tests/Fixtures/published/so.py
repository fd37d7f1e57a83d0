# SO, with the entries that the fixture drew. The model is that of Tests/Fixtures/towers/make.py.
import contextlib
import io
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F

from clip import BLOCKS, labels, numbers
from common import FIXTURES, Instead, Source, fixture, report

recorded = fixture("towers/so.safetensors")
arguments = sys.argv
sys.path.insert(0, str(FIXTURES / "towers"))
with tempfile.NamedTemporaryFile(suffix=".safetensors") as unused, contextlib.redirect_stdout(io.StringIO()):
    sys.argv = ["make.py", unused.name]
    import make
sys.argv = arguments
for name, value in make.model.items():
    assert torch.equal(value.float(), numbers[name].float()), name
source = Source("nairouz/SO", "8e30483a80596a11a5f50a8b690b7b50875e058d", "optimizers/SparseOptimizer.py")
queue = []
shim = Instead(torch, randperm=lambda count, device=None: queue.pop(0))
code = source.definitions(["SO", "lexsort_indices"], {"torch": shim, "optim": torch.optim, "np": np})
stored = [f"{tower}.resblocks.{i}.{part}" for tower in ["visual.transformer", "transformer"] for i in range(BLOCKS)
          for part in ["attn.in_proj_weight", "attn.out_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight"]]
weights = {name: make.model[name].clone().requires_grad_() for name in stored}
optimizer = code["SO"]([{"params": list(weights.values()), "dense": False}], lr=0.0, betas=(0.9, 0.999),
                       density_ratio=0.06, T=2)
losses = []
for step in range(1, 8):
    optimizer.param_groups[0]["lr"] = 0.02 / step
    loss = F.cross_entropy(make.logits(make.image_features(weights), make.text_features(weights)), labels)
    losses.append(loss.detach())
    optimizer.zero_grad()
    loss.backward()
    queue.extend(recorded[f"support.{step}.{n}"] for n in range(len(stored)) if f"support.{step}.{n}" in recorded)
    optimizer.step()
    assert not queue, f"step {step}: {len(queue)} supports are left"
file = "towers/so.safetensors"
entries, first, second, ends = [], [], [], []
for number, name in enumerate(stored):
    state, columns = optimizer.state[weights[name]], weights[name].shape[1]
    count = int(0.06 * weights[name].numel())
    indices = state["exp_avg_indices"][0, :count] * columns + state["exp_avg_indices"][1, :count]
    order = indices.argsort()
    entries.append((indices[order], recorded[f"entries.{number}"]))
    first.append((state["exp_avg_values"][:count][order], recorded[f"first.{number}"]))
    second.append((state["exp_avg_sq_values"][:count][order], recorded[f"second.{number}"]))
    tower, i = ("vision" if name.startswith("visual") else "text"), name.split("resblocks.")[1][0]
    part = name.split(f"resblocks.{i}.")[1]
    if part == "attn.in_proj_weight":
        for role, value in zip(["query", "key", "value"], weights[name].chunk(3)):
            ends.append((value, recorded[f"end.{tower}.blocks.{i}.attention.{role}"]))
    else:
        site = {
            "attn.out_proj.weight": "attention.output", "mlp.c_fc.weight": "mlp.up", "mlp.c_proj.weight": "mlp.down"}
        ends.append((weights[name], recorded[f"end.{tower}.blocks.{i}.{site[part]}"]))
report.add("so", source, "losses of 7 steps", file, [(torch.stack(losses), recorded["losses"])])
report.add("so", source, "weights", file, ends)
report.add("so", source, "entries with moments", file, entries)
report.add("so", source, "first moments", file, first)
report.add("so", source, "second moments", file, second)
report.add("so", source, "logits", file, [
    (make.logits(make.image_features(weights), make.text_features(weights)), recorded["logits"])])

report.finish()
