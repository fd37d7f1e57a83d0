#!/usr/bin/env python3
"""Cuts the large golden sets down to the small ones in this folder: Tests/Fixtures/golden/prune.py /path/to/fixtures

Numbers, tolerances and notes are copied as they are, bit for bit; what goes is whole cases, whole tensors and whole
steps of a trace, and the index says so. Needs nothing but Python's standard library; neither the build nor the tests
run it. The same input gives the same bytes.
"""
import gzip
import json
import pathlib
import shutil
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent

# Who made a set and when, as its index and the README of the large sets say; nothing else is known.
NO_DATE = "date: not recorded. script: not recorded"
RAN = "outputs of published code that was run; "
PROVENANCE = {
    "clip": "transformers 5.23.0, torch 2.15.0, numpy 2.4.6, open_clip 3.3.0; ",
    "images": "Pillow 13.0.0 (libjpeg-turbo 3.2.0), OpenCV 5.0.0, torchvision 0.29.2+cu132, torch 2.15.0, "
    "numpy 2.4.6; ",
    "ops": "torch 2.15.0, numpy 2.4.6; ",
    "optim": "torch 2.15.0, numpy 2.4.6, timm 1.0.31; schedules restated and compared with the published code "
    "(agreement 1e-18); ",
    "ramt": RAN + "the published R-AMT repository (model classes, trainer step) in float64, torch 2.15.0, "
    "numpy 2.4.6; ",
    "spt": RAN + "the published SPT repository in float64, torch 2.15.0, numpy 2.4.6, timm 1.0.31; "
    "published-allocations-*.json: files published with ziplab/SPT, reduced; ",
    "taskres": "restated with torch 2.15.0, numpy 2.4.6 and compared with the published code (agreement 1e-9); ",
    "tokenizer": RAN + "the published OpenAI CLIP SimpleTokenizer with ftfy 6.3.1 and regex 2026.11.15; 'hf' by "
    "transformers 5.23.0 with tokenizers 0.23.3; merges.txt.gz: the published merge list (MIT, "
    "see LICENSE-openai-clip); ",
    "vit": "timm 1.0.31, torch 2.15.0, numpy 2.4.6; ",
    "weights-io": "torch 2.15.0, numpy 2.4.6, safetensors 0.8.0; ",
}


