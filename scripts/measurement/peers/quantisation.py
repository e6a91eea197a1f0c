"""A base in 8 bits, as ONNX Runtime's static quantisation writes it and OpenVINO compiles it: QuantizeLinear and
DequantizeLinear around its operators, unsigned bytes with a zero point in its maps, signed ones with a scale for each
channel in its kernels."""

import time

from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from measurement import machine
from measurement.peers import work

PASS = 8


class Pixels(CalibrationDataReader):
    """The pixels of photographs, so many in a pass."""

    def __init__(self, folder, paths, side):
        self.passes = (work.decoded(folder, paths[first:first + PASS], (side, side))
                       for first in range(0, len(paths), PASS))

    def get_next(self):
        pixels = next(self.passes, None)
        return None if pixels is None else {"pixels": pixels}


def write(graph, images, count, side, file):
    """The ranges of maps are the least and the greatest that photographs spread over all have."""
    begun = time.perf_counter()
    paths = work.spread(work.listing(images), count, first=1)
    # Where bytes are multiplied and added up in 16 bits, kernels of 7 bits keep two products from being too much.
    narrow = machine.adds_bytes_in_16_bits(machine.machine())
    quantize_static(graph, file, Pixels(images, paths, side), quant_format=QuantFormat.QDQ, per_channel=True,
                    reduce_range=narrow, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
    return {"photographs": len(paths), "weight_bits": 7 if narrow else 8, "seconds": time.perf_counter() - begun}
