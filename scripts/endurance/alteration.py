"""Random damage to a file: one bit flipped, a part cut off, or something appended."""

import random
from dataclasses import dataclass

KINDS = ("flip", "truncation", "extension")
LONGEST_EXTENSION = 64
WHITE_SPACE = b" \n\r\t"


@dataclass(frozen=True)
class Alteration:
    """What is done to one file. Numbered: seed and number say everything."""

    number: int
    file: str
    kind: str
    # The byte of a flip, or the length that is left by a truncation.
    position: int = 0
    bit: int = 0
    appended: bytes = b""

    def apply(self, content):
        """The altered bytes, which always differ from `content`."""
        if self.kind == "flip":
            altered = bytearray(content)
            altered[self.position] ^= 1 << self.bit
            return bytes(altered)
        return content[:self.position] if self.kind == "truncation" else content + self.appended

    def describe(self, content):
        """One line that tells a person what was done, with the text around a flip in a text file."""
        if self.kind == "truncation":
            return f"alteration {self.number}: {self.file} cut from {len(content)} to {self.position} bytes"
        if self.kind == "extension":
            return (f"alteration {self.number}: {self.file} extended by {len(self.appended)} bytes, "
                    f"{self.appended[:16]!r}")
        line = f"alteration {self.number}: {self.file} byte {self.position} bit {self.bit}"
        if self.file.endswith(".npy"):
            return line
        around = slice(max(0, self.position - 12), self.position + 12)
        return f"{line}: {content[around]!r} became {self.apply(content)[around]!r}"


def draw(seed, number, sizes, kinds=KINDS):
    """An alteration of one of these files (name -> size): file, place and content each drawn uniformly."""
    chance = random.Random(f"{seed} alteration {number}")
    file = chance.choice(sorted(name for name, size in sizes.items() if size > 0))
    kind = chance.choice(kinds)
    if kind == "flip":
        return Alteration(number, file, kind, chance.randrange(sizes[file]), chance.randrange(8))
    if kind == "truncation":
        return Alteration(number, file, kind, chance.randrange(sizes[file]))
    length = chance.randint(1, LONGEST_EXTENSION)
    # White space is what a lenient parser forgives, so half of the extensions are nothing else.
    blank = chance.random() < 0.5
    appended = bytes(chance.choice(WHITE_SPACE) if blank else chance.randrange(256) for _ in range(length))
    return Alteration(number, file, kind, appended=appended)
