"""A sentence encoder, if the operator has one: a folder on this machine, never fetched. Off by default.

The folder is an ONNX export (`model.onnx` or `onnx/model.onnx`, and `tokenizer.json`). It needs onnxruntime and
tokenizers, which Offprint does not require otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from digest.matching.paper_text import PaperText
from digest.matching.postings import Floats

MOST_TOKENS = 256
BATCH = 32
MEND = "Export the model anew, or leave ENCODER_FOLDER empty."


class EncoderError(RuntimeError):
    """The folder cannot be used as an encoder; the message says what is missing."""


class OnnxEncoder(Protocol):
    """Texts into rows of one length; near meanings are near rows. `name` changes when the rows would."""

    name: str

    def encode(self, texts: Sequence[str]) -> Floats:
        """One row of length 1 for each text."""
        ...


@lru_cache(maxsize=1)
def load(folder: str) -> OnnxEncoder | None:
    """The encoder in a folder; None where `folder` is "". Raises EncoderError."""
    if not folder:
        return None
    home = Path(folder)
    for file in ("model.onnx", "onnx/model.onnx"):
        if (home / file).is_file():
            _need(home, "onnxruntime", "tokenizers")
            return _opened(home, partial(_Onnx, home, home / file))
    raise EncoderError(
        f"There is no model.onnx in ENCODER_FOLDER ({home.name}). Export the model to ONNX (docs/matching.md)."
    )


def _opened(home: Path, kind: Callable[[], OnnxEncoder]) -> OnnxEncoder:
    """The encoder after it encoded a few words. The libraries raise errors of many kinds, bare `Exception` too."""
    try:
        found = kind()
        rows = found.encode(["A few words.", "Others."])
    except Exception as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        why = said.replace(str(home), home.name)[:200].rstrip(". ")
        raise EncoderError(f"The encoder in {home.name} cannot be used: {why}. {MEND}") from error
    if rows.ndim != 2 or not rows.size or not np.isfinite(rows).all():
        raise EncoderError(f"The encoder in {home.name} does not make one row of numbers a text. {MEND}")
    return found


def _need(home: Path, *libraries: str) -> None:
    missing = [name for name in libraries if find_spec(name) is None]
    if missing:
        raise EncoderError(f"The encoder in {home.name} needs {' and '.join(missing)}: install them beside Offprint.")


def text_of(paper: PaperText) -> str:
    """What of a paper is encoded."""
    return f"{paper.title}. {paper.abstract}"


class _Onnx:
    def __init__(self, home: Path, model: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        self.name = f"onnx:{home.name}"
        self.session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(home / "tokenizer.json"))
        self.tokenizer.enable_truncation(MOST_TOKENS)
        self.tokenizer.enable_padding()

    def encode(self, texts: Sequence[str]) -> Floats:
        parts = [self._batch(texts[low : low + BATCH]) for low in range(0, len(texts), BATCH)]
        return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)

    def _batch(self, texts: Sequence[str]) -> Floats:
        """The mean of the last layer's rows over the real tokens, as sentence encoders are trained."""
        cut = self.tokenizer.encode_batch(list(texts))
        fed = {
            "input_ids": np.array([one.ids for one in cut], np.int64),
            "attention_mask": np.array([one.attention_mask for one in cut], np.int64),
            "token_type_ids": np.array([one.type_ids for one in cut], np.int64),
        }
        wanted = {one.name for one in self.session.get_inputs()}
        rows: Any = self.session.run(None, {name: value for name, value in fed.items() if name in wanted})[0]
        mask = fed["attention_mask"][:, :, None]
        return _unit((rows * mask).sum(1) / np.maximum(mask.sum(1), 1))


def _unit(rows: Any) -> Floats:
    unit: Floats = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return unit
