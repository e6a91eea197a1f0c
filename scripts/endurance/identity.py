"""A network that gives its pixels back, so that a store's features are the decoded pixels."""


def identity(size):
    """The bytes of an ONNX file (IR version 8, operators of version 13): one Identity over [n, size, size, 3]."""
    pixels, features = (value(name, size) for name in ("pixels", "features"))
    node = text(1, "pixels") + text(2, "features") + text(4, "Identity")
    graph = part(1, node) + text(2, "identity") + part(11, pixels) + part(12, features)
    return number(1, 8) + part(8, text(1, "") + number(2, 13)) + part(7, graph)


def value(name, size):
    """ValueInfoProto of a float32 tensor with any number of images."""
    sides = part(1, text(2, "n")) + b"".join(part(1, number(1, side)) for side in (size, size, 3))
    return text(1, name) + part(2, part(1, number(1, 1) + part(2, sides)))


def number(field, content):
    return varint(field << 3) + varint(content)


def part(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def text(field, content):
    return part(field, content.encode())


def varint(content):
    """Seven bits a byte, the least first (Protocol Buffers, encoding)."""
    encoded = bytearray()
    while content > 0x7F:
        encoded.append(content & 0x7F | 0x80)
        content >>= 7
    encoded.append(content)
    return bytes(encoded)
