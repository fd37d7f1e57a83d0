# CoCoOp: five images at once, and one at a time.
import types

import torch

from common import Source, fixture, report
from prompts import labels, prompt_names, tower

file = "heads/cocoop.safetensors"
numbers = fixture(file)
source = Source("KaiyangZhou/CoOp", "1fbb1a6f0eee67d45302bbab6c01192b06412a13", "trainers/cocoop.py")
code = source.definitions(["TextEncoder", "PromptLearner", "CustomCLIP"], prompt_names)
for name, batches in [("batch", [list(range(5))] * 3), ("single", [[i] for i in range(5)])]:
    settings = types.SimpleNamespace(INPUT=types.SimpleNamespace(SIZE=[8]), TRAINER=types.SimpleNamespace(
        COCOOP=types.SimpleNamespace(N_CTX=3, CTX_INIT="", PREC="fp32")))
    model = code["CustomCLIP"](settings, ["0", "1", "2", "3"], tower(numbers))
    learner = model.prompt_learner
    values = {
        "tokens": learner.ctx, "down": learner.meta_net.linear1.weight, "down.bias": learner.meta_net.linear1.bias,
        "up": learner.meta_net.linear2.weight, "up.bias": learner.meta_net.linear2.bias}
    with torch.no_grad():
        for part, value in values.items():
            value.copy_(numbers[f"start.{part}"])
    optimizer = torch.optim.SGD(values.values(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    losses = []
    for images in batches:
        loss = model(numbers["features"][images], labels[images])
        losses.append(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    method = f"cocoop {name}"
    report.add(method, source, f"losses of {len(batches)} steps", file, [
        (torch.stack(losses), numbers[f"{name}.losses"])])
    report.add(method, source, "trained tensors", file, [(values[p], numbers[f"{name}.{p}"]) for p in values])
    report.add(method, source, "logits", file, [(model(numbers["features"]), numbers[f"{name}.logits"])])

report.finish()
