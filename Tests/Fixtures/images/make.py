"""Small GIF, BMP and WebP files of each kind that the decoders must support, and the pixels Pillow sees in them.

Run in this folder with Pillow 13 and numpy; writes the files and prints width, height and CRC-32 of the RGB bytes of each,
as `DamagedImageTests` has them. libwebp is also called directly, for settings that Pillow does not pass on.
"""

import ctypes
import glob
import os
import struct
import zlib

import numpy as np
import PIL
from PIL import Image

random = np.random.RandomState(16)


def smooth(width, height, seed):
    small = np.random.RandomState(seed).randint(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.BICUBIC)


def noise(width, height, seed):
    return Image.fromarray(np.random.RandomState(seed).randint(0, 256, (height, width, 3), dtype=np.uint8))


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


def bmp(width, height, bits, pixels, compression=0, colors=0, palette=b"", size=40, masks=b"", extra=b""):
    header = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, compression, len(pixels), 2835, 2835, colors, 0)
    offset = 14 + size + len(masks) + len(palette)
    start = b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset)
    return start + header + extra[: size - 40] + masks + palette + pixels


def rows(width, height, bits):
    return random.randint(0, 256, (width * bits + 31) // 32 * 4 * height, dtype=np.uint8).tobytes()


def codes(pixels, bits):
    """LZW that never goes beyond its first code size, which any decoder must also read."""
    clear, held, count, out = 1 << bits, 0, 0, bytearray()
    every = max(1, clear - 2)
    stream = [code for i, p in enumerate(pixels) for code in ([clear] if i % every == 0 else []) + [p]] + [clear + 1]
    for code in stream:
        held |= code << count
        count += bits + 1
        while count >= 8:
            out.append(held & 255)
            held >>= 8
            count -= 8
    out.append(held & 255)
    blocks = [bytes(out[i : i + 255]) for i in range(0, len(out), 255)]
    return bytes([bits]) + b"".join(bytes([len(b)]) + b for b in blocks) + b"\0"


def gif(screen, frame, bits, palette=None, local=None, transparent=None, interlaced=False):
    flags = 0x80 | bits - 1
    data = b"GIF89a" + struct.pack("<HHBBB", *screen, flags if palette else 0, 0, 0) + (palette or b"")
    if transparent is not None:
        data += b"!\xf9\x04" + bytes([1, 0, 0, transparent]) + b"\0"
    pixels = random.randint(0, 1 << bits, frame[2] * frame[3]).tolist()
    data += b"!\xfe\x05hello\0," + struct.pack("<HHHHB", *frame, (flags if local else 0) | (64 if interlaced else 0))
    return data + (local or b"") + codes(pixels, bits) + b";"


def colors(bits, step=3):
    return random.randint(0, 256, step << bits, dtype=np.uint8).tobytes()


def encode(image, **settings):
    """libwebp's encoder with any of its settings."""
    library = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(PIL.__file__), "..", "pillow.libs", "libwebp-*"))[0])
    names = (
        "lossless quality method image_hint target_size target_PSNR segments sns_strength filter_strength "
        "filter_sharpness filter_type autofilter alpha_compression alpha_filtering alpha_quality pass show_compressed "
        "preprocessing partitions partition_limit emulate_jpeg_size thread_level low_memory near_lossless exact "
        "use_delta_palette use_sharp_yuv qmin qmax"
    ).split()
    kinds = {"quality": ctypes.c_float, "target_PSNR": ctypes.c_float}

    class Config(ctypes.Structure):
        _fields_ = [(n, kinds.get(n, ctypes.c_int)) for n in names] + [("rest", ctypes.c_int * 16)]

    class Picture(ctypes.Structure):
        _fields_ = [
            ("use_argb", ctypes.c_int), ("colorspace", ctypes.c_int), ("width", ctypes.c_int),
            ("height", ctypes.c_int), ("planes", ctypes.c_void_p * 3), ("strides", ctypes.c_int * 2),
            ("alpha", ctypes.c_void_p), ("alpha_stride", ctypes.c_int), ("pad", ctypes.c_uint32 * 2),
            ("argb", ctypes.c_void_p), ("argb_stride", ctypes.c_int), ("pad2", ctypes.c_uint32 * 3),
            ("writer", ctypes.c_void_p), ("custom", ctypes.c_void_p), ("rest", ctypes.c_uint8 * 512),
        ]

    class Writer(ctypes.Structure):
        _fields_ = [("memory", ctypes.c_void_p), ("size", ctypes.c_size_t), ("rest", ctypes.c_uint64 * 2)]

    config, picture, writer = Config(), Picture(), Writer()
    quality = ctypes.c_float(settings.pop("quality"))
    version = next(
        v for v in range(0x200, 0x230) if library.WebPConfigInitInternal(ctypes.byref(config), 0, quality, v))
    for name, value in settings.items():
        setattr(config, name, value)
    assert library.WebPValidateConfig(ctypes.byref(config))
    assert library.WebPPictureInitInternal(ctypes.byref(picture), version)
    picture.width, picture.height = image.size
    library.WebPMemoryWriterInit(ctypes.byref(writer))
    picture.writer = ctypes.cast(library.WebPMemoryWrite, ctypes.c_void_p)
    picture.custom = ctypes.cast(ctypes.pointer(writer), ctypes.c_void_p)
    pixels = np.ascontiguousarray(np.asarray(image))
    assert library.WebPPictureImportRGB(
        ctypes.byref(picture), pixels.ctypes.data_as(ctypes.c_void_p), pixels.strides[0])
    assert library.WebPEncode(ctypes.byref(config), ctypes.byref(picture))
    return ctypes.string_at(writer.memory, writer.size)


