# Heads on given features as their papers' released code calculates them, in double precision from float32 inputs.
#
#     python3 make.py heads.safetensors        # torch 2.15.0, safetensors 0.8.0
#
# Written for this project; what each part follows is said beside it. Names: HEAD.QUANTITY, inputs without a head.
import math, sys
import torch
from safetensors.torch import save_file

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)
C, D, K, VIEWS, SCALE = 4, 8, 3, 2, 100.0
out = {}


def keep(name, value):
    value = torch.as_tensor(value)
    out[name] = (value.to(torch.int64) if not value.is_floating_point() else value.float()).contiguous().clone()


def rounded(x):
    return x.float().double()


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


centres = torch.randn(C, D)
common = 2 * torch.randn(D)


def draw(labels, noise):
    return rounded(3 * (common + centres[labels] + noise * torch.randn(len(labels), D)))


labels = torch.arange(C).repeat(K)                       # one view
train = torch.cat([draw(labels, 0.8) for _ in range(VIEWS)])     # all images of a view together
train_labels = labels.repeat(VIEWS)
val_labels = torch.arange(C).repeat(8)
val = draw(val_labels, 1.2)
test = draw(torch.arange(C).repeat(3), 1.0)
text = rounded(2 * (common + centres + 0.9 * torch.randn(C, D)))
for name, value in dict(train=train, val=val, test=test, text=text, train_labels=train_labels,
                        val_labels=val_labels).items():
    keep(name, value)

f, v, t, T = unit(train), unit(val), unit(test), unit(text)
onehot = torch.nn.functional.one_hot(labels, C).double()
correct = lambda z: int((z.argmax(-1) == val_labels).sum())
ce = torch.nn.functional.cross_entropy

# gda: mrflogs/ICLR24, the few-shot files: covariance of all class-centred views, ridge of its trace.
mu = torch.stack([f[train_labels == c].mean(0) for c in range(C)])
centred = torch.cat([f[train_labels == c] - mu[c] for c in range(C)])
n = len(centred)
cov = centred.T.cov()
precision = D * torch.linalg.pinv((n - 1) * cov + cov.trace() * torch.eye(D))
W = mu @ precision
b = math.log(1 / C) - 0.5 * (mu @ precision * mu).sum(1)
best, blend = -1, None
for a in [1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100]:
    found = correct(SCALE * v @ T.T + a * (v @ W.T + b))
    if found > best:
        best, blend = found, a
keep("gda.weight", W); keep("gda.bias", b); keep("gda.blend", torch.tensor(blend))
keep("gda.test", SCALE * t @ T.T + blend * (t @ W.T + b))

# tip-adapter: gaopengcuhk/Tip-Adapter: keys of the mean of raw views, search of 200 × 20.
keys = unit(train.reshape(VIEWS, C * K, D).mean(0))
B_MAX, A_MAX, A_INIT = 12.0, 10.0, 1.17


def cache(x, keys, alpha, beta):
    return SCALE * x @ T.T + alpha * (-beta * (1 - x @ keys.T)).exp() @ onehot


def search(keys):
    best, pair = -1, None
    for beta in [i * (B_MAX - 0.1) / 200 + 0.1 for i in range(200)]:
        for alpha in [i * (A_MAX - 0.1) / 20 + 0.1 for i in range(20)]:
            found = correct(cache(v, keys, alpha, beta))
            if found > best:
                best, pair = found, (alpha, beta)
    return pair


alpha, beta = search(keys)
keep("tip.keys", keys); keep("tip.choice", torch.tensor([alpha, beta])); keep("tip.test", cache(t, keys, alpha, beta))

# tip-adapter-f: AdamW on the keys, cosine by steps, α and β at their start while training.
trained = keys.clone().requires_grad_()
optimizer = torch.optim.AdamW([trained], lr=1e-3, eps=1e-4)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
losses, rates = [], []
for step in range(20):
    loss = ce(cache(f, trained, A_INIT, 1.0), train_labels)
    optimizer.zero_grad(); loss.backward()
    if step == 0:
        keep("tipf.gradient", trained.grad)
    losses.append(loss.item()); rates.append(optimizer.param_groups[0]["lr"])
    optimizer.step(); scheduler.step()
keep("tipf.losses", torch.tensor(losses)); keep("tipf.rates", torch.tensor(rates)); keep("tipf.keys", trained.detach())

