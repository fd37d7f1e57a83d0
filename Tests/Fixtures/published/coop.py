# CoOp: shared and class-specific context, at each position.
import types

import torch
import torch.nn.functional as F

from common import Source, fixture, report
from prompts import labels, prompt_names, tower

file = "heads/coop.safetensors"
numbers = fixture(file)
source = Source("KaiyangZhou/CoOp", "1e5ec09f44c58a271233346ac0a42b0ff8011bdc", "trainers/coop.py")
code = source.definitions(["TextEncoder", "PromptLearner", "CustomCLIP"], prompt_names)
for name, position, is_specific in [
    ("end", "end", False), ("middle", "middle", False), ("front", "front", False), ("class-specific", "end", True),
]:
    settings = types.SimpleNamespace(INPUT=types.SimpleNamespace(SIZE=[8]), TRAINER=types.SimpleNamespace(
        COOP=types.SimpleNamespace(N_CTX=5, CTX_INIT="", CSC=is_specific, CLASS_TOKEN_POSITION=position)))
    model = code["CustomCLIP"](settings, ["0", "1", "2", "3"], tower(numbers))
    context = model.prompt_learner.ctx
    with torch.no_grad():
        context.copy_(numbers[f"{name}.start"].reshape(context.shape))
    optimizer = torch.optim.SGD([context], lr=0.1, momentum=0.9)
    losses = []
    for _ in range(3):
        loss = F.cross_entropy(model(numbers["features"]), labels)
        losses.append(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    text = model.text_encoder(model.prompt_learner(), model.tokenized_prompts)
    method = f"coop {name}"
    report.add(method, source, "losses of 3 steps", file, [(torch.stack(losses), numbers[f"{name}.losses"])])
    report.add(method, source, "context", file, [(context.reshape(-1, 8), numbers[f"{name}.end"])])
    report.add(method, source, "text features", file, [(text, numbers[f"{name}.text"])])

report.finish()
