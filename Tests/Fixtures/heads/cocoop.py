# Training steps of prompts that depend on the image on a tiny text tower, in double precision from float32 numbers.
#
#     python3 cocoop.py cocoop.safetensors        # torch 2.13.0, safetensors 0.8.0
#
# Written for this project from the paper's formulas (Zhou et al. 2022, Conditional Prompt Learning for Vision-Language
# Models). Names: OpenAI's for the text tower; start.PART, and RUN.PART after the steps; RUN.losses, and RUN.logits of
# all images after them. RUN `batch` has three steps on five images, `single` five steps on one image each. Tokens as in
# coop.py: 10 opens a prompt, 11 closes it, 9 is the full stop; class c has c + 1 tokens, (3 c + i) mod 9.
import sys
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(21)
torch.set_default_dtype(torch.float64)
WIDTH, MLP, BLOCKS, HEADS, VOCABULARY, LENGTH, EMBEDDING, CLASSES, BATCH = 8, 12, 2, 2, 12, 12, 32, 4, 5
COUNT, HIDDEN, RATE, MOMENTUM, DECAY = 3, EMBEDDING // 16, 0.1, 0.9, 5e-4
START, END, STOP = 10, 11, 9
out = {}


def keep(name, value):
    out[name] = value.detach().float().contiguous().clone()


def draw(name, *shape, scale=1.0, mean=0.0):
    value = (mean + scale * (2 * torch.rand(*shape) - 1)).float().double()
    keep(name, value)
    return value


model = {}
for name, shape, scale, mean in [
    ("token_embedding.weight", (VOCABULARY, WIDTH), 1, 0), ("positional_embedding", (LENGTH, WIDTH), 1, 0),
    ("text_projection", (WIDTH, EMBEDDING), 0.6, 0), ("ln_final.weight", (WIDTH,), 0.2, 1),
    ("ln_final.bias", (WIDTH,), 0.2, 0),
]:
    model[name] = draw(name, *shape, scale=scale, mean=mean)
for i in range(BLOCKS):
    for name, shape, scale, mean in [
        ("ln_1.weight", (WIDTH,), 0.2, 1), ("ln_1.bias", (WIDTH,), 0.2, 0),
        ("ln_2.weight", (WIDTH,), 0.2, 1), ("ln_2.bias", (WIDTH,), 0.2, 0),
        ("attn.in_proj_weight", (3 * WIDTH, WIDTH), 0.6, 0), ("attn.in_proj_bias", (3 * WIDTH,), 0.3, 0),
        ("attn.out_proj.weight", (WIDTH, WIDTH), 0.6, 0), ("attn.out_proj.bias", (WIDTH,), 0.3, 0),
        ("mlp.c_fc.weight", (MLP, WIDTH), 0.6, 0), ("mlp.c_fc.bias", (MLP,), 0.3, 0),
        ("mlp.c_proj.weight", (WIDTH, MLP), 0.6, 0), ("mlp.c_proj.bias", (WIDTH,), 0.3, 0),
    ]:
        name = f"transformer.resblocks.{i}.{name}"
        model[name] = draw(name, *shape, scale=scale, mean=mean)

features, labels = draw("features", BATCH, EMBEDDING, scale=2), torch.arange(BATCH) * 3 % CLASSES
scale = torch.exp(torch.tensor(2.5))
start = [
    draw("start.tokens", COUNT, WIDTH, scale=0.8), draw("start.down", HIDDEN, EMBEDDING, scale=0.8),
    draw("start.down.bias", HIDDEN, scale=0.3), draw("start.up", WIDTH, HIDDEN, scale=0.8),
    draw("start.up.bias", WIDTH, scale=0.3),
]


def encoded(x, ends):
    x = x + model["positional_embedding"][: x.shape[1]]
    for i in range(BLOCKS):
        own = {part: value for name, value in model.items() if (part := name.removeprefix(f"transformer.resblocks.{i}."))}
        y = F.layer_norm(x, (WIDTH,), own["ln_1.weight"], own["ln_1.bias"], 1e-5)
        y = F.linear(y, own["attn.in_proj_weight"], own["attn.in_proj_bias"])
        parts = [part.unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2) for part in y.chunk(3, dim=2)]
        y = F.scaled_dot_product_attention(*parts, is_causal=True).transpose(1, 2).flatten(2)
        x = x + F.linear(y, own["attn.out_proj.weight"], own["attn.out_proj.bias"])
        y = F.layer_norm(x, (WIDTH,), own["ln_2.weight"], own["ln_2.bias"], 1e-5)
        y = F.linear(y, own["mlp.c_fc.weight"], own["mlp.c_fc.bias"])
        x = x + F.linear(y * torch.sigmoid(1.702 * y), own["mlp.c_proj.weight"], own["mlp.c_proj.bias"])
    x = F.layer_norm(x, (WIDTH,), model["ln_final.weight"], model["ln_final.bias"], 1e-5)
    return x[torch.arange(len(ends)), ends] @ model["text_projection"]


def text(context):
    table, rows = model["token_embedding.weight"], []
    for c in range(CLASSES):
        name = table[[(3 * c + i) % 9 for i in range(c + 1)]]
        rows.append(torch.cat([table[[START]], context, name, table[[STOP, END]]]))
    ends = torch.tensor([len(row) - 1 for row in rows])
    return encoded(torch.stack([F.pad(row, (0, 0, 0, LENGTH - len(row))) for row in rows]), ends)


def logits(images, values):
    tokens, down, down_bias, up, up_bias = values
    rows = []
    for f in F.normalize(features[images], dim=-1):
        shift = F.linear(F.relu(F.linear(f, down, down_bias)), up, up_bias)
        rows.append(scale * F.normalize(text(tokens + shift), dim=-1) @ f)
    return torch.stack(rows)


def run(name, batches):
    values = [value.clone().requires_grad_() for value in start]
    optimizer = torch.optim.SGD(values, lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
    losses = []
    for images in batches:
        loss = F.cross_entropy(logits(images, values), labels[images])
        losses.append(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for part, value in zip(["tokens", "down", "down.bias", "up", "up.bias"], values):
        keep(f"{name}.{part}", value)
    keep(f"{name}.losses", torch.stack(losses))
    keep(f"{name}.logits", logits(list(range(BATCH)), values))


run("batch", [list(range(BATCH))] * 3)
run("single", [[i] for i in range(BATCH)])
save_file(out, sys.argv[1], metadata={"torch": torch.__version__})
print({name: [round(float(x), 4) for x in value] for name, value in out.items() if name.endswith("losses")})
