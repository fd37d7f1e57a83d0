# Three training steps of methods that tune the projection or both towers of a tiny CLIP, and a run of two stages, in
# double precision from float32 numbers.
#
#     python3 make.py towers.safetensors        # torch 2.13.0, safetensors 0.8.0
#
# Written for this project from the papers' formulas. Names: OpenAI's for the model; METHOD.start.TENSOR and
# METHOD.end.TENSOR before and after the steps; METHOD.losses; METHOD.logits and METHOD.text after them. `tokens` are
# the prompts of the classes, closed by token 11 and padded with it.
import sys
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(21)
torch.set_default_dtype(torch.float64)
WIDTH, HIDDEN, BLOCKS, HEADS, EMBEDDING, CLASSES, BATCH = 8, 12, 2, 2, 6, 5, 4
PATCH, SIDE, VOCABULARY, LENGTH, CLOSE = 4, 2, 12, 12, 11
RATE, MOMENTUM, STEPS = 0.1, 0.9, 3
out = {}


def keep(name, value):
    out[name] = value.detach().float().contiguous().clone()


def draw(*shape, scale=1.0, mean=0.0):
    return (mean + scale * (2 * torch.rand(*shape) - 1)).float().double()


model = {
    "visual.conv1.weight": draw(WIDTH, 3, PATCH, PATCH, scale=0.4), "visual.class_embedding": draw(WIDTH),
    "visual.positional_embedding": draw(SIDE * SIDE + 1, WIDTH), "visual.proj": draw(WIDTH, EMBEDDING, scale=0.6),
    "token_embedding.weight": draw(VOCABULARY, WIDTH), "positional_embedding": draw(LENGTH, WIDTH),
    "text_projection": draw(WIDTH, EMBEDDING, scale=0.6), "logit_scale": torch.tensor(2.5),
}


def add_norm(name):
    model[f"{name}.weight"], model[f"{name}.bias"] = draw(WIDTH, scale=0.2, mean=1), draw(WIDTH, scale=0.2)


for norm in ["visual.ln_pre", "visual.ln_post", "ln_final"]:
    add_norm(norm)
for tower in ["visual.transformer", "transformer"]:
    for i in range(BLOCKS):
        name = f"{tower}.resblocks.{i}"
        add_norm(f"{name}.ln_1")
        add_norm(f"{name}.ln_2")
        for map_name, width, rows, dot in [
            ("attn.in_proj", WIDTH, 3 * WIDTH, "_"), ("attn.out_proj", WIDTH, WIDTH, "."),
            ("mlp.c_fc", WIDTH, HIDDEN, "."), ("mlp.c_proj", HIDDEN, WIDTH, "."),
        ]:
            model[f"{name}.{map_name}{dot}weight"] = draw(rows, width, scale=0.6)
            model[f"{name}.{map_name}{dot}bias"] = draw(rows, scale=0.3)
for name, value in model.items():
    keep(name, value)

images = draw(BATCH, 3, PATCH * SIDE, PATCH * SIDE, scale=1.5)
labels = torch.arange(BATCH) * 3 % CLASSES
rows = [[10] + [(3 * c + i) % 9 for i in range(c + 1)] + [9, CLOSE] for c in range(CLASSES)]
ends = torch.tensor([len(row) - 1 for row in rows])
tokens = torch.tensor([row + [CLOSE] * (max(map(len, rows)) - len(row)) for row in rows])
keep("images", images)
keep("tokens", tokens)


