# VPT: its transformer has embeddings and an encoder.
import types
from functools import reduce
from operator import mul

from torch import nn

from common import Source, report, torch_names
from vit import BLOCKS, WIDTH, Tower, compare, numbers


class Layer(nn.Module):
    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, x):
        return self.block(x), None


class Encoder(nn.Module):
    def __init__(self, tower):
        super().__init__()
        self.layer, self.encoder_norm, self.vis = nn.ModuleList(map(Layer, tower.blocks)), tower.post, False

    def forward(self, x):
        for layer in self.layer:
            x, _ = layer(x)
        return self.encoder_norm(x), []


class Transformer(nn.Module):
    def __init__(self, config, img_size, vis):
        super().__init__()
        tower = Tower(numbers)
        self.embeddings, self.encoder = Embeddings(tower), Encoder(tower)


class Embeddings(nn.Module):
    def __init__(self, tower):
        super().__init__()
        self.tower = tower

    def forward(self, images):
        return self.tower.embedded(images)


source = Source("KMnP/vpt", "7f3942e49fb062818f17fa11ec4b6d371ef962c8", "src/models/vit_prompt/vit.py")
code = source.definitions(["PromptedTransformer"], {
    **torch_names, "Transformer": Transformer, "reduce": reduce, "mul": mul, "_pair": lambda x: (x, x),
    "Dropout": nn.Dropout})
for name, is_deep in [("vpt-shallow", False), ("vpt-deep", True)]:
    prompted = code["PromptedTransformer"](
        types.SimpleNamespace(LOCATION="prepend", INITIATION="random", NUM_DEEP_LAYERS=None, DEEP_SHARED=False,
                              NUM_TOKENS=3, DROPOUT=0.0, PROJECT=-1, DEEP=is_deep),
        types.SimpleNamespace(patches={"size": 4}, hidden_size=WIDTH, transformer={"num_layers": BLOCKS}), 8, False)
    parts = {"vision.blocks.0.prompts": (prompted.prompt_embeddings, lambda p: p[0])}
    if is_deep:
        parts["vision.blocks.1.prompts"] = (prompted.deep_prompt_embeddings, lambda p: p[0])
    compare(name, source, numbers, lambda images: prompted(images)[0][:, 0] @ numbers["visual.proj"], parts)

report.finish()
