# Three training steps of masks on the weights of both towers of a tiny CLIP, with gradient dropout, in double precision
# from float32 numbers.
#
#     python3 make.py ../towers/towers.safetensors text-masks.safetensors     # torch 2.13.0, safetensors 0.8.0
#
# Written for this project from the formulas of docs/methods/r-amt.md, (c) to (f) and eq. 7. Model, images and prompts
# are those of ../towers. Names: NAME.start.MASK and NAME.end.MASK before and after the steps, where a MASK is that of a
# site; NAME.draw.STEP.MASK, the uniform numbers of gradient dropout; NAME.losses, L_a and L_b of each step; NAME.logits.
# NAME is both or text, by the towers that are masked.
import sys
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

torch.manual_seed(31)
torch.set_default_dtype(torch.float64)
WIDTH, BLOCKS, HEADS, CLASSES, BATCH, PATCH, CLOSE = 8, 2, 2, 5, 4, 4, 11
THRESHOLD, LAMBDA, NORM, RATE, MOMENTUM, STEPS = 5e-3, 0.3, 0.05, 2e-3, 0.9, 3
model = {name: value.double() for name, value in load_file(sys.argv[1]).items() if "." not in name or
         name.split(".")[0] in ["visual", "transformer", "ln_final", "token_embedding"]}
images, labels = model["images"], torch.arange(BATCH) * 3 % CLASSES
rows = [[10] + [(3 * c + i) % 9 for i in range(c + 1)] + [9, CLOSE] for c in range(CLASSES)]
ends = torch.tensor([len(row) - 1 for row in rows])
tokens = torch.tensor([row + [CLOSE] * (max(map(len, rows)) - len(row)) for row in rows])
out = {}


def keep(name, value):
    out[name] = value.detach().float().contiguous().clone()


def sites(tower, block):
    """Site, stored name, and rows of the weight that the stored tensor has for it."""
    site, name = f"{tower}.blocks.{block}", "visual.transformer" if tower == "vision" else "transformer"
    stored = f"{name}.resblocks.{block}"
    for part, role in enumerate(["query", "key", "value"]):
        yield f"{site}.attention.{role}", f"{stored}.attn.in_proj_weight", slice(part * WIDTH, (part + 1) * WIDTH)
    yield f"{site}.attention.output", f"{stored}.attn.out_proj.weight", slice(None)
    yield f"{site}.mlp.up", f"{stored}.mlp.c_fc.weight", slice(None)
    yield f"{site}.mlp.down", f"{stored}.mlp.c_proj.weight", slice(None)


def blocks(x, tower, used, causal):
    prefix = "visual.transformer" if tower == "vision" else "transformer"
    for i in range(BLOCKS):
        name, site = f"{prefix}.resblocks.{i}", f"{tower}.blocks.{i}"

        def norm(x, part):
            return F.layer_norm(x, (WIDTH,), model[f"{name}.{part}.weight"], model[f"{name}.{part}.bias"], 1e-5)

        h = norm(x, "ln_1")
        bias = model[f"{name}.attn.in_proj_bias"].chunk(3)
        parts = [F.linear(h, used(f"{site}.attention.{role}"), b) for role, b in zip(["query", "key", "value"], bias)]
        parts = [part.unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2) for part in parts]
        y = F.scaled_dot_product_attention(*parts, is_causal=causal).transpose(1, 2).flatten(2)
        x = x + F.linear(y, used(f"{site}.attention.output"), model[f"{name}.attn.out_proj.bias"])
        y = F.linear(norm(x, "ln_2"), used(f"{site}.mlp.up"), model[f"{name}.mlp.c_fc.bias"])
        x = x + F.linear(y * torch.sigmoid(1.702 * y), used(f"{site}.mlp.down"), model[f"{name}.mlp.c_proj.bias"])
    return x


