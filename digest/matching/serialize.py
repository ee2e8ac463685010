"""LSA models and profiles as bytes and back: numpy's own format, without pickles, compressed.

The names of the arrays are stored with them, so they stay as they are.
"""

from __future__ import annotations

import io
import json
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digest.matching.liked_profile import LikedProfile
from digest.matching.lsa import LsaModel

Array = NDArray[Any]  # of the type it was packed with


def pack_model(model: LsaModel) -> bytes:
    return _packed(
        {
            "rarity": model.rarity,
            "middle": model.mean,
            "basis": model.basis.astype(np.float16),
            "dense_middle": model.dense_mean,
            "meaning_middle": model.embedding_mean,
            "encoder": np.frombuffer(model.encoder.encode(), np.uint8),
        },
        list(model.features),
    )


def unpack_model(payload: bytes | memoryview) -> LsaModel:
    arrays, names = _unpacked(payload)
    return LsaModel(
        features={name: number for number, name in enumerate(names)},
        rarity=arrays["rarity"],
        mean=arrays["middle"],
        basis=arrays["basis"].astype(np.float32),
        dense_mean=arrays["dense_middle"],
        embedding_mean=arrays["meaning_middle"],
        encoder=arrays["encoder"].tobytes().decode(),
    )


def pack_profile(profile: LikedProfile) -> bytes:
    return _packed(
        {
            "columns": profile.columns,
            "weights": profile.weights,
            "dense": profile.dense,
            "measure": np.array([*profile.mean, *profile.deviation, profile.threshold]),
            "likes": profile.likes.astype(np.float16),
        },
        list(profile.titles),
    )


def unpack_profile(payload: bytes | memoryview) -> LikedProfile:
    arrays, titles = _unpacked(payload)
    measure: list[float] = arrays["measure"].tolist()
    return LikedProfile(
        columns=arrays["columns"],
        weights=arrays["weights"],
        dense=arrays["dense"],
        mean=(measure[0], measure[1]),
        deviation=(measure[2], measure[3]),
        threshold=measure[4],
        titles=tuple(titles),
        likes=arrays["likes"].astype(np.float32),
    )


def _packed(arrays: dict[str, Array], names: list[str]) -> bytes:
    held = io.BytesIO()
    encoded = np.frombuffer(json.dumps(names).encode(), np.uint8)
    np.savez(held, names=encoded, **arrays)  # type: ignore[arg-type]
    return zlib.compress(held.getvalue(), 3)


def _unpacked(payload: bytes | memoryview) -> tuple[dict[str, Array], list[str]]:
    with np.load(io.BytesIO(zlib.decompress(bytes(payload))), allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    return arrays, json.loads(arrays.pop("names").tobytes())