def blocks(x, tower, weights, branch, causal):
    """The blocks of a tower, with weights that replace the model's and branches at query, key and value."""
    site = "vision" if tower.startswith("visual") else "text"

    def w(name):
        return weights.get(name, model[name])

    for i in range(BLOCKS):
        name = f"{tower}.resblocks.{i}"

        def norm(x, part):
            return F.layer_norm(x, (WIDTH,), w(f"{name}.{part}.weight"), w(f"{name}.{part}.bias"), 1e-5)

        h = norm(x, "ln_1")
        parts = F.linear(h, w(f"{name}.attn.in_proj_weight"), w(f"{name}.attn.in_proj_bias")).chunk(3, dim=2)
        parts = [part + branch(f"{site}.blocks.{i}.attention.{role}", h)
                 for part, role in zip(parts, ["query", "key", "value"])]
        parts = [part.unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2) for part in parts]
        y = F.scaled_dot_product_attention(*parts, is_causal=causal).transpose(1, 2).flatten(2)
        x = x + F.linear(y, w(f"{name}.attn.out_proj.weight"), w(f"{name}.attn.out_proj.bias"))
        x = x + branch(f"{site}.blocks.{i}.attention.output", y)
        y = F.linear(norm(x, "ln_2"), w(f"{name}.mlp.c_fc.weight"), w(f"{name}.mlp.c_fc.bias"))
        x = x + F.linear(y * torch.sigmoid(1.702 * y), w(f"{name}.mlp.c_proj.weight"), w(f"{name}.mlp.c_proj.bias"))
    return x


def outer_norm(x, name, weights):
    weight, bias = [weights.get(f"{name}.{part}", model[f"{name}.{part}"]) for part in ["weight", "bias"]]
    return F.layer_norm(x, (WIDTH,), weight, bias, 1e-5)


def none(site, x):
    return torch.zeros(())


def image_features(weights={}, branch=none):
    x = F.conv2d(images, model["visual.conv1.weight"], stride=PATCH).flatten(2).transpose(1, 2)
    x = torch.cat([model["visual.class_embedding"].expand(BATCH, 1, WIDTH), x], 1)
    x = x + model["visual.positional_embedding"]
    x = outer_norm(x, "visual.ln_pre", weights)
    x = blocks(x, "visual.transformer", weights, branch, False)[:, 0]
    x = outer_norm(x, "visual.ln_post", weights)
    return x @ weights.get("visual.proj", model["visual.proj"])


def text_features(weights={}, branch=none):
    x = model["token_embedding.weight"][tokens] + model["positional_embedding"][:tokens.shape[1]]
    x = blocks(x, "transformer", weights, branch, True)
    x = outer_norm(x, "ln_final", weights)
    return x[torch.arange(CLASSES), ends] @ model["text_projection"]


def logits(features, text):
    return torch.exp(model["logit_scale"]) * F.normalize(features, dim=-1) @ F.normalize(text, dim=-1).T


def run(name, values, forward, penalty=lambda: 0):
    """SGD on values by their names in a delta; `forward` gives image and text features."""
    for part, value in values.items():
        keep(f"{name}.start.{part}", value)
        value.requires_grad_()
    optimizer = torch.optim.SGD(values.values(), lr=RATE, momentum=MOMENTUM)
    losses = []
    for _ in range(STEPS):
        entropy = F.cross_entropy(logits(*forward()), labels)
        losses.append(entropy.detach())
        optimizer.zero_grad()
        (entropy + penalty()).backward()
        optimizer.step()
    for part, value in values.items():
        keep(f"{name}.end.{part}", value)
    features, text = forward()
    keep(f"{name}.losses", torch.stack(losses))
    keep(f"{name}.logits", logits(features, text))
    keep(f"{name}.text", text)


# ProLIP: the projection, stored as [embedding, width], with 1/16 of its squared distance from the start.
frozen = text_features()
start = model["visual.proj"].T.clone()
projection = (start + draw(EMBEDDING, WIDTH, scale=0.2)).float().double()
run("prolip", {"vision.projection": projection}, lambda: (image_features({"visual.proj": projection.T}), frozen),
    lambda: (projection - start).square().sum() / 16)

# CLIP-LoRA: low-rank branches of query, key and value in both towers, times α / √r.
RANK, ALPHA = 3, 1.0


def run_branches(name, places, roles):
    low_rank = {}
    for tower in ["vision", "text"]:
        for i in places:
            for role in roles:
                site = f"{tower}.blocks.{i}.attention.{role}.branch"
                low_rank[f"{site}.down"] = draw(RANK, WIDTH, scale=0.6)
                low_rank[f"{site}.up"] = draw(WIDTH, RANK, scale=0.6)

    def branch(site, x):
        if f"{site}.branch.down" not in low_rank:
            return none(site, x)
        down, up = low_rank[f"{site}.branch.down"], low_rank[f"{site}.branch.up"]
        return ALPHA / RANK**0.5 * F.linear(F.linear(x, down), up)

    run(name, low_rank, lambda: (image_features(branch=branch), text_features(branch=branch)))


