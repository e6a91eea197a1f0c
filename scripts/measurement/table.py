"""A table for a terminal and the same as Markdown. Cells are texts; the first column is a name, others are figures."""


def plain(header, rows):
    """Aligned with spaces."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = []
    for row in [header, *rows]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(header, rows):
    """A bar inside a cell would begin another one."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)


def spread(found, digits=1, scale=1.0):
    """`median (minimum to maximum)` of a summary; a dash where nothing was measured."""
    if found is None:
        return "–"
    median, low, high = (f"{found[name] * scale:.{digits}f}" for name in ("median", "minimum", "maximum"))
    return median if low == high else f"{median} ({low} to {high})"


def times(value):
    """A ratio."""
    return "–" if value is None else f"{value:.2f} ×"


def share(value):
    """A part of one, in per cent."""
    return "–" if value is None else f"{100 * value:.2f} %"


def small(value):
    """A number that is best read by its power of ten."""
    return "–" if value is None else "0" if value == 0 else f"{value:.1e}"
