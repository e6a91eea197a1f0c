"""Downloads that go on where they stopped and end with the pinned checksum, or not at all."""

import fcntl
import hashlib
import http.client
import os
import shutil
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from report import Failure, say

MEGABYTE = 1_000_000
BLOCK = 1 << 20
ATTEMPTS = 5
TIMEOUT_SECONDS = 60


class Refused(Failure):
    """The server answered, and the answer is no: trying again would not help."""


def download(url, destination, checksum, size=None, timeout=TIMEOUT_SECONDS, attempts=ATTEMPTS):
    """Fetches `url` to `destination`.

    `checksum` is "sha256:…" (or md5, where that is all that is published); None where nobody publishes one.
    """
    destination = Path(destination)
    destination.parent.mkdir(parents=True, exist_ok=True)
    part = destination.with_name(destination.name + ".part")
    with exclusive(part):
        if destination.exists() and (checksum is None or digest(destination, checksum) == checksum):
            say(f"{destination.name}: already there")
            return destination
        if not (size and part.exists() and part.stat().st_size == size):
            transfer(url, part, size, timeout, attempts)
        adopt(part, destination, checksum)
    return destination


def transfer(url, part, size, timeout, attempts):
    """Fills `part`, over several connections if need be."""
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            receive(url, part, size, timeout)
            return
        except (OSError, http.client.HTTPException) as error:
            cause = error
        progress = (part.stat().st_size if part.exists() else 0) > before
        failures = 1 if progress else failures + 1
        # Without a name server there is no point in waiting, unless the download was under way.
        offline = isinstance(getattr(cause, "reason", None), socket.gaierror) and not part.exists()
        if offline or failures >= attempts:
            raise Failure(f"{part.name[:-5]}: download failed: {reason(cause)}",
                          "check the network, then run the same command again: it goes on where it stopped")
        pause = 2 ** (failures - 1)
        say(f"{part.name[:-5]}: {reason(cause)}; trying again in {pause} s")
        time.sleep(pause)


def receive(url, part, size, timeout):
    """One connection: asks for the rest of the file and appends it."""
    name = part.name[:-5]
    have = part.stat().st_size if part.exists() else 0
    if size and have > size:
        part.unlink()
        have = 0
    headers = {"User-Agent": "convbase-setup", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers),
                                          timeout=timeout, context=certificates())
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:
            # Nothing of our range is left on the server: what lies here is not a beginning of its file.
            part.unlink()
            raise ConnectionError("the server has no such range; beginning anew") from error
        if 400 <= error.code < 500 and error.code not in (408, 429):
            raise Refused(f"{name}: the server refused: {error.code} {error.reason}") from error
        raise
    with response:
        start = resumed_at(response, have)
        length = response.headers.get("Content-Length")
        total = start + int(length) if length else size
        if start:
            say(f"{name}: resuming at {start / MEGABYTE:.0f} MB")
        else:
            say(f"{name}: downloading" + (f" {total / MEGABYTE:.0f} MB" if total else ""))
        with part.open("ab" if start else "wb") as file:
            copy(response, file, name, start, total)
    if total and part.stat().st_size < total:
        raise ConnectionError(f"the connection ended at {part.stat().st_size} of {total} bytes")


def resumed_at(response, have):
    """The offset the server really sends from: 0 where it ignores ranges."""
    if getattr(response, "status", None) != 206:
        return 0
    span = response.headers.get("Content-Range", "")
    if span.startswith(f"bytes {have}-"):
        return have
    raise ConnectionError(f"expected the range from byte {have}, found {span or 'none'}")


def copy(response, file, name, done, total):
    """Copies to disk, with a running count where a person watches."""
    watched = sys.stderr.isatty()
    shown = time.monotonic()
    while True:
        block = response.read(BLOCK)
        if not block:
            break
        file.write(block)
        done += len(block)
        if watched and time.monotonic() - shown > 0.5:
            shown = time.monotonic()
            of = f" of {total / MEGABYTE:.0f}" if total else ""
            print(f"\r{name}: {done / MEGABYTE:.0f}{of} MB ", end="", file=sys.stderr, flush=True)
    if watched:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def adopt(part, destination, checksum):
    """Gives a complete download its name, if it is what it should be."""
    found = digest(part, checksum or "sha256:")
    if checksum is None:
        say(f"{destination.name}: nobody publishes its digest; read as {found}")
    elif found != checksum:
        part.unlink()
        raise Failure(f"{destination.name}: wrong checksum: expected {checksum}, found {found} (deleted)",
                      "run again; if it happens twice, the source holds another file than the one pinned")
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(part, destination)


def copy_local(source, destination, checksum):
    """The same promise for a file that a local wheel folder or mirror already holds."""
    destination = Path(destination)
    destination.parent.mkdir(parents=True, exist_ok=True)
    part = destination.with_name(destination.name + ".part")
    with exclusive(part):
        say(f"{destination.name}: copying from a local folder")
        shutil.copyfile(source, part)
        adopt(part, destination, checksum)
    return destination


def digest(path, checksum):
    """The file's digest by the algorithm that `checksum` names, written the same way."""
    algorithm = checksum.partition(":")[0]
    running = hashlib.new(algorithm)
    with Path(path).open("rb") as file:
        for block in iter(lambda: file.read(BLOCK), b""):
            running.update(block)
    return f"{algorithm}:{running.hexdigest()}"


def certificates():
    """The system's certificates, and those that pip and requests were told about."""
    context = ssl.create_default_context()
    for variable in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        bundle = os.environ.get(variable)
        if bundle and os.path.isfile(bundle):
            context.load_verify_locations(cafile=bundle)
    return context


def reason(error):
    """The system's own words, without the library's wrapping."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    cause = getattr(error, "reason", error)
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


@contextmanager
def exclusive(part):
    """Two set-ups at once must not write into one file: the second waits."""
    # Never deleted: a lock file that is removed while another process waits for it locks nothing.
    with part.with_name(".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say(f"{part.name[:-5]}: waiting for another download to end")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
