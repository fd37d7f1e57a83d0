# Three training steps of encoder tunings of other papers on a tiny CLIP, in double precision from float32 numbers.
#
#     python3 make.py encoders.safetensors        # torch 2.13.0, bitfit and layernorm 2.15.0, safetensors 0.8.0
#     python3 make.py factors.safetensors         # updates of MLPs that are twice as wide as tokens
#
# Written for this project from the papers' formulas. Names: OpenAI's for the model; METHOD.start.TENSOR and
# METHOD.end.TENSOR before and after the steps; METHOD.losses; METHOD.logits after them.
import sys
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(11)
torch.set_default_dtype(torch.float64)
IS_OF_FACTORS = sys.argv[1].endswith("factors.safetensors")
WIDTH, BLOCKS, HEADS, PATCH, SIDE, EMBEDDING, CLASSES, BATCH = 8, 2, 2, 4, 2, 6, 5, 4
HIDDEN = 16 if IS_OF_FACTORS else 12
RATE, MOMENTUM, STEPS = 0.1, 0.9, 3
out = {}


def keep(name, value):
    out[name] = value.detach().float().contiguous().clone()


def draw(*shape, scale=1.0, mean=0.0):
    return (mean + scale * (2 * torch.rand(*shape) - 1)).float().double()


model = {
    "visual.conv1.weight": draw(WIDTH, 3, PATCH, PATCH, scale=0.4), "visual.class_embedding": draw(WIDTH),
    "visual.positional_embedding": draw(SIDE * SIDE + 1, WIDTH), "visual.proj": draw(WIDTH, EMBEDDING, scale=0.6),
}


def add_norm(name):
    model[f"{name}.weight"], model[f"{name}.bias"] = draw(WIDTH, scale=0.2, mean=1), draw(WIDTH, scale=0.2)


add_norm("visual.ln_pre")
add_norm("visual.ln_post")
for i in range(BLOCKS):
    name = f"visual.transformer.resblocks.{i}"
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

images, text = draw(BATCH, 3, PATCH * SIDE, PATCH * SIDE, scale=1.5), draw(CLASSES, EMBEDDING, scale=2)
labels = torch.arange(BATCH) * 3 % CLASSES
scale = torch.exp(torch.tensor(2.5))
keep("images", images)
keep("text", text)


class Plain:
    """What a tuning does at an output: nothing."""

    def __init__(self):
        self.values = {}

    def output(self, y, site):
        return y

    def tokens(self, x, block):
        return x

    def parallel(self, x, site):
        return torch.zeros(())

    def adapted(self, x, site):
        return x

    def update(self, x, site):
        return torch.zeros(())

    def bypass(self, h, site):
        return torch.zeros(())


class ScaleAndShift(Plain):
    """SSF: every output times a factor, plus an offset where the model has a bias (Lian et al. 2022, eq. 2)."""

    def __init__(self):
        self.values = {}
        sites = {"vision.patchEmbedding": WIDTH, "vision.preNorm.scale": WIDTH, "vision.postNorm.scale": WIDTH}
        for i in range(BLOCKS):
            b = f"vision.blocks.{i}"
            for part in ["attentionNorm.scale", "attention.query", "attention.key", "attention.value",
                         "attention.output", "mlpNorm.scale", "mlp.down"]:
                sites[f"{b}.{part}"] = WIDTH
            sites[f"{b}.mlp.up"] = HIDDEN
        for site, width in sites.items():
            self.values[f"{site}.factor"] = draw(width, scale=0.3, mean=1)
            if site != "vision.patchEmbedding":
                self.values[f"{site}.offset"] = draw(width, scale=0.3)

    def output(self, y, site):
        y = y * self.values[f"{site}.factor"]
        return y + self.values[f"{site}.offset"] if f"{site}.offset" in self.values else y


class VisualPrompts(Plain):
    """VPT: tokens after the class token; deep ones take the place of those of the block before (Jia et al. 2022, eq. 4
    to 6)."""

    def __init__(self, blocks, count):
        self.count = count
        self.values = {f"vision.blocks.{i}.prompts": draw(count, WIDTH, scale=0.8) for i in range(blocks)}

    def tokens(self, x, block):
        prompts = self.values.get(f"vision.blocks.{block}.prompts")
        if prompts is None:
            return x
        held = 0 if block == 0 else self.count
        return torch.cat([x[:, :1], prompts.expand(BATCH, -1, -1), x[:, 1 + held:]], 1)


