"""Every kind of picture and of damage, drawn with Pillow, each with what should become of it."""

import io
import random
import struct
import zlib
from dataclasses import dataclass
from typing import Optional

import numpy
from PIL import Image

SIZES = ((1, 1), (7, 5), (8, 8), (17, 33), (64, 64), (301, 203))
LARGE = (160, 120)


@dataclass
class Picture:
    """A file, and what is expected of it."""

    name: str
    content: bytes
    # What the reason of its rejection has to contain; None where it has to be read as Pillow reads it.
    reason: Optional[str] = None
    # RGB pixels, where Pillow's own are not what is wanted.
    pixels: Optional[Image.Image] = None
    # Whether the program has to say that it may be damaged.
    doubtful: bool = False

    @property
    def kind(self):
        return self.name.split("-")[0]

    def expected(self):
        """What Pillow makes of it, as Keras' `load_img` does."""
        if self.pixels is not None:
            return self.pixels
        image = Image.open(io.BytesIO(self.content))
        image.load()
        return image.convert("RGB")


def drawn(mode, size, chance):
    """A picture of colours that run into each other, with noise."""
    width, height = size
    across, down = numpy.meshgrid(numpy.linspace(0, 200, width), numpy.linspace(0, 150, height))
    noise = numpy.random.default_rng(chance.randrange(1 << 30)).integers(0, 50, (height, width, 3))
    rgb = numpy.stack([across, down, (across + down) / 2], 2) + noise
    image = Image.fromarray(rgb.clip(0, 255).astype("uint8"))
    if mode == "I;16":
        return Image.fromarray((rgb.sum(2) * 80).astype("uint16"))
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.fromarray((across % 256).astype("uint8")))
    return image.convert(mode)


def encoded(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def corpus(seed):
    """All of them, by name."""
    chance = random.Random(f"{seed} corpus")
    pictures = [*jpegs(chance), *pngs(chance), *others(chance), *tiffs(chance), *damaged(chance), *strangers()]
    assert len({picture.name for picture in pictures}) == len(pictures)
    return pictures


def jpegs(chance):
    for size in SIZES:
        for mode in ("L", "RGB"):
            for quality in (5, 50, 95):
                for sampling in (0, 1, 2) if mode == "RGB" else (0,):
                    for progressive in (False, True):
                        content = encoded(drawn(mode, size, chance), "JPEG", quality=quality,
                                          subsampling=sampling, progressive=progressive)
                        name = f"jpeg-{mode}-{size[0]}x{size[1]}-{quality}-{sampling}-{int(progressive)}.jpg"
                        yield Picture(name, content)
    photograph = drawn("RGB", LARGE, chance)
    for blocks in (1, 3, 20):
        for progressive in (False, True):
            content = encoded(photograph, "JPEG", restart_marker_blocks=blocks, progressive=progressive)
            yield Picture(f"jpeg-restart-{blocks}-{int(progressive)}.jpg", content)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        # Keras does not turn them, and neither does Pillow when it loads a JPEG.
        yield Picture(f"jpeg-orientation-{orientation}.jpg", encoded(photograph, "JPEG", exif=exif))
    plain = encoded(photograph, "JPEG")
    yield Picture("jpeg-optimized.jpeg", encoded(photograph, "JPEG", optimize=True))
    yield Picture("jpeg-icc.jpe", encoded(photograph, "JPEG", icc_profile=b"profile" * 9000))
    yield Picture("jpeg-comment.jfif", encoded(photograph, "JPEG", comment=b"\xff\xd8\xff\xd9" * 40))
    yield Picture("jpeg-called-png.png", plain)
    yield Picture("jpeg-garbage-behind.jpg", plain + b"behind" * 500)
    yield Picture("jpeg-second-picture.jpg", plain + encoded(drawn("RGB", (40, 30), chance), "JPEG"))
    yield Picture("jpeg-fill-bytes.jpg", plain[:2] + b"\xff\xff\xff" + plain[2:])
    with_thumbnail = plain[:2] + segment(0xE1, b"Exif\0\0" + encoded(drawn("RGB", (20, 20), chance), "JPEG")) + plain[2:]
    yield Picture("jpeg-thumbnail.jpg", with_thumbnail)


def segment(marker, content):
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def pngs(chance):
    for size in SIZES:
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
            yield Picture(f"png-{mode}-{size[0]}x{size[1]}.png", encoded(drawn(mode, size, chance), "PNG"))
        deep = drawn("I;16", size, chance)
        yield Picture(f"png-16-{size[0]}x{size[1]}.png", encoded(deep, "PNG"), pixels=eight_bits(deep))
    palette = drawn("P", LARGE, chance)
    yield Picture("png-transparent-palette.png", encoded(palette, "PNG", transparency=3))
    yield Picture("png-transparent-colour.png", encoded(drawn("RGB", LARGE, chance), "PNG", transparency=(1, 2, 3)))
    frames = [drawn("RGB", LARGE, chance) for _ in range(3)]
    yield Picture("png-animated.apng", encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]))
    yield Picture("png-interlaced.png", interlaced())