run_branches("clip-lora", range(BLOCKS), ["query", "key", "value"])

# 2SFS: first the norms of all blocks, then the rows of the classifier, which start as unit features of the tuned text.
norms, weights = {}, {}
for tower, site in [("visual.transformer", "vision"), ("transformer", "text")]:
    for i in range(BLOCKS):
        for norm, part in [("ln_1", "attentionNorm"), ("ln_2", "mlpNorm")]:
            for stored, role in [("weight", "scale"), ("bias", "shift")]:
                value = model[f"{tower}.resblocks.{i}.{norm}.{stored}"].clone()
                norms[f"{site}.blocks.{i}.{part}.{role}"] = value
                weights[f"{tower}.resblocks.{i}.{norm}.{stored}"] = value
run("2sfs.first", norms, lambda: (image_features(weights), text_features(weights)))
tuned = image_features(weights).detach()
rows = {"classifier.rows": F.normalize(text_features(weights), dim=-1).detach().float().double()}
run("2sfs.second", rows, lambda: (tuned, rows["classifier.rows"]))

# 2SFS as a run: AdamW and half a cosine by steps, anew for each stage, with weight decay of norms and rows. The text
# tower of the second stage is that of the first at its end.
ADAM = {"lr": 0.02, "betas": (0.9, 0.999), "eps": 0.01, "weight_decay": 0.1}
LEAST, STAGES = 1e-3, (3, 2)
for part in norms:
    norms[part].data.copy_(out[f"2sfs.first.start.{part}"].double())


def stage(values, steps, forward):
    optimizer = torch.optim.AdamW(values, **ADAM)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=LEAST)
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(logits(*forward()), labels)
        losses.append(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return losses


losses = stage(list(norms.values()), STAGES[0], lambda: (image_features(weights), text_features(weights)))
tuned = image_features(weights).detach()
row = F.normalize(text_features(weights), dim=-1).detach().requires_grad_()
keep("2sfs.run.rows", row)
losses += stage([row], STAGES[1], lambda: (tuned, row))
for part, value in {**norms, "classifier.rows": row}.items():
    keep(f"2sfs.run.end.{part}", value)
keep("2sfs.run.losses", torch.stack(losses))
keep("2sfs.run.logits", logits(tuned, row))

# CLIP-LoRA at other maps of the second half of the blocks. Scripts that import this one draw as if it ended here.
state = torch.get_rng_state()
run_branches("clip-lora-late", range(BLOCKS // 2, BLOCKS), ["value", "output"])

# 2SFS with biases in its first stage: those of all maps but query, key and value, and the shifts of all norms.
biases, weights = {}, {}


def add_bias(name, stored):
    biases[name] = weights[stored] = model[stored].clone()


for tower, site in [("visual.transformer", "vision"), ("transformer", "text")]:
    for i in range(BLOCKS):
        for stored, part in [("ln_1", "attentionNorm.shift"), ("attn.out_proj", "attention.output.bias"),
                             ("ln_2", "mlpNorm.shift"), ("mlp.c_fc", "mlp.up.bias"), ("mlp.c_proj", "mlp.down.bias")]:
            add_bias(f"{site}.blocks.{i}.{part}", f"{tower}.resblocks.{i}.{stored}.bias")
for stored, part in [("visual.ln_pre", "vision.preNorm"), ("visual.ln_post", "vision.postNorm"),
                     ("ln_final", "text.finalNorm")]:
    add_bias(f"{part}.shift", f"{stored}.bias")
run("2sfs-biases", biases, lambda: (image_features(weights), text_features(weights)))
torch.set_rng_state(state)

save_file(out, sys.argv[1])
print({name: [round(float(x), 4) for x in value] for name, value in out.items() if name.endswith("losses")})
