"""What a script says: short lines while it works, one line and a hint when it fails."""

import sys


class Failure(Exception):
    """An error for the person at the keyboard: names the file, then expected and found."""

    def __init__(self, message, hint=None):
        super().__init__(message)
        self.hint = hint


# Where progress goes; a script whose standard output is data sets it to sys.stderr.
stream = sys.stdout


def say(message):
    print(message, file=stream, flush=True)


def tell(program, failure):
    """A failure as a person reads it: one line, and a hint."""
    print(f"{program}: {failure}", file=sys.stderr)
    if failure.hint:
        print(f"hint: {failure.hint}", file=sys.stderr)


def run(program, main):
    """Runs `main`, and turns failures into one line, a hint and an exit code."""
    try:
        sys.exit(main() or 0)
    except Failure as failure:
        tell(program, failure)
        sys.exit(1)
    except KeyboardInterrupt:
        print(f"{program}: interrupted; run it again to go on", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        # A full disk or a folder without permission: the system's own words name the file.
        print(f"{program}: {error}", file=sys.stderr)
        sys.exit(1)