def eight_bits(deep):
    """Greys of 16 bits divided by 257, where Pillow cuts them off at 255."""
    array = numpy.asarray(deep, "uint32")
    return Image.fromarray(((array + 128) // 257).astype("uint8")).convert("RGB")


def interlaced():
    """Adam7 of 8 x 8 greys, made by hand, for Pillow writes none."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    lines = b"".join(b"\0" + bytes(x * 9 + y * 20 for x in range(left, 8, across))
                     for left, top, across, down in passes for y in range(top, 8, down))
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def others(chance):
    for size in SIZES:
        sides = f"{size[0]}x{size[1]}"
        for mode in ("1", "L", "P", "RGB", "RGBA"):
            yield Picture(f"bmp-{mode}-{sides}.bmp", encoded(drawn(mode, size, chance), "BMP"))
        for mode in ("1", "L", "P"):
            yield Picture(f"gif-{mode}-{sides}.gif", encoded(drawn(mode, size, chance), "GIF"))
        for mode in ("RGB", "RGBA"):
            image = drawn(mode, size, chance)
            yield Picture(f"webp-{mode}-{sides}-lossy.webp", encoded(image, "WEBP", quality=70))
            yield Picture(f"webp-{mode}-{sides}-lossless.webp", encoded(image, "WEBP", lossless=True, exact=True))
    frames = [drawn("P", LARGE, chance) for _ in range(3)]
    yield Picture("gif-animated.gif", encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    yield Picture("gif-transparent.gif", encoded(frames[1], "GIF", transparency=3))
    coloured = [frame.convert("RGB") for frame in frames]
    yield Picture("webp-animated.webp", encoded(coloured[0], "WEBP", save_all=True, append_images=coloured[1:],
                                               lossless=True))


def tiffs(chance):
    for size in SIZES:
        sides = f"{size[0]}x{size[1]}"
        for mode in ("1", "L", "LA", "RGB", "RGBA"):
            reason = "a TIFF of greys and transparency with 8 bits" if mode == "LA" else None
            for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
                content = encoded(drawn(mode, size, chance), "TIFF", compression=compression)
                yield Picture(f"tiff-{mode}-{sides}-{compression}.tif", content, reason=reason)
        deep = drawn("I;16", size, chance)
        yield Picture(f"tiff-16-{sides}.tiff", encoded(deep, "TIFF"), pixels=eight_bits(deep))
        content = encoded(drawn("P", size, chance), "TIFF")
        yield Picture(f"tiff-palette-{sides}.tif", content, reason="a TIFF of palette colours with 8 bits")
    photograph = drawn("RGB", LARGE, chance)
    for orientation in range(1, 9):
        content = encoded(photograph, "TIFF", tiffinfo={274: orientation})
        yield Picture(f"tiff-orientation-{orientation}.tif", content)
    yield Picture("tiff-big.tif", encoded(photograph, "TIFF", big_tiff=True))
    pages = [drawn("RGB", LARGE, chance) for _ in range(2)]
    yield Picture("tiff-pages.tif", encoded(photograph, "TIFF", save_all=True, append_images=pages))
    yield Picture("tiff-jpeg.tif", encoded(photograph, "TIFF", compression="jpeg"))


TRUNCATED = "the file is truncated"


def damaged(chance):
    """Cut off at every twelfth, closed again, begun anew, with forged sizes."""
    photograph = drawn("RGB", LARGE, chance)
    forms = {
        "jpg": encoded(photograph, "JPEG"), "progressive.jpg": encoded(photograph, "JPEG", progressive=True),
        "restart.jpg": encoded(photograph, "JPEG", restart_marker_blocks=5), "png": encoded(photograph, "PNG"),
        "bmp": encoded(photograph, "BMP"), "webp": encoded(photograph, "WEBP"),
        "tif": encoded(photograph, "TIFF", compression="tiff_lzw"), "gif": encoded(photograph.convert("P"), "GIF"),
    }
    for suffix, content in forms.items():
        for twelfth in range(1, 12):
            cut = content[:len(content) * twelfth // 12]
            yield Picture(f"cut-{twelfth:02}.{suffix}", cut, reason="")
            if suffix.endswith("jpg") and twelfth > 3:
                scan = content.index(b"\xff\xda") + 14
                cut = content[:scan + (len(content) - 2 - scan) * twelfth // 12]
                yield Picture(f"closed-{twelfth:02}.{suffix}", cut + b"\xff\xd9", reason="JPEG")
                # A cut inside of a segment's header is another fault.
                reason = "" if suffix == "progressive.jpg" else TRUNCATED
                yield Picture(f"anew-{twelfth:02}.{suffix}", cut + content, reason=reason)
        yield Picture(f"start-only.{suffix}", content[:12], reason="")
    plain = forms["jpg"]
    frame = plain.index(b"\xff\xc0")
    for name, sides in {"a_little": (168, 168), "more": (2000, 2000), "most": (65000, 65000)}.items():
        forged = plain[:frame + 5] + struct.pack(">HH", *sides) + plain[frame + 9:]
        yield Picture(f"forged-{name}.jpg", forged, reason="pixels" if name == "most" else TRUNCATED)
    png = forms["png"]
    header = struct.pack(">II", 60000, 60000) + png[24:29]
    forged = png[:8] + chunk(b"IHDR", header) + png[33:]
    yield Picture("forged-png.png", forged, reason="expected at most 178956970 pixels, found 60000 x 60000")
    bmp = bytearray(forms["bmp"])
    bmp[18:26] = struct.pack("<ii", 30000, 30000)
    yield Picture("forged-bmp.bmp", bytes(bmp), reason="expected at most 178956970 pixels")
    yield Picture("doubt-padded.jpg", plain[:-2] + b"\0" * 40 + plain[-2:], doubtful=True)


def strangers():
    """What is no picture, or none that can be decoded."""
    kinds = {
        "empty.jpg": (b"", "an empty file"),
        "zeros.jpg": (bytes(4096), "zeros alone: download or copy it again"),
        "lfs.png": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a Git LFS pointer: run `git lfs"),
        "page.jpg": (b"\r\n<!DOCTYPE html><html><title>404</title>", "an HTML page"),
        "error.jpg": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "an XML document"),
        "drawing.png": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        "phone.jpg": (b"\0\0\0\x18ftypheic\0\0\0\0heicmif1", "a HEIC photograph"),
        "new.jpg": (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "an AVIF image"),
        "film.jpg": (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2", "a video"),
        "layers.jpg": (b"8BPS\0\1" + bytes(40), "a Photoshop document"),
        "paper.jpg": (b"%PDF-1.7\n", "a PDF document"),
        "packed.jpg": (b"PK\3\4" + bytes(30), "a ZIP archive"),
        "features.jpg": (b"\x93NUMPY\1\0", "a NumPy array"),
        "text.jpg": (b"a list of photographs\n", "bytes 61 20 6c 69 73 74 20 6f"),
        "json.jpg": (b'{"error": "not found"}', "a JSON document"),
        "random.jpg": (random.Random(1).randbytes(3000), "found bytes"),
    }
    for name, (content, reason) in kinds.items():
        yield Picture(f"stranger-{name}", content, reason=reason)
