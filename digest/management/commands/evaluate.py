"""`manage.py evaluate`: how well likes and descriptions find papers, beside the usual recipes, in one run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from digest.matching import onnx_encoder
from digest.matching.evaluation import running
from subscriptions import commands


class Command(commands.Command):
    help = "Replay judged collections and print AUC, nDCG@10 and precision@10 beside the usual recipes."

    def add_arguments(self, parser: CommandParser) -> None:
        default = Path(settings.BASE_DIR).parent / "shared" / "data" / "judged"
        parser.add_argument("--data", type=Path, default=default, help="the folder of judged collections")
        parser.add_argument(
            "--part", choices=("tune", "report"), default="report", help="the half that was tuned on, or the other"
        )

        parser.add_argument("--encoder", default="", help="a sentence encoder's folder, to measure likes with it")

    def run(self, **options: Any) -> dict[str, Any]:
        if find_spec("sklearn") is None:
            raise CommandError("The usual recipes need scikit-learn: pip install -r config/requirements-dev.txt")
        if not options["data"].is_dir():
            raise CommandError(f"There are no judged collections in {options['data']}. Name their folder with --data.")
        try:
            loaded = onnx_encoder.load(options["encoder"])
        except onnx_encoder.EncoderError as error:
            raise CommandError(str(error)) from error
        return {
            "part": options["part"],
            "encoder": loaded.name if loaded else "",
            "collections": running.run(options["data"], options["part"], loaded),
        }

    def show(self, answer: dict[str, Any]) -> None:
        for one in answer["collections"]:
            self.stdout.write(f"\n{one['collection']} ({answer['part']}): {one['papers']} papers, {one['tasks']} tasks")
            for name, figures in one["recipes"].items():
                values = "  ".join(f"{measure} {value:.4f}" for measure, value in figures.items())
                self.stdout.write(f"  {name:14} {values}")
            for measure, gain in one["gains"].items():
                interval = f"{gain['low']:+.4f} to {gain['high']:+.4f}"
                self.stdout.write(f"  {measure}: {gain['gain']:+.4f} over {gain['over']} (95 %: {interval})")
