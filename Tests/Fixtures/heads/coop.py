# Three training steps of learned prompts on a tiny text tower, in double precision from float32 numbers.
#
#     python3 coop.py coop.safetensors        # torch 2.13.0, safetensors 0.8.0
#
# Written for this project from the paper's formulas (Zhou et al. 2022, Learning to Prompt for Vision-Language Models).
# Names: OpenAI's for the text tower; FORM.start and FORM.end are the context vectors before and after the steps,
# FORM.losses and FORM.text what is lost and the text features after them. Token 10 opens a prompt, 11 closes it, 9 is
# the full stop; class c has c + 1 tokens, (3 c + i) mod 9.
import sys
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(12)
torch.set_default_dtype(torch.float64)
WIDTH, HIDDEN, BLOCKS, HEADS, VOCABULARY, LENGTH, EMBEDDING, CLASSES, BATCH = 8, 12, 2, 2, 12, 12, 6, 4, 5
COUNT, RATE, MOMENTUM, STEPS = 5, 0.1, 0.9, 3
START, END, STOP = 10, 11, 9
out = {}


def keep(name, value):
    out[name] = value.detach().float().contiguous().clone()


def draw(*shape, scale=1.0, mean=0.0):
    return (mean + scale * (2 * torch.rand(*shape) - 1)).float().double()


model = {
    "token_embedding.weight": draw(VOCABULARY, WIDTH), "positional_embedding": draw(LENGTH, WIDTH),
    "text_projection": draw(WIDTH, EMBEDDING, scale=0.6),
    "ln_final.weight": draw(WIDTH, scale=0.2, mean=1), "ln_final.bias": draw(WIDTH, scale=0.2),
}
for i in range(BLOCKS):
    name = f"transformer.resblocks.{i}"
    for norm in ["ln_1", "ln_2"]:
        model[f"{name}.{norm}.weight"] = draw(WIDTH, scale=0.2, mean=1)
        model[f"{name}.{norm}.bias"] = draw(WIDTH, scale=0.2)
    for map_name, width, rows, dot in [
        ("attn.in_proj", WIDTH, 3 * WIDTH, "_"), ("attn.out_proj", WIDTH, WIDTH, "."),
        ("mlp.c_fc", WIDTH, HIDDEN, "."), ("mlp.c_proj", HIDDEN, WIDTH, "."),
    ]:
        model[f"{name}.{map_name}{dot}weight"] = draw(rows, width, scale=0.6)
        model[f"{name}.{map_name}{dot}bias"] = draw(rows, scale=0.3)
for name, value in model.items():
    keep(name, value)

features, labels = draw(BATCH, EMBEDDING, scale=2), torch.arange(BATCH) * 3 % CLASSES
scale = torch.exp(torch.tensor(2.5))
keep("features", features)


def encoded(x, ends):
    length = x.shape[1]
    x = x + model["positional_embedding"][:length]
    for i in range(BLOCKS):
        name = f"transformer.resblocks.{i}"

        def norm(x, part):
            return F.layer_norm(x, (WIDTH,), model[f"{name}.{part}.weight"], model[f"{name}.{part}.bias"], 1e-5)

        y = F.linear(norm(x, "ln_1"), model[f"{name}.attn.in_proj_weight"], model[f"{name}.attn.in_proj_bias"])
        parts = [part.unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2) for part in y.chunk(3, dim=2)]
        y = F.scaled_dot_product_attention(*parts, is_causal=True).transpose(1, 2).flatten(2)
        x = x + F.linear(y, model[f"{name}.attn.out_proj.weight"], model[f"{name}.attn.out_proj.bias"])
        y = F.linear(norm(x, "ln_2"), model[f"{name}.mlp.c_fc.weight"], model[f"{name}.mlp.c_fc.bias"])
        x = x + F.linear(y * torch.sigmoid(1.702 * y), model[f"{name}.mlp.c_proj.weight"],
                         model[f"{name}.mlp.c_proj.bias"])
    x = F.layer_norm(x, (WIDTH,), model["ln_final.weight"], model["ln_final.bias"], 1e-5)
    return x[torch.arange(len(ends)), ends] @ model["text_projection"]


def text(context, position):
    """One prompt per class, padded with zeros, which causal attention does not see."""
    table, rows = model["token_embedding.weight"], []
    for c in range(CLASSES):
        own = context[c] if context.dim() == 3 else context
        name = table[[(3 * c + i) % 9 for i in range(c + 1)]]
        half = COUNT // 2
        middle = {"end": [own, name], "front": [name, own], "middle": [own[:half], name, own[half:]]}[position]
        rows.append(torch.cat([table[[START]]] + middle + [table[[STOP, END]]]))
    ends = torch.tensor([len(row) - 1 for row in rows])
    padded = torch.stack([F.pad(row, (0, 0, 0, LENGTH - len(row))) for row in rows])
    return encoded(padded, ends)


def run(name, position, *shape):
    context = draw(*shape, COUNT, WIDTH, scale=0.8).requires_grad_()
    keep(f"{name}.start", context.reshape(-1, WIDTH))
    optimizer = torch.optim.SGD([context], lr=RATE, momentum=MOMENTUM)
    losses = []
    for _ in range(STEPS):
        t = F.normalize(text(context, position), dim=-1)
        loss = F.cross_entropy(scale * F.normalize(features, dim=-1) @ t.T, labels)
        losses.append(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    keep(f"{name}.end", context.reshape(-1, WIDTH))
    keep(f"{name}.losses", torch.stack(losses))
    keep(f"{name}.text", text(context, position))


run("end", "end")
run("middle", "middle")
run("front", "front")
run("class-specific", "end", CLASSES)
save_file(out, sys.argv[1])
print({name: [round(float(x), 4) for x in value] for name, value in out.items() if name.endswith("losses")})