class ParallelAdapter(Plain):
    """AdaptFormer: a bottleneck parallel to every MLP, without a norm (Chen et al. 2022, eq. 3 and 4)."""

    def __init__(self, rank, factor):
        self.factor, self.values = factor, {}
        for i in range(BLOCKS):
            branch = f"vision.blocks.{i}.mlp.parallel.branch"
            self.values[f"{branch}.down"], self.values[f"{branch}.down.bias"] = draw(rank, WIDTH), draw(rank)
            self.values[f"{branch}.up"], self.values[f"{branch}.up.bias"] = draw(WIDTH, rank), draw(WIDTH)

    def parallel(self, x, site):
        down, a, up, b = (self.values[f"{site}.parallel.branch.{part}"]
                          for part in ["down", "down.bias", "up", "up.bias"])
        return self.factor * F.linear(F.relu(F.linear(x, down, a)), up, b)


class InputAdapter(Plain):
    """RepAdapter: a linear bottleneck of two groups behind each norm of a block (Luo et al. 2023; released code, where
    both maps are convolutions of one token)."""

    def __init__(self, rank, factor):
        self.factor, self.values = factor, {}
        for i in range(BLOCKS):
            for part in ["attention", "mlp"]:
                branch = f"vision.blocks.{i}.{part}.input.branch"
                self.values[f"{branch}.down"], self.values[f"{branch}.down.bias"] = draw(rank, WIDTH), draw(rank)
                self.values[f"{branch}.up"], self.values[f"{branch}.up.bias"] = draw(WIDTH, rank // 2), draw(WIDTH)

    def adapted(self, x, site):
        down, a, up, b = (self.values[f"{site}.input.branch.{part}"] for part in ["down", "down.bias", "up", "up.bias"])
        hidden = F.conv1d(x.transpose(1, 2), down[:, :, None], a)
        return x + self.factor * F.conv1d(hidden, up[:, :, None], b, groups=2).transpose(1, 2)


class FactorTuning(Plain):
    """FacT: updates of all maps with shared outer factors (Jie & Deng 2023; released code). The Tucker form has its
    tensor with the input of a slice first, and slices last."""

    def __init__(self, rank, factor, form):
        self.rank, self.factor, self.form, self.pieces = rank, factor, form, HIDDEN // WIDTH
        self.values = {"factors.down": draw(rank, WIDTH), "factors.up": draw(WIDTH, rank, scale=0.5)}
        if form != "train":
            slices = BLOCKS * (4 + 2 * self.pieces)
            self.values["factors.core"], self.values["factors.slices"] = draw(rank, rank, rank), draw(slices, rank)
            return
        for i in range(BLOCKS):
            b = f"vision.blocks.{i}"
            for part in ["query", "key", "value", "output"]:
                self.values[f"{b}.attention.{part}.branch.core"] = draw(rank, rank)
            self.values[f"{b}.mlp.up.branch.core"] = draw(self.pieces * rank, rank)
            self.values[f"{b}.mlp.down.branch.core"] = draw(rank, self.pieces * rank)

    def inner(self, x, site):
        """Of x by the first factor: what the last one reads."""
        part, block = site.split(".")[-1], int(site.split(".")[2])
        if self.form == "train":
            return F.linear(x, self.values[f"{site}.branch.core"])
        sizes = {"query": 1, "key": 1, "value": 1, "output": 1, "up": self.pieces, "down": self.pieces}
        first = block * sum(sizes.values()) + sum(list(sizes.values())[:list(sizes).index(part)])
        combined = self.values["factors.core"].transpose(0, 1) @ self.values["factors.slices"].T
        slices = combined[:, :, first:first + sizes[part]]
        if self.form == "slices":
            slices = slices.transpose(1, 2)
        slices = slices.reshape(self.rank, -1)
        return x @ (slices.T if part == "down" else slices)

    def update(self, x, site):
        pieces = self.pieces if site.endswith("mlp.down") else 1
        h = F.linear(x.unflatten(2, (pieces, WIDTH)), self.values["factors.down"]).flatten(2)
        h = self.inner(h, site)
        return self.factor * F.linear(h.unflatten(2, (-1, self.rank)), self.values["factors.up"]).flatten(2)


class ConvolutionalBypass(Plain):
    """Convpass: a bottleneck with a convolution over the patches, parallel to attention and MLP (Jie & Deng 2022;
    released code, where the class token is a map of one pixel)."""

    def __init__(self, rank, factor):
        self.rank, self.factor, self.values = rank, factor, {}
        for i in range(BLOCKS):
            for part in ["attention", "mlp"]:
                branch = f"vision.blocks.{i}.{part}.bypass.branch"
                self.values[f"{branch}.down"], self.values[f"{branch}.down.bias"] = draw(rank, WIDTH), draw(rank)
                self.values[f"{branch}.kernel"] = draw(rank, rank, 3, 3, scale=0.5)
                self.values[f"{branch}.kernel.bias"] = draw(rank)
                self.values[f"{branch}.up"], self.values[f"{branch}.up.bias"] = draw(WIDTH, rank), draw(WIDTH)

    def bypass(self, h, site):
        value = {name: self.values[f"{site}.bypass.branch.{name}"]
                 for name in ["down", "down.bias", "kernel", "kernel.bias", "up", "up.bias"]}
        h = F.linear(h, value["down"], value["down.bias"])
        h = (h * torch.sigmoid(1.702 * h)).transpose(1, 2)
        maps = [h[:, :, :1].unflatten(2, (1, 1)), h[:, :, 1:].unflatten(2, (SIDE, SIDE))]
        h = torch.cat([F.conv2d(m, value["kernel"], value["kernel.bias"], padding=1).flatten(2) for m in maps], 2)
        h = (h * torch.sigmoid(1.702 * h)).transpose(1, 2)
        return self.factor * F.linear(h, value["up"], value["up.bias"])


class Biases(Plain):
    """BitFit: all biases, norms' too (Ben Zaken et al. 2022), from the model's own."""

    def __init__(self):
        self.values = {}
        self.add_norm("vision.preNorm", "visual.ln_pre")
        self.add_norm("vision.postNorm", "visual.ln_post")
        for i in range(BLOCKS):
            stored, site = f"visual.transformer.resblocks.{i}", f"vision.blocks.{i}"
            self.add_norm(f"{site}.attentionNorm", f"{stored}.ln_1")
            self.add_norm(f"{site}.mlpNorm", f"{stored}.ln_2")
            self.add_maps(stored, site)

    def add_norm(self, site, stored):
        self.values[f"{site}.shift"] = model[f"{stored}.bias"].clone()

    def add_maps(self, stored, site):
        for role, bias in zip(["query", "key", "value"], model[f"{stored}.attn.in_proj_bias"].chunk(3)):
            self.values[f"{site}.attention.{role}.bias"] = bias.clone()
        for part, own in [("attention.output", "attn.out_proj"), ("mlp.up", "mlp.c_fc"), ("mlp.down", "mlp.c_proj")]:
            self.values[f"{site}.{part}.bias"] = model[f"{stored}.{own}.bias"].clone()


class Norms(Biases):
    """LayerNorm tuning: scales and shifts of all norms (Zhao et al. 2024), from the model's own."""

    def add_norm(self, site, stored):
        super().add_norm(site, stored)
        self.values[f"{site}.scale"] = model[f"{stored}.weight"].clone()

    def add_maps(self, stored, site):
        pass


def norm(x, stored, site, tuning):
    weight = tuning.values.get(f"{site}.scale", model[f"{stored}.weight"])
    bias = tuning.values.get(f"{site}.shift", model[f"{stored}.bias"])
    return tuning.output(F.layer_norm(x, (WIDTH,), weight, bias, 1e-5), f"{site}.scale")


def linear(x, stored, site, tuning):
    return F.linear(x, model[f"{stored}.weight"], tuning.values.get(f"{site}.bias", model[f"{stored}.bias"]))


def features(tuning):
    x = F.conv2d(images, model["visual.conv1.weight"], stride=PATCH).flatten(2).transpose(1, 2)
    x = tuning.output(x, "vision.patchEmbedding")
    x = torch.cat([model["visual.class_embedding"].expand(BATCH, 1, -1), x], 1) + model["visual.positional_embedding"]
    x = norm(x, "visual.ln_pre", "vision.preNorm", tuning)
    for i in range(BLOCKS):
        stored, site = f"visual.transformer.resblocks.{i}", f"vision.blocks.{i}"
        x = tuning.tokens(x, i)
        h = norm(x, f"{stored}.ln_1", f"{site}.attentionNorm", tuning)
        h = tuning.adapted(h, f"{site}.attention")
        beside = tuning.bypass(h, f"{site}.attention")
        w, b = model[f"{stored}.attn.in_proj_weight"].chunk(3), model[f"{stored}.attn.in_proj_bias"].chunk(3)
        parts = []
        for part, name in enumerate(["query", "key", "value"]):
            bias = tuning.values.get(f"{site}.attention.{name}.bias", b[part])
            y = tuning.output(F.linear(h, w[part], bias), f"{site}.attention.{name}")
            y = y + tuning.update(h, f"{site}.attention.{name}")
            parts.append(y.unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2))
        y = F.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2)
        added = tuning.update(y, f"{site}.attention.output")
        y = linear(y, f"{stored}.attn.out_proj", f"{site}.attention.output", tuning) + added
        x = x + tuning.output(y, f"{site}.attention.output") + beside
        beside = tuning.parallel(x, f"{site}.mlp")
        h = norm(x, f"{stored}.ln_2", f"{site}.mlpNorm", tuning)
        h = tuning.adapted(h, f"{site}.mlp")
        beside = beside + tuning.bypass(h, f"{site}.mlp")
        added = tuning.update(h, f"{site}.mlp.up")
        h = linear(h, f"{stored}.mlp.c_fc", f"{site}.mlp.up", tuning)
        h = tuning.output(h + added, f"{site}.mlp.up")
        h = h * torch.sigmoid(1.702 * h)
        added = tuning.update(h, f"{site}.mlp.down")
        h = linear(h, f"{stored}.mlp.c_proj", f"{site}.mlp.down", tuning) + added
        x = x + tuning.output(h, f"{site}.mlp.down") + beside
    return norm(x[:, 0], "visual.ln_post", "vision.postNorm", tuning) @ model["visual.proj"]


