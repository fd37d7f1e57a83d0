# What the scripts of heads share: the numbers of Tests/Fixtures/heads/make.py, and a CLIP whose features are its
# images. Half and single precision of the authors' code are read as double. What their functions find is taken as they
# return.
import sys
import types

import torch
import torch.nn.functional as F

from common import Instead, fixture, torch_names

torch.Tensor.half = torch.Tensor.float = torch.Tensor.double
torch.cuda.empty_cache = lambda: None
precise = Instead(torch, float16=torch.float64, float32=torch.float64, float=torch.float64)
names = {**torch_names, "torch": precise, "tqdm": lambda x: x, "print": lambda *_, **__: None}

file = "heads/heads.safetensors"
numbers = fixture(file)
CLASSES, WIDTH, VIEWS, SCALE = 4, 8, 2, 100.0
train, train_labels = numbers["train"], numbers["train_labels"]
val, val_labels, test = numbers["val"], numbers["val_labels"], numbers["test"]
test_labels = torch.arange(CLASSES).repeat(3)
weights = F.normalize(numbers["text"], dim=-1).T
clip_model = types.SimpleNamespace(encode_image=lambda images: images.clone(), dtype=torch.float64)


def unit(x):
    return F.normalize(x, dim=-1)


def returned(function, *arguments):
    """What the local names of a Python function are as it returns."""
    found = {}

    def watch(frame, event, _):
        if event == "return" and frame.f_code is function.__code__:
            found.update(frame.f_locals)

    sys.setprofile(watch)
    try:
        function(*arguments)
    finally:
        sys.setprofile(None)
    return found


def accuracy(logits, target):
    """Theirs turns an array of one element into a number, which NumPy 2 does not."""
    return 100 * float((logits.argmax(1) == target).double().mean())


views = train.reshape(VIEWS, -1, WIDTH)


class Views:
    """A loader that gives another view of all images each time."""

    def __init__(self):
        self.next = 0

    def __len__(self):
        return 1

    def __iter__(self):
        self.next += 1
        return iter([(views[(self.next - 1) % VIEWS], train_labels[:len(views[0])])])


losses = []


def cross_entropy(logits, target, **options):
    """Keeps what it returns in `losses`."""
    value = F.cross_entropy(logits, target, **options)
    losses.append(value.detach())
    return value


class Method:
    """What methods of the authors derive from."""

    def __init__(self, settings):
        pass
