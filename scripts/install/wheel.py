"""Wheels by requirement: pip says where one lies, we fetch it, and the pinned checksum decides."""

import json
import platform
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import repository
from install import environment
from install.download import Refused, copy_local, digest, download
from report import Failure, say


def machine():
    """The processor as wheel names spell it."""
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine())


def pinned_file(name):
    """(requirement, file) of a pinned wheel for this machine."""
    wheels = repository.pinned()["wheels"]
    if name not in wheels:
        raise Failure(f"`{name}` is not pinned: expected one of {', '.join(wheels)}")
    files = wheels[name]["files"]
    file = files.get("any") or files.get(machine())
    if file is None:
        raise Failure(f"{wheels[name]['requirement']}: no wheel for this machine: expected one of "
                      f"{', '.join(files)}, found {machine()}")
    return wheels[name]["requirement"], file


def fetch(name, folder=None):
    """The verified wheel's path; downloads it unless it is there."""
    requirement, file = pinned_file(name)
    destination = (folder or repository.DOWNLOADS) / file["name"]
    checksum = f"sha256:{file['sha256']}"
    if destination.exists() and digest(destination, checksum) == checksum:
        say(f"{file['name']}: already there")
        return destination
    url = locate(requirement, file["name"])
    parts = urlsplit(url)
    if parts.scheme == "file":
        return copy_local(url2pathname(parts.path), destination, checksum)
    try:
        return download(url, destination, checksum, file["bytes"])
    except Refused as refused:
        say(f"{refused}; asking pip to download it")
        return through_pip(requirement, file, destination)


def selection(file_name):
    """pip's options that select exactly this file, whatever Python runs here."""
    python, abi, platforms = file_name[:-len(".whl")].split("-")[-3:]
    options = ["--no-deps", "--only-binary", ":all:", "--ignore-requires-python"]
    if platforms != "any":
        for tag in platforms.split("."):
            options += ["--platform", tag]
    if python.startswith("cp"):
        options += ["--implementation", "cp", "--python-version", f"{python[2]}.{python[3:]}", "--abi", abi]
    return options


def locate(requirement, file_name):
    """The URL of the wheel, from whatever index, mirror or folder pip is configured for."""
    environment.modern_pip()
    # pip wants a target folder beside --platform, and does not touch it in a dry run.
    result = environment.pip("install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-",
                             "--target", str(repository.TOOLCHAIN / "nowhere"), *selection(file_name), requirement)
    if result.returncode != 0:
        raise Failure(f"{requirement}: pip cannot find it: {environment.last_line(result.stderr)}",
                      "connect to the internet, or point pip at a folder that holds "
                      f"{file_name} with PIP_FIND_LINKS and PIP_NO_INDEX=1")
    try:
        url = json.loads(result.stdout)["install"][0]["download_info"]["url"]
    except (ValueError, KeyError, IndexError) as error:
        raise Failure(f"{requirement}: pip's answer has no URL in it",
                      "upgrade pip: `.toolchain/python/bin/python -m pip install --upgrade pip`") from error
    found = unquote(urlsplit(url).path).rsplit("/", 1)[-1]
    if found != file_name:
        raise Failure(f"{requirement}: expected the file {file_name}, found {found}")
    return url


def through_pip(requirement, file, destination):
    """For indexes that only pip can speak to (credentials, client certificates); cannot resume."""
    listing = repository.DOWNLOADS / f"{file['name']}.requirement.txt"
    listing.write_text(f"{requirement} --hash=sha256:{file['sha256']}\n", encoding="utf-8")
    try:
        result = environment.pip("download", "--quiet", "--require-hashes", "--dest", str(destination.parent),
                                 *selection(file["name"]), "--requirement", str(listing))
    finally:
        listing.unlink()
    if result.returncode != 0 or not destination.exists():
        raise Failure(f"{file['name']}: pip cannot download it: {environment.last_line(result.stderr)}")
    return destination