def logits(used):
    x = F.conv2d(images, used("vision.patchEmbedding"), stride=PATCH).flatten(2).transpose(1, 2)
    x = torch.cat([model["visual.class_embedding"].expand(BATCH, 1, WIDTH), x], 1)
    x = x + model["visual.positional_embedding"]
    x = F.layer_norm(x, (WIDTH,), model["visual.ln_pre.weight"], model["visual.ln_pre.bias"], 1e-5)
    x = blocks(x, "vision", used, False)[:, 0]
    x = F.layer_norm(x, (WIDTH,), model["visual.ln_post.weight"], model["visual.ln_post.bias"], 1e-5)
    f = F.normalize(x @ model["visual.proj"], dim=-1)
    x = model["token_embedding.weight"][tokens] + model["positional_embedding"][:tokens.shape[1]]
    x = blocks(x, "text", used, True)
    x = F.layer_norm(x, (WIDTH,), model["ln_final.weight"], model["ln_final.bias"], 1e-5)
    t = F.normalize(x[torch.arange(CLASSES), ends] @ model["text_projection"], dim=-1)
    return torch.exp(model["logit_scale"]) * f @ t.T


weights = {"vision.patchEmbedding": model["visual.conv1.weight"]}
for tower in ["vision", "text"]:
    for i in range(BLOCKS):
        for site, stored, part in sites(tower, i):
            weights[site] = model[stored][part]


class Binary(torch.autograd.Function):
    @staticmethod
    def forward(context, mask):
        return (mask > THRESHOLD).double()

    @staticmethod
    def backward(context, gradient):
        return gradient


def run(name, chosen):
    """Attention and MLP weights of the chosen sites carry masks; query, key and value have one norm."""
    masks = {site: (THRESHOLD + 4e-3 * (2 * torch.rand(weights[site].shape) - 1)).float().double() for site in chosen}
    for site, mask in masks.items():
        keep(f"{name}.start.{site}.mask", mask)
        mask.requires_grad_()
    groups = {}
    for site in masks:
        head, _, role = site.rpartition(".")
        groups.setdefault(f"{head}.stacked" if role in ["query", "key", "value"] else site, []).append(masks[site])
    optimizer = torch.optim.SGD(masks.values(), lr=RATE, momentum=MOMENTUM)
    losses, closest, flips = [], 1.0, 0
    before = {site: mask.detach() > THRESHOLD for site, mask in masks.items()}

    def used(site):
        return weights[site] * Binary.apply(masks[site]) if site in masks else weights[site]

    teacher = F.softmax(logits(lambda site: weights[site]), dim=-1).detach()
    for step in range(STEPS):
        closest = min([closest] + [float((mask.detach() - THRESHOLD).abs().min()) for mask in masks.values()])
        z = logits(used)
        norm = sum(torch.cat([m.flatten() for m in group]).norm() for group in groups.values())
        first = F.cross_entropy(z, labels) + NORM * norm
        second = -(teacher * F.log_softmax(z, dim=-1)).sum(-1).mean()
        a = torch.autograd.grad(first, list(masks.values()), retain_graph=True)
        b = torch.autograd.grad(second, list(masks.values()))
        losses.append(torch.stack([first, second]).detach())
        for (site, mask), a, b in zip(masks.items(), a, b):
            keep_share = 0.5 * (1 + torch.sign(a) * (a + b) / (a.abs() + b.abs() + 1e-8))
            draw = torch.rand(mask.shape).float().double()
            # Where rounding could decide, the draw is another one.
            draw = torch.where((keep_share - draw).abs() < 1e-3, (draw + 0.5) % 1, draw).float().double()
            keep(f"{name}.draw.{step}.{site}.mask", draw)
            mask.grad = ((1 - LAMBDA) + LAMBDA * (keep_share > draw)) * a
        optimizer.step()
    for site, mask in masks.items():
        keep(f"{name}.end.{site}.mask", mask)
        flips += int(((mask.detach() > THRESHOLD) != before[site]).sum())
    keep(f"{name}.losses", torch.stack(losses).flatten())
    keep(f"{name}.logits", logits(used))
    # No mask may be so near its threshold that rounding in single precision, 2e-8 a step, could decide.
    assert closest > 3e-7 and flips > 10, (name, closest, flips)
    print(name, [[round(float(x), 4) for x in pair] for pair in losses], f"closest {closest:.1e}, {flips} flips")


run("both", list(weights))
run("text", [site for site in weights if site.startswith("text")])
save_file(out, sys.argv[2])
