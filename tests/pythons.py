"""Prints every Python from 3.11 up that this machine has: its version and its path, a line each.

With the word `newest` it prints the newest only.

It looks along PATH and at what pyenv keeps. Any Python 3 can run it: nothing here is younger than 3.8.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

NAME = re.compile(r"python3\.(\d+)")
OLDEST = 11
# Both are needed to make a folder of libraries; the answer is the version, such as 3.12.1.
ASK = "import ensurepip, venv, platform; print(platform.python_version())"


def candidates():
    """Files named python3.N, each place in its order, the machine's own before pyenv's."""
    places = [Path(place) for place in os.environ.get("PATH", "").split(os.pathsep)]
    kept = Path.home() / ".pyenv" / "versions"
    for place in [*places, *sorted(kept.glob("*/bin"))]:
        for path in sorted(place.glob("python3.*")):
            found = NAME.fullmatch(path.name)
            if found and int(found[1]) >= OLDEST:
                yield path


def version(path):
    """What it says it is; '' for one that does not run (pyenv's stand-ins) or cannot make a venv."""
    asked = subprocess.run([str(path), "-c", ASK], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return asked.stdout.decode().strip() if asked.returncode == 0 else ""


def main():
    found = {}
    for path in candidates():
        found.setdefault(version(path), path)
    found.pop("", None)
    names = sorted(found, key=lambda text: [int(part) for part in re.findall(r"\d+", text)])
    for name in names[-1:] if sys.argv[1:] == ["newest"] else names:
        print(name, found[name])
    if len(found) == 1:
        print("Only one Python from 3.11 up is here: nothing is proven on a second one.", file=sys.stderr)


if __name__ == "__main__":
    main()
