# Seven steps of the sparse optimiser SO on both towers of a tiny CLIP, in double precision.
#
#     python3 so.py so.safetensors        # torch 2.13.0, safetensors 0.8.0
#
# Written for this project from the paper's formulas; model, images and prompts are those of make.py. MATRIX counts the
# matrices of the blocks, vision first: query, key and value as one, output, and both maps of the MLP.
# support.STEP.MATRIX are the entries with gradients from that step on; entries.MATRIX, first.MATRIX and second.MATRIX
# the moments at the end; end.SITE the weights then; rates, losses and logits; `union` the most entries that a step
# moved, for each matrix.
import sys
import tempfile
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

target = sys.argv[1]
with tempfile.NamedTemporaryFile(suffix=".safetensors") as unused:
    sys.argv[1] = unused.name
    import make
from make import BLOCKS, image_features, labels, logits, model, text_features

DENSITY, REFRESH, STEPS, BETA1, BETA2, EPSILON = 0.06, 2, 7, 0.9, 0.999, 1e-8
make.out.clear()
keep, out = make.keep, make.out

matrices = []
for tower, site in [("visual.transformer", "vision"), ("transformer", "text")]:
    for i in range(BLOCKS):
        for stored, name in [("attn.in_proj_weight", None), ("attn.out_proj.weight", "attention.output"),
                             ("mlp.c_fc.weight", "mlp.up"), ("mlp.c_proj.weight", "mlp.down")]:
            matrices.append((f"{tower}.resblocks.{i}.{stored}", f"{site}.blocks.{i}", name))
weights = {stored: model[stored].clone().requires_grad_() for stored, _, _ in matrices}
moments = [{} for _ in matrices]
drawn, rates, losses, most = [None] * len(matrices), [], [], [0] * len(matrices)
for step in range(1, STEPS + 1):
    rates.append(0.02 / step)
    loss = F.cross_entropy(logits(image_features(weights), text_features(weights)), labels)
    losses.append(loss.detach())
    gradients = torch.autograd.grad(loss, [weights[stored] for stored, _, _ in matrices])
    for number, (stored, _, _) in enumerate(matrices):
        weight, gradient = weights[stored].detach().view(-1), gradients[number].reshape(-1)
        count = int(DENSITY * len(weight))
        if (step - 1) % REFRESH == 0:
            drawn[number] = torch.randperm(len(weight))[:count].sort().values
            out[f"support.{step}.{number}"] = drawn[number].clone()
        given = set(drawn[number].tolist())
        union = {}
        for index in given | set(moments[number]):
            m, v = moments[number].get(index, (0.0, 0.0))
            m, v = BETA1 * m, BETA2 * v
            if index in given:
                m, v = m + (1 - BETA1) * gradient[index].item(), v + (1 - BETA2) * gradient[index].item() ** 2
            union[index] = (m, v)
            weight[index] -= rates[-1] / (1 - BETA1**step) * m / ((v / (1 - BETA2**step)) ** 0.5 + EPSILON)
        most[number] = max(most[number], len(union))
        best = sorted(union, key=lambda index: (-abs(union[index][0]), index))[:count]
        moments[number] = {index: union[index] for index in best}

for number, (stored, site, name) in enumerate(matrices):
    entries = sorted(moments[number])
    out[f"entries.{number}"] = torch.tensor(entries)
    for part, word in enumerate(["first", "second"]):
        keep(f"{word}.{number}", torch.tensor([moments[number][index][part] for index in entries]))
    if name:
        keep(f"end.{site}.{name}", weights[stored])
        continue
    for role, value in zip(["query", "key", "value"], weights[stored].chunk(3)):
        keep(f"end.{site}.attention.{role}", value)
keep("rates", torch.tensor(rates))
keep("losses", torch.stack(losses))
keep("logits", logits(image_features(weights), text_features(weights)))
out["union"] = torch.tensor(most)
save_file(out, target)
print([round(float(loss), 4) for loss in losses], most)