def logits(tuning):
    return scale * F.normalize(features(tuning), dim=-1) @ F.normalize(text, dim=-1).T


def run(name, tuning):
    parameters = {key: value.requires_grad_() for key, value in tuning.values.items()}
    for key, value in parameters.items():
        keep(f"{name}.start.{key}", value)
    optimizer = torch.optim.SGD(parameters.values(), lr=RATE, momentum=MOMENTUM)
    losses = []
    for _ in range(STEPS):
        loss = F.cross_entropy(logits(tuning), labels)
        losses.append(loss.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for key, value in parameters.items():
        keep(f"{name}.end.{key}", value)
    keep(f"{name}.losses", torch.stack(losses))
    keep(f"{name}.logits", logits(tuning))


if IS_OF_FACTORS:
    run("fact-tt", FactorTuning(3, 0.2, "train"))
    run("fact-tk", FactorTuning(3, 0.2, "interleaved"))
    run("fact-tk-slices", FactorTuning(3, 0.2, "slices"))
else:
    run("ssf", ScaleAndShift())
    run("vpt-shallow", VisualPrompts(1, 3))
    run("vpt-deep", VisualPrompts(BLOCKS, 3))
    run("adaptformer", ParallelAdapter(3, 0.1))
    run("repadapter", InputAdapter(4, 0.1))
    run("convpass", ConvolutionalBypass(3, 0.5))
    run("bitfit", Biases())
    run("layernorm", Norms())
save_file(out, sys.argv[1])
print({name: [round(float(x), 4) for x in value] for name, value in out.items() if name.endswith("losses")})