def make():
    photo = smooth(35, 27, 1)
    photo.quantize(40).save("palette.gif")
    write("interlaced-offset.gif", gif((13, 11), (2, 1, 9, 8), 4, colors(4), transparent=3, interlaced=True))
    write("larger-frame.gif", gif((5, 5), (1, 1, 9, 7), 2, colors(2), local=colors(2)))
    write("grey.gif", gif((9, 7), (0, 0, 9, 7), 8))
    frames = [smooth(20, 16, seed) for seed in range(3)]
    frames[0].save("animated.gif", save_all=True, append_images=frames[1:])

    for bits in (1, 4, 8):
        write(f"{bits}-bit.bmp", bmp(11, 5, bits, rows(11, 5, bits), palette=colors(bits, 4)[: 4 << min(bits, 5)],
                                     colors=1 << min(bits, 5)))
    write("565.bmp", bmp(9, 5, 16, rows(9, 5, 16), 3, masks=struct.pack("<3I", 0xF800, 0x7E0, 0x1F)))
    write("555.bmp", bmp(9, 5, 16, rows(9, 5, 16)))
    write("top-down-24.bmp", bmp(9, -5, 24, rows(9, 5, 24)))
    masks = struct.pack("<4I", 0xFF, 0xFF00, 0xFF0000, 0xFF000000)
    write("rgba-v4.bmp", bmp(9, 5, 32, rows(9, 5, 32), 3, size=108, extra=masks + bytes(52)))
    old = struct.pack("<IHHHH", 12, 9, 5, 1, 4) + colors(4)
    write("os2.bmp", b"BM" + struct.pack("<IHHI", 14 + len(old) + 40, 0, 0, 14 + len(old)) + old + rows(9, 5, 4))
    runs = bytes([5, 1, 0, 4, 1, 2, 3, 4, 0, 0, 0, 3, 7, 8, 9, 0, 40, 2, 0, 0, 0, 2, 3, 1, 6, 5, 0, 0, 9, 3, 0, 0, 0, 1])
    write("rle8.bmp", bmp(9, 5, 8, runs, 1, palette=colors(8, 4)[:128], colors=32))
    halves = bytes([5, 0x12, 0, 4, 0x34, 0x56, 0, 0, 0, 5, 0x78, 0x9A, 0xB0, 0, 4, 0xCD, 0, 0, 9, 0xEF, 0, 0, 0, 1])
    write("rle4.bmp", bmp(9, 3, 4, halves, 2, palette=colors(4, 4)))

    photo.save("lossy.webp", quality=60, method=6)
    settings = dict(filter_type=0, filter_sharpness=5, filter_strength=60, partitions=2, segments=4)
    write("lossy-simple-filter.webp", encode(smooth(40, 70, 2), quality=30, method=4, **settings))
    settings = dict(filter_type=1, filter_sharpness=3, filter_strength=90, segments=3)
    write("lossy-noise.webp", encode(noise(19, 18, 3), quality=8, method=3, **settings))
    alpha = np.dstack([np.asarray(photo), np.indices((27, 35)).sum(0).astype(np.uint8) * 4])
    Image.fromarray(alpha).save("lossy-alpha.webp", quality=50)
    photo.save("lossless.webp", lossless=True, method=6)
    noise(11, 9, 4).save("lossless-noise.webp", lossless=True, quality=0, method=0)
    photo.quantize(11).convert("RGB").save("lossless-palette.webp", lossless=True)
    Image.fromarray(np.tile(np.asarray(noise(12, 5, 5)), (6, 4, 1))).save("lossless-copies.webp", lossless=True)
    Image.fromarray(alpha).save("lossless-alpha.webp", lossless=True, exact=True)
    canvas = Image.new("RGBA", (20, 16))
    canvas.paste(smooth(9, 7, 6), (4, 6))
    canvas.save("animated.webp", save_all=True, append_images=[frames[1].convert("RGBA")], lossless=True,
                minimize_size=True)


make()
for name in sorted(n for n in os.listdir(".") if n.endswith((".gif", ".bmp", ".webp"))):
    with Image.open(name) as image:
        pixels = image.convert("RGB")
    print(f'    ("{name}", {pixels.width}, {pixels.height}, 0x{zlib.crc32(pixels.tobytes()):08X}),')
