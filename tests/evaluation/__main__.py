"""`python -m tests.evaluation --data FOLDER`: how well likes and descriptions find papers, beside the usual recipes."""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import django


def show(answer: dict[str, Any]) -> None:
    for one in answer["collections"]:
        print(f"\n{one['collection']} ({answer['part']}): {one['papers']} papers, {one['tasks']} tasks")
        for name, figures in one["recipes"].items():
            values = "  ".join(f"{measure} {value:.4f}" for measure, value in figures.items())
            print(f"  {name:14} {values}")
        for measure, gain in one["gains"].items():
            interval = f"{gain['low']:+.4f} to {gain['high']:+.4f}"
            print(f"  {measure}: {gain['gain']:+.4f} over {gain['over']} (95 %: {interval})")


def main(words: list[str] | None = None) -> None:
    from digest.matching import onnx_encoder
    from tests.evaluation import running

    parser = argparse.ArgumentParser(prog="python -m tests.evaluation", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of judged collections")
    parser.add_argument("--part", choices=("tune", "report"), default="report", help="the half tuned on, or the other")
    parser.add_argument("--encoder", default="", help="a sentence encoder's folder, to measure likes with it")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of words")
    options = parser.parse_args(words)
    if find_spec("sklearn") is None:
        parser.error("the usual recipes need scikit-learn: make setup-dev")
    if not options.data.is_dir():
        parser.error(f"there are no judged collections in {options.data}; name their folder with --data")
    try:
        loaded = onnx_encoder.load(options.encoder)
    except onnx_encoder.EncoderError as error:
        parser.error(str(error))
    found = {
        "part": options.part,
        "encoder": loaded.name if loaded else "",
        "collections": running.run(options.data, options.part, loaded),
    }
    if options.json:
        print(json.dumps(found))
    else:
        show(found)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    sys.exit(main())
