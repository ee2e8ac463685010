"""Spaces and tastes as bytes and back: numpy's own format, without pickles, compressed."""

from __future__ import annotations

import io
import json
import zlib
from typing import Any

import numpy as np

from digest.matching.liked_profile import LikedProfile
from digest.matching.lsa import LsaModel


def pack_model(space: LsaModel) -> bytes:
    return _packed(
        {
            "rarity": space.rarity,
            "middle": space.middle,
            "basis": space.basis.astype(np.float16),
            "dense_middle": space.dense_middle,
            "meaning_middle": space.meaning_middle,
            "encoder": np.frombuffer(space.encoder.encode(), np.uint8),
        },
        list(space.features),
    )


def unpack_model(payload: bytes | memoryview) -> LsaModel:
    arrays, names = _unpacked(payload)
    return LsaModel(
        features={name: number for number, name in enumerate(names)},
        rarity=arrays["rarity"],
        middle=arrays["middle"],
        basis=arrays["basis"].astype(np.float32),
        dense_middle=arrays["dense_middle"],
        meaning_middle=arrays["meaning_middle"],
        encoder=arrays["encoder"].tobytes().decode(),
    )


def pack_profile(taste: LikedProfile) -> bytes:
    return _packed(
        {
            "columns": taste.columns,
            "weights": taste.weights,
            "dense": taste.dense,
            "measure": np.array([*taste.middle, *taste.scale, taste.threshold]),
            "likes": taste.likes.astype(np.float16),
        },
        list(taste.titles),
    )


def unpack_profile(payload: bytes | memoryview) -> LikedProfile:
    arrays, titles = _unpacked(payload)
    measure = [float(value) for value in arrays["measure"]]
    return LikedProfile(
        columns=arrays["columns"],
        weights=arrays["weights"],
        dense=arrays["dense"],
        middle=(measure[0], measure[1]),
        scale=(measure[2], measure[3]),
        threshold=measure[4],
        titles=tuple(titles),
        likes=arrays["likes"].astype(np.float32),
    )


def _packed(arrays: dict[str, Any], names: list[str]) -> bytes:
    held = io.BytesIO()
    np.savez(held, **arrays, names=np.frombuffer(json.dumps(names).encode(), np.uint8))
    return zlib.compress(held.getvalue(), 3)


def _unpacked(payload: bytes | memoryview) -> tuple[dict[str, Any], list[str]]:
    with np.load(io.BytesIO(zlib.decompress(bytes(payload))), allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    return arrays, json.loads(arrays.pop("names").tobytes())
