# CLIP-LoRA. Its layers have a dropout of their own only if the rate is above 0; that of zero is set afterwards.
import torch
import torch.nn.functional as F

from clip import BLOCKS, Towers, labels, numbers
from common import Source, report, torch_names

source = Source("MaxZanella/CLIP-LoRA", "68033ea75d7a436fa473f4bdd14dc1fd804d44bb", "loralib/layers.py")
code = source.definitions(["set_param", "LoRALayer", "LinearLoRA", "PlainMultiheadAttentionLoRA"], torch_names)


def adapted(name, roles, places, rate):
    towers, parts = Towers(), {}
    for tower, blocks in [("vision", towers.vision), ("text", towers.text)]:
        for place in places:
            attention = code["PlainMultiheadAttentionLoRA"](
                blocks[place].attn, enable_lora=list(roles), r=3, lora_alpha=1, dropout_rate=rate)
            attention.requires_grad_(False)
            blocks[place].attn = attention
            for role, part in roles.items():
                layer = attention.proj if role == "o" else getattr(attention, f"{role}_proj")
                if layer.dropout is not None:
                    layer.dropout.p = 0.0
                site = f"{tower}.blocks.{place}.attention.{part}.branch"
                parts[f"{site}.down"], parts[f"{site}.up"] = layer.w_lora_A, layer.w_lora_B
    for key, value in parts.items():
        value.requires_grad_()
        with torch.no_grad():
            value.copy_(numbers[f"{name}.start.{key}"])
    assert set(parts) == {key.removeprefix(f"{name}.start.") for key in numbers if key.startswith(f"{name}.start.")}
    return towers, parts


def steps(towers, parts):
    optimizer = torch.optim.SGD(parts.values(), lr=0.1, momentum=0.9)
    losses = []
    for _ in range(3):
        loss = F.cross_entropy(towers(), labels)
        losses.append(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return torch.stack(losses)


file = "towers/towers.safetensors"
three = {"q": "query", "k": "key", "v": "value"}
for name, roles, places in [
    ("clip-lora", three, range(BLOCKS)), ("clip-lora-late", {"v": "value", "o": "output"}, range(1, BLOCKS)),
]:
    towers, parts = adapted(name, roles, places, 0.25)
    losses = steps(towers, parts)
    report.add(name, source, "losses of 3 steps", file, [(losses, numbers[f"{name}.losses"])])
    report.add(name, source, "trained tensors", file, [(parts[k], numbers[f"{name}.end.{k}"]) for k in parts])
    report.add(name, source, "logits", file, [(towers(), numbers[f"{name}.logits"])])
    # To eval: the layers add their products to the weights.
    for block in [*towers.vision, *towers.text]:
        for layer in block.attn.children():
            layer.train(False)
    report.add(name, source, "logits of merged weights", file, [(towers(), numbers[f"{name}.logits"])])

# At a rate of 0 their layers merge, multiply and subtract at every forward pass, in place and out of sight of autograd:
# what flows back to the layers below is multiplied by W instead of W + γ B A. Their runs have a rate of 0.25, and ours
# is exact at any: only the first loss is compared, and how far the rest is off is printed.
towers, parts = adapted("clip-lora", three, range(BLOCKS), 0)
losses = steps(towers, parts)
report.add("clip-lora-no-dropout", source, "loss of the first step", file,
           [(losses[:1], numbers["clip-lora.losses"][:1])])
print("clip-lora at a rate of 0, last loss:", float(losses[2]), "instead of", float(numbers["clip-lora.losses"][2]))

report.finish()
