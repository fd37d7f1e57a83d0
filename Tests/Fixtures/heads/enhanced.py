# The enhanced base of TaskRes, then the residual on it; a residual on texts of length 1 that starts at random.
#
#     python3 enhanced.py enhanced.safetensors        # torch 2.13.0, safetensors 0.8.0
#
# Ten steps of Adam with coupled decay each, in double precision from float32 inputs. Written for this project: the
# released code has tuned projections, but not their training.
import sys
import torch
from safetensors.torch import save_file

torch.manual_seed(5)
torch.set_default_dtype(torch.float64)
CLASSES, TEMPLATES, WIDTH, EMBEDDING, IMAGES, SCALE, STEPS = 4, 2, 6, 8, 12, 30.0, 10
labels = torch.arange(CLASSES).repeat(IMAGES // CLASSES)
out = {"labels": labels}


def keep(name, value):
    out[name] = value.detach().float().contiguous().clone()


def draw(name, *shape, scale=1.0):
    value = (scale * torch.randn(*shape)).float().double()
    keep(name, value)
    return value


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


features = draw("features", IMAGES, EMBEDDING, scale=2)
trunk = draw("trunk", CLASSES * TEMPLATES, WIDTH)
projection = draw("projection", EMBEDDING, WIDTH)
residual = draw("residual", CLASSES, EMBEDDING, scale=0.02)


def train(name, value, rate, classifier):
    value = value.clone().requires_grad_()
    optimizer = torch.optim.Adam([value], lr=rate, weight_decay=5e-4)
    losses = []
    for _ in range(STEPS):
        logits = SCALE * unit(features) @ unit(classifier(value)).T
        loss = torch.nn.functional.cross_entropy(logits, labels)
        losses.append(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    keep(f"{name}.end", value)
    keep(f"{name}.losses", torch.stack(losses))
    return value.detach()


mean = trunk.reshape(CLASSES, TEMPLATES, WIDTH).mean(1)
tuned = train("base", projection, 1e-2, lambda p: mean @ p.T)
base = mean @ tuned.T
keep("base.text", base)
train("enhanced", torch.zeros_like(residual), 2e-3, lambda x: base + 0.5 * x)
train("unit", residual, 2e-3, lambda x: unit(mean @ projection.T) + 0.5 * x)
save_file(out, sys.argv[1], metadata={"torch": torch.__version__})
print({name: [round(float(x), 4) for x in value] for name, value in out.items() if name.endswith("losses")})
