# The choice of GPS on a tiny CLIP, and three steps of training of what it chose, in double precision.
#
#     python3 gps.py gps.safetensors        # torch 2.13.0, safetensors 0.8.0
#
# Written for this project from the paper's formulas; the model and the images of training are those of make.py. SITE is
# a weight by its name in a delta. `views.BATCH.VIEW` are the images of two batches; sum.SITE and entropy.SITE the
# summed gradients of the contrastive loss and, on the first views, of the cross-entropy; chosen.SITE the indices of two
# inputs of every neuron by sum.SITE; end.SITE what is left after three steps, of biases too; losses and logits.
import sys
import tempfile
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

target = sys.argv[1]
with tempfile.NamedTemporaryFile(suffix=".safetensors") as unused:
    sys.argv[1] = unused.name
    import make
from make import BATCH, BLOCKS, PATCH, SIDE, WIDTH, Plain, draw, features, images, labels, logits, model

COUNT, TEMPERATURE, RATE, STEPS = 2, 0.07, 0.01, 3
make.out.clear()
keep, out = make.keep, make.out

weights = {"vision.patchEmbedding": ("visual.conv1.weight", 0, False), "vision.projection": ("visual.proj", 0, True)}
biases = {}
for i in range(BLOCKS):
    stored, site = f"visual.transformer.resblocks.{i}", f"vision.blocks.{i}"
    for third, name in enumerate(["query", "key", "value"]):
        weights[f"{site}.attention.{name}"] = (f"{stored}.attn.in_proj_weight", third, False)
        biases[f"{site}.attention.{name}.bias"] = (f"{stored}.attn.in_proj_bias", third, False)
    for name, own in [("attention.output", "attn.out_proj"), ("mlp.up", "mlp.c_fc"), ("mlp.down", "mlp.c_proj")]:
        weights[f"{site}.{name}"] = (f"{stored}.{own}.weight", 0, False)
        biases[f"{site}.{name}.bias"] = (f"{stored}.{own}.bias", 0, False)


def part(tensor, place):
    """The tensor of a site: a third of a fused map, or the transpose of a projection."""
    stored, third, is_transposed = place
    if "in_proj" in stored:
        return tensor.chunk(3)[third]
    return tensor.T if is_transposed else tensor


def gradients(loss, places):
    names = list(dict.fromkeys(place[0] for place in places.values()))
    found = dict(zip(names, torch.autograd.grad(loss, [model[name] for name in names])))
    return {site: part(found[place[0]], place) for site, place in places.items()}


def contrastive(f, classes):
    """Khosla et al. 2020, eq. 2, over all views."""
    z = F.normalize(f, dim=1)
    total = 0
    for i in range(len(z)):
        s = z @ z[i] / TEMPERATURE
        others = [a for a in range(len(z)) if a != i]
        positives = [p for p in others if classes[p] == classes[i]]
        total = total - torch.stack([s[p] - torch.logsumexp(s[others], 0) for p in positives]).mean()
    return total / len(z)


for name in {place[0] for place in {**weights, **biases}.values()}:
    model[name].requires_grad_()
sums = {"sum": {}, "entropy": {}}
losses = {"sum": [], "entropy": []}
for batch in range(2):
    views = [draw(BATCH, 3, PATCH * SIDE, PATCH * SIDE, scale=1.5) for _ in range(2)]
    for number, view in enumerate(views):
        keep(f"views.{batch}.{number}", view)
    make.images = views[0]
    entropy = F.cross_entropy(logits(Plain()), labels)
    both = []
    for view in views:
        make.images = view
        both.append(features(Plain()))
    for kind, loss in [("sum", contrastive(torch.cat(both), labels.repeat(2))), ("entropy", entropy)]:
        losses[kind].append(loss.detach())
        for site, gradient in gradients(loss, weights).items():
            sums[kind][site] = sums[kind].get(site, 0) + gradient
for kind, own in sums.items():
    keep(f"{kind}.losses", torch.stack(losses[kind]))
    for site, value in own.items():
        keep(f"{kind}.{site}", value)

masks = {name: torch.ones_like(value) for name, value in model.items()}
for site, place in weights.items():
    rows = sums["sum"][site].abs().flatten(1)
    columns = rows.argsort(1, descending=True)[:, :COUNT].sort(1).values
    out[f"chosen.{site}"] = (columns + torch.arange(len(rows))[:, None] * rows.shape[1]).flatten()
    mask = torch.zeros_like(rows).scatter(1, columns, 1).reshape(sums["sum"][site].shape)
    part(masks[place[0]], place).copy_(mask)

# Gradients of what is not chosen are set to 0 before Adam.
make.images = images
trained = {name: model[name] for name in dict.fromkeys(place[0] for place in {**weights, **biases}.values())}
optimizer = torch.optim.Adam(trained.values(), lr=RATE)
losses = []
for _ in range(STEPS):
    loss = F.cross_entropy(logits(Plain()), labels)
    losses.append(loss.detach())
    optimizer.zero_grad()
    loss.backward()
    for name, value in trained.items():
        value.grad.mul_(masks[name])
    optimizer.step()
for site, place in {**weights, **biases}.items():
    keep(f"end.{site}", part(model[place[0]], place))
keep("losses", torch.stack(losses))
keep("logits", logits(Plain()))
save_file(out, target)
print([round(float(loss), 4) for loss in losses], [round(float(x), 4) for x in out["sum.losses"]])
