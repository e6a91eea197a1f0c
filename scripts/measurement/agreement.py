"""How far two arrays of features are apart: the numbers, and the most that is let pass."""

import math

# Frobenius norm of the difference over that of ours in fp32.
# 8 bits move the features of a light base by a fifth, those of a large one by a fiftieth; beyond this something is wrong.
LIMITS = {"fp32": 1e-4, "bf16": 2e-2, "int8": 0.3}
# Rows at a time: memory stays small whatever the number of photographs.
ROWS = 256


def agreement(found, expected):
    """relative: ‖found − expected‖ / ‖expected‖; largest: of the differences; cosine: the least of all rows;
    worst_row: the row that is furthest away, and worst_relative how far."""
    import numpy

    if found.shape != expected.shape:
        raise ValueError(f"expected features {list(expected.shape)}, found {list(found.shape)}")
    squares, norms, cosines, largest = [], [], [], 0.0
    for begin in range(0, len(expected), ROWS):
        one, other = (array[begin:begin + ROWS].reshape(len(array[begin:begin + ROWS]), -1).astype(numpy.float64)
                      for array in (found, expected))
        squares.append(numpy.square(one - other).sum(axis=1))
        norms.append(numpy.square(other).sum(axis=1))
        # Not Python's max: it would lose a value that is no number.
        largest = float(numpy.maximum(largest, numpy.abs(one - other).max()))
        lengths = numpy.linalg.norm(one, axis=1) * numpy.linalg.norm(other, axis=1)
        # A row of zeros points nowhere; two of them agree.
        cosines.append(numpy.where(lengths > 0, (one * other).sum(axis=1) / numpy.where(lengths > 0, lengths, 1),
                                   numpy.all(one == other, axis=1)))
    squares, norms, cosines = (numpy.concatenate(parts) for parts in (squares, norms, cosines))
    rows = [relative(square, norm) for square, norm in zip(squares, norms)]
    # What is no number is worse than any number.
    worst = max(range(len(rows)), key=lambda row: math.inf if math.isnan(rows[row]) else rows[row])
    return {"relative": relative(squares.sum(), norms.sum()), "largest": largest, "cosine": float(cosines.min()),
            "worst_row": worst, "worst_relative": rows[worst]}


def relative(square, norm):
    """The root of the quotient; a difference from nothing is infinite."""
    if norm == 0:
        return 0.0 if square == 0 else math.inf
    return math.sqrt(square / norm)


def within(found, precision):
    """False as well for what is no number."""
    return found["relative"] <= LIMITS[precision]
