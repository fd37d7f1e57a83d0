"""Emoji in two styles, with the names and groups that Unicode gives them.

emoji holds the images of gemojione, emoji-noto those of the same emoji in the font Noto Color Emoji: classes are the
groups, and training, validation and test images are of the same emoji in both. pairs holds images in Noto's style with
captions, to pretrain a CLIP on: those of the training emoji, and such as gemojione does not have. Skin tones are left
out, as they are not a matter of kind, and flags, as nearly all of them are of one kind."""

import io
import json
import random
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import Image

from sources import EMOJI_NAMES, GEMOJIONE, NOTO, checked

NAMES_FILE = checked(EMOJI_NAMES, "8445f23ac8388e096be19d0262e14fceff856ff52093f2356dc89485f1a853db")
GEMOJIONE_FOLDER = checked(GEMOJIONE, "239cbbda104b3dd5d7b3780e8858e9a48ae11dd8641c2afd5c8152abd3767630")
FONT = TTFont(checked(NOTO, "e5899ed38b8ed83e08bd3ac5de09791e9d19d288333a796de1d35ad17396f1ec"))
TONES = range(0x1F3FB, 0x1F400)
VARIATION, JOINER = 0xFE0F, 0x200D


def listed():
    """Group, code points and name of every emoji, in the order of Unicode."""
    for line in NAMES_FILE.read_text().splitlines():
        if line.startswith("# group:"):
            group = line.removeprefix("# group:").strip()
        elif "; fully-qualified" in line and group not in ("Component", "Flags"):
            codes = tuple(int(code, 16) for code in line.split(";")[0].split())
            if not any(code in TONES for code in codes):
                # "… # 😀 E1.0 grinning face"
                yield group, codes, line.split("#", 1)[1].split(maxsplit=2)[2]


def ligatures():
    """Names of glyphs of sequences, by the names of their parts."""
    return {
        (first, *ligature.Component): ligature.LigGlyph
        for lookup in FONT["GSUB"].table.LookupList.Lookup
        for subtable in lookup.SubTable
        if hasattr(subtable, "ligatures")
        for first, following in subtable.ligatures.items()
        for ligature in following
    }


CHARACTERS, LIGATURES, BITMAPS = FONT.getBestCmap(), ligatures(), FONT["CBDT"].strikeData[0]
FILES = {
    tuple(int(code, 16) for code in path.stem.split("-") if int(code, 16) not in (VARIATION, JOINER)): path
    for path in GEMOJIONE_FOLDER.iterdir()
}


def on_white(image):
    """An image in the middle of a white square, without its alpha."""
    image = image.convert("RGBA")
    side = max(image.size)
    square = Image.new("RGBA", (side, side), "white")
    square.alpha_composite(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square.convert("RGB")


def gemojione(codes):
    """The image of an emoji in gemojione, 64 × 64, if it has it."""
    path = FILES.get(tuple(code for code in codes if code not in (VARIATION, JOINER)))
    return path and on_white(Image.open(path))


def noto(codes):
    """The image of an emoji in Noto, 136 × 136, if it has it."""
    parts = tuple(CHARACTERS.get(code) for code in codes if code != VARIATION)
    glyph = BITMAPS.get(parts[0] if len(parts) == 1 else LIGATURES.get(parts))
    return glyph and on_white(Image.open(io.BytesIO(glyph.imageData)))


def hexadecimal(codes):
    return "-".join(f"{code:x}" for code in codes)


def save(image, *path):
    path = Path(*path)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


emoji = [(group.lower().replace("&", "and"), codes, name, gemojione(codes), noto(codes))
         for group, codes, name in listed()]
groups = sorted({group for group, *_ in emoji})
counts, held_out = {"train": 0, "val": 0, "test": 0}, set()
pairs = []
for group in groups:
    both = [one for one in emoji if one[0] == group and one[3] and one[4]]
    # 50 % for training, 15 % for validation, 35 % for the test.
    random.Random(0).shuffle(both)
    ends = {"train": len(both) // 2, "val": len(both) * 65 // 100, "test": len(both)}
    start = 0
    for split, end in ends.items():
        for _, codes, name, one, other in both[start:end]:
            file = f"{hexadecimal(codes)}.png"
            save(one, "emoji", split, group.replace(" ", "_"), file)
            # Another name, as the settings of a run have the names of its images, by which a report tells runs apart.
            save(other, "emoji-noto", split, group.replace(" ", "_"), f"noto-{file}")
            counts[split] += 1
            if split == "train":
                pairs.append((file, other, group, name))
            else:
                held_out.add(codes[0])
        start = end
# A sequence that begins like an emoji of validation or test may be a variant of it.
for group, codes, name, one, other in emoji:
    if other and not one and codes[0] not in held_out:
        pairs.append((f"{hexadecimal(codes)}.png", other, group, name))
for file, image, *_ in pairs:
    save(image, "pairs", file)
with open("pairs/captions.jsonl", "w") as captions:
    for file, _, group, name in pairs:
        row = {"file": file, "text": [name, f"{group}, {name}", group]}
        captions.write(json.dumps(row, ensure_ascii=False) + "\n")
print(f"emoji, emoji-noto: {counts['train']} training, {counts['val']} validation and {counts['test']} test images of "
      f"{len(groups)} classes each; pairs: {len(pairs)} images")