def read(path):
    """The tensors of a safetensors file in the order of their bytes: {name: (dtype, shape, bytes)}."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    entries = sorted(header.items(), key=lambda entry: entry[1]["data_offsets"])
    data = data[8 + length :]
    return {name: (entry["dtype"], entry["shape"], data[slice(*entry["data_offsets"])]) for name, entry in entries}


def write(path, tensors):
    header, offset = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values()))


def dump(value):
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def lines(values):
    return "[\n" + ",\n".join(dump(value) for value in values) + "\n]\n"


class Set:
    """One folder: its index, of which some cases are kept."""

    def __init__(self, large, name):
        self.source, self.target = large / name, HERE / name
        self.index = json.loads((self.source / "index.json").read_text())
        self.all = {case["name"]: case for case in self.index["cases"]}
        self.kept, self.pruned = [], []
        if self.target.exists():
            shutil.rmtree(self.target)
        self.target.mkdir()

    def copy(self, *names):
        for name in names:
            (self.target / name).parent.mkdir(parents=True, exist_ok=True)
            (self.target / name).write_bytes((self.source / name).read_bytes())

    def keep(self, *names, copied=True):
        """Cases with their files as they are."""
        for name in names:
            case = self.all[name]
            self.kept.append(case)
            if copied and "file" in case:
                self.copy(case["file"])
        return self.all[names[0]]

    def tensors(self, name, wanted):
        """A case with those tensors of its file for whose name `wanted` holds."""
        case = self.keep(name, copied=False)
        kept = {key: value for key, value in read(self.source / case["file"]).items() if wanted(key)}
        write(self.target / case["file"], kept)
        if "tensors" in case:
            case["tensors"] = {key: value for key, value in case["tensors"].items() if wanted(key)}
        return case

    def steps(self, name, count):
        """A trace with its first steps only, without what follows from its last one."""

        def is_early(tensor):
            head = tensor.split(".")[0]
            if head in ("eval", "final", "adam"):
                return False
            return not (head[0] == "s" and head[1:].isdigit()) or int(head[1:]) <= count

        case = self.tensors(name, is_early)
        self.pruned.append(f"{name}: the first {count} of {case['args']['steps']} steps, without the end")
        case["args"]["steps"] = count
        for key in ("summary", "losses"):
            if key in case:
                case[key] = case[key][:count]

    def finish(self):
        index = {key: value for key, value in self.index.items() if key != "cases"}
        index["provenance"] = PROVENANCE[self.index["folder"]] + NO_DATE
        index["pruned"] = [f"{len(self.kept)} of {len(self.all)} cases"] + self.pruned
        head = "".join(f"{json.dumps(key)}: {dump(value)},\n" for key, value in index.items())
        text = "{\n" + head + '"cases": ' + lines(self.kept).rstrip() + "\n}\n"
        (self.target / "index.json").write_text(text)


def ops(large):
    it = Set(large, "ops")
    # One of each operation, small but with a remainder for every vector.
    it.keep(
        "linear_0", "layernorm_eps1e-5_1", "gelu_erf", "gelu_tanh", "quickgelu", "relu", "softmax_2", "logsoftmax_2",
        "mha_1_causal", "sdpa_0", "conv2d_k3s2p1", "batchnorm_eval_0", "attnpool_2", "avgpool2d_1",
        "embedding_0", "ce_plain_0", "ce_soft_0", "distill_0", "cosine_logits_0", "l2normalize_2", "l2norm_param_0")
    it.finish()


def clip(large):
    it = Set(large, "clip")
    case = it.keep("hf-tiny-forward")
    it.keep("hf-tiny-gradients")
    it.copy("hf-tiny-texts.json")
    # The clone has this model already.
    ours = HERE.parent / "tiny-clip"
    for file in sorted((it.source / case["args"]["directory"]).iterdir()):
        if file.read_bytes() != (ours / file.name).read_bytes():
            sys.exit(f"{ours / file.name}: expected the bytes of {file}")
    case["args"]["directory"] = "../../tiny-clip"
    it.pruned.append("hf-tiny: the same files as Tests/Fixtures/tiny-clip")
    it.finish()


def vit(large):
    it = Set(large, "vit")
    it.keep("vit-weights", "vit-forward", "pos-resize-3x5-bicubic-aa", "pos-resize-6x6-bilinear")
    it.finish()


def ramt(large):
    it = Set(large, "ramt")
    # Both encoders, with and without gradient dropout, norm regulariser and masked MLPs. Only this one is whole.
    it.keep("mini-vit", "mt-norm-official-lr")
    it.steps("mt-large-lr", 1)
    it.steps("gdr03-mlp-large-lr", 1)
    it.keep("mini-rn")
    it.steps("gdr1-rn", 1)
    it.keep("saved-mask")
    it.copy("saved-mask.pth.tar")
    it.finish()


def spt(large):
    it = Set(large, "spt")
    it.keep("sensitivity", "ranking")
    it.keep("allocation", copied=False)
    allocation = json.loads((it.source / "allocation.json").read_text())
    budgets = ["0.05", "0.2", "1.0"]
    for run in allocation["runs"]:
        # The others have nine of the 79 thresholds.
        run["sweep"] = run["sweep"][::10] if len(run["sweep"]) > 9 else run["sweep"]
        run["budgets"] = {budget: run["budgets"][budget] for budget in budgets}
    it.pruned.append("allocation.json: at most nine thresholds and three of seven budgets a run")
    head = "".join(f"{json.dumps(key)}: {dump(value)},\n" for key, value in allocation.items() if key != "runs")
    (it.target / "allocation.json").write_text(
        "{\n" + head + '"runs": ' + lines(allocation["runs"]).rstrip() + "\n}\n")
    it.steps("train-lora-budget0.2", 2)
    it.steps("train-adapter-budget0.2", 2)
    for form in ("lora", "adapter"):
        name = f"published-allocations-{form}.json"
        published = json.loads((it.source / name).read_text())
        published["tasks"] = {"cifar": {"0.4": published["tasks"]["cifar"]["0.4"]}}
        (it.target / name).write_text(dump(published) + "\n")
        it.pruned.append(f"{name}: one of 19 tasks, one of seven budgets")
    it.finish()


def taskres(large):
    it = Set(large, "taskres")
    it.keep("regular-alpha0.5", "base-from-templates")
    it.finish()


def optim(large):
    it = Set(large, "optim")
    it.keep("sgd-m0.9-nesterov-wd0.01", "adam-wd0.01", "adamw-wd0.1", "adam-lr-changes", "schedules")
    it.finish()


def tokenizer(large):
    it = Set(large, "tokenizer")
    case = it.keep("strings", copied=False)
    strings = json.loads((it.source / "strings.json").read_text())
    # Every sixth, and of those that two tokenizers read differently or that are long, every second.
    special = [index for index, item in enumerate(strings) if "hf" in item or len(item["ids"]) > 75]
    kept = sorted(set(range(0, len(strings), 6)) | set(special[::2]))
    strings = [strings[index] for index in kept]
    (it.target / "strings.json").write_text(lines(strings))
    it.pruned.append(f"strings: {len(strings)} of {case['count']}, the counts are of these")
    case["count"] = len(strings)
    case["differs_between_tokenizers"] = sum("hf" in item for item in strings)
    case["longer_than_75"] = sum(len(item["ids"]) > 75 for item in strings)
    it.keep("padded")
    # The published tokenizer reads the first 48,894 merges of the file, and no line after them.
    with gzip.open(it.source / it.index["data"]) as file:
        head = b"".join(file.readline() for _ in range(1 + 49152 - 256 - 2))
    (it.target / "merges.txt.gz").write_bytes(gzip.compress(head, 9, mtime=0))
    it.index["data"] = "merges.txt.gz"
    it.pruned.append("merges.txt.gz: the first line and the 48,894 merges that are read, of 262,144 lines")
    it.finish()


def images(large):
    it = Set(large, "images")
    jpeg = ["base-444-photo", "base-420-photo", "base-422", "prog-420", "gray", "restart-b3", "exif6", "ycck-adobe"]
    png = ["p-c0-d16", "p-c2-d8", "p-c3-d4", "p-c6-d8-adam7", "p-filter4", "p-1x1-adam7", "pil-rgba", "r-src0"]
    pictures = [f"j-{name}.jpg" for name in jpeg] + [f"{name}.png" for name in png]
    it.keep(*pictures)
    for file in ("decoded-jpeg.safetensors", "decoded-png.safetensors"):
        kept = {key: value for key, value in read(it.source / file).items() if key.removesuffix(".upright") in pictures}
        write(it.target / file, kept)
    it.keep("png16-p-c0-d16")
    for name, count in (("clip-preprocess", 2), ("resize", 4)):
        cases = [case for case in it.all[name]["args"]["cases"] if case["source"] == "r-src0.png"][:count]
        keys = {case["key"] for case in cases}
        # What Pillow made; PyTorch's own resize is for information.
        it.tensors(name, lambda tensor: tensor.removesuffix(".pil") in keys)["args"]["cases"] = cases
        it.pruned.append(f"{name}: {count} sizes of one picture")
    bad = [entry for entry in json.loads((it.source / "bad.json").read_text()) if entry["file"] in {
        "bad/empty.jpg", "bad/j-trunc-half.jpg", "bad/j-no-eoi.jpg", "bad/j-huge.jpg", "bad/j-corrupt-scan.jpg",
        "bad/p-bomb.png", "bad/p-trunc-idat.png", "bad/p-palette-index.png", "bad/p-bad-crc-ihdr.png"}]
    case = it.keep("bad", copied=False)
    it.pruned.append(f"bad: {len(bad)} of {case['args']['count']} files, the count is of these")
    case["args"]["count"] = len(bad)
    (it.target / "bad.json").write_text(lines(bad))
    it.copy(*[entry["file"] for entry in bad])
    it.finish()


def weights_io(large):
    it = Set(large, "weights-io")
    it.keep(*[name for name in it.all if name != "bad"])
    expected = json.loads((it.source / "expected-npy.json").read_text())
    it.copy("expected-all-dtypes.json", "expected-state-dict.json", *expected)
    shards = json.loads((it.source / "sharded/model.safetensors.index.json").read_text())["weight_map"]
    it.copy(*sorted({f"sharded/{file}" for file in shards.values()}))
    bad = [entry for entry in json.loads((it.source / "bad.json").read_text()) if entry["file"] in {
        "bad/header-len-huge.safetensors", "bad/shape-overflow.safetensors", "bad/overlapping.safetensors",
        "bad/truncated-data.safetensors", "bad/version9.npy", "bad/object.npy", "bad/shape-huge.npy", "bad/crc.npz",
        "bad/evil-os-system.pt", "bad/evil-nested.pt", "bad/evil-legacy.pt", "bad/pickle-cut.pt",
        "bad/tensor-shape-huge.pt"}]
    case = it.keep("bad", copied=False)
    it.pruned.append(f"bad: {len(bad)} of {case['args']['count']} files, the count is of these")
    case["args"]["count"] = len(bad)
    (it.target / "bad.json").write_text(lines(bad))
    it.copy(*[entry["file"] for entry in bad])
    it.finish()


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    large = pathlib.Path(sys.argv[1])
    for prune in (clip, images, ops, optim, ramt, spt, taskres, tokenizer, vit, weights_io):
        prune(large)
    sizes = {}
    for name in PROVENANCE:
        sizes[name] = sum(file.stat().st_size for file in (HERE / name).rglob("*") if file.is_file())
    for name, size in sizes.items():
        print(f"{size:9,}  {name}")
    print(f"{sum(sizes.values()):9,}  together")


main()