# clip-adapter: gaopengcuhk/CLIP-Adapter: blend of raw features, then the norm.
down = rounded((torch.rand(D // 4, D) * 2 - 1) / D ** 0.5).requires_grad_()
up = rounded((torch.rand(D, D // 4) * 2 - 1) / (D // 4) ** 0.5).requires_grad_()
adapted = torch.relu(torch.relu(train @ down.T) @ up.T)
logits = SCALE * unit(0.2 * adapted + 0.8 * train) @ T.T
loss = ce(logits, train_labels)
loss.backward()
for name, value in dict(down=down, up=up, logits=logits, loss=loss).items():
    keep(f"adapter.{name}", value.detach())
keep("adapter.down.gradient", down.grad); keep("adapter.up.gradient", up.grad)

# clap: jusiro/CLAP, penalty "l2": multipliers from the zero-shot probabilities of the training views.
probabilities = (SCALE * f @ T.T).softmax(-1)
multipliers = torch.stack([probabilities[train_labels == c, c].mean() for c in range(C)])
prototypes = text.clone().requires_grad_()
optimizer = torch.optim.SGD([prototypes], lr=0.1, momentum=0.9)
losses, penalties = [], []
for step in range(10):
    penalty = (multipliers * (prototypes - text).pow(2).sum(-1)).mean()
    loss = ce(SCALE * f @ unit(prototypes).T, train_labels)
    optimizer.zero_grad(); (loss + penalty).backward(); optimizer.step()
    losses.append(loss.item()); penalties.append(penalty.item())
keep("clap.multipliers", multipliers); keep("clap.losses", torch.tensor(losses))
keep("clap.penalties", torch.tensor(penalties)); keep("clap.prototypes", prototypes.detach())

# lp++: FereshteShakeri/FewShot-CLIP-Strong-Baseline: the gradient of α is never cleared.
N = len(f)
w = torch.stack([f[train_labels == c].sum(0) for c in range(C)]).requires_grad_()
bias = rounded((torch.rand(C) * 2 - 1) / D ** 0.5).requires_grad_()
keep("lp.bias.start", bias.detach())
a = torch.full((C,), 250 * torch.stack([(f[train_labels == c] @ T[c]).mean() for c in range(C)]).mean().item())
a.requires_grad_()
rate = 4 * N / torch.linalg.eigvalsh(f.T @ f).max().item()
alpha_rate = N / (4 * (f @ T.T).pow(2).sum(0).max().item())
optimizer = torch.optim.SGD([w, bias], lr=rate, momentum=0.9)
blended = lambda x: x @ w.T + bias + a * (x @ T.T)
losses, best, epoch, chosen = [], -1, None, None
for e in range(300):
    loss = ce(blended(f), train_labels)
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    if (e + 1) % 10 == 0:
        with torch.no_grad():
            a -= alpha_rate * a.grad
    losses.append(loss.item())
    with torch.no_grad():
        found = correct(blended(v))
        if found >= best:
            best, epoch, chosen = found, e + 1, blended(t).clone()
keep("lp.losses", torch.tensor(losses)); keep("lp.rates", torch.tensor([rate, alpha_rate]))
keep("lp.weight", w.detach()); keep("lp.bias", bias.detach()); keep("lp.alpha", a.detach())
keep("lp.epoch", torch.tensor(epoch)); keep("lp.test", chosen)


# linear-probe: logistic regression of raw features to its minimum, and the search of CLIP's protocol.
def probe(strength):
    V, c = torch.zeros(C, D, requires_grad=True), torch.zeros(C, requires_grad=True)
    optimizer = torch.optim.LBFGS([V, c], max_iter=5000, tolerance_grad=1e-10, tolerance_change=1e-16,
                                  line_search_fn="strong_wolfe", history_size=20)

    def closure():
        optimizer.zero_grad()
        loss = 0.5 * V.pow(2).sum() + strength * ce(train @ V.T + c, train_labels, reduction="sum")
        loss.backward()
        return loss

    optimizer.step(closure)
    return V.detach(), c.detach()


def score(exponent):
    V, c = probe(10.0 ** exponent)
    return correct(val @ V.T + c)


for strength in [0.01, 1.0]:
    V, c = probe(strength)
    keep(f"probe.{strength}.weight", V); keep(f"probe.{strength}.bias", c)
scores = [score(e) for e in [6, 4, 2, 0, -2, -4, -6]]
peak = [6, 4, 2, 0, -2, -4, -6][scores.index(max(scores))]
left, right = peak - 1.0, peak + 1.0
for _ in range(8):
    low, high = score(left), score(right)
    if low >= high:
        last, right = left, (left + right) / 2
    else:
        last, left = right, (left + right) / 2
keep("probe.choice", torch.tensor(last))
keep("probe.scores", torch.tensor(scores))

print({k: v.tolist() for k, v in out.items() if v.numel() < 13 and "bias" not in k})
print(correct(SCALE * v @ T.T), len(val_labels), best)
save_file(out, sys.argv[1], metadata={"torch": torch.__version__})
