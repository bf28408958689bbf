"""A training as a file: its history and the state after its last epoch, written whole and read without being run."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from empirical.models.files import tensors
from fragility.engine.files import DamagedRecordError, write_whole
from fragility.engine.study import UsageError

FORMAT = "fragility training 1"


def save(path: Path, identity: str, history: list[dict[str, float]], state: dict[str, Any]) -> None:
    """Writes the file, whole or not at all.

    Raises
    ------
    StorageError : the folder cannot be written, or the disk is full.
    """
    import torch

    buffer = io.BytesIO()
    torch.save({"format": FORMAT, "identity": identity, "history": history, "state": state}, buffer)
    write_whole(path, buffer.getbuffer())


def read(path: Path, identity: str) -> tuple[list[dict[str, float]], dict[str, Any]]:
    """(history, state) in the file, tensors on the CPU.

    Raises
    ------
    DamagedRecordError : the file cannot be read, is damaged, or is no checkpoint of a training.
    UsageError : it has another identity.
    """
    try:
        content = tensors(path)
    except UsageError as error:
        raise DamagedRecordError(f"{error}: move it away or delete it, and training starts anew") from None
    if not _is_checkpoint(content):
        raise DamagedRecordError(f"{path} must be a checkpoint, got a file that is none: move it away or delete it")
    if content["identity"] != identity:
        raise refusal(path, f"one of another training ({content['identity']}; asked for: {identity})")
    return content["history"], content["state"]


def _is_checkpoint(content: Any) -> bool:
    """Whether it has the form of what `save` writes; the training itself sees whether its state fits."""
    return (
        isinstance(content, dict)
        and content.get("format") == FORMAT
        and isinstance(content.get("identity"), str)
        and isinstance(content.get("state"), dict)
        and isinstance(content.get("history"), list)
        and all(
            isinstance(report, dict)
            and {"loss", "accuracy"} <= set(report)
            and all(isinstance(value, float) for value in report.values())
            for report in content["history"]
        )
    )


def refusal(path: Path, what: str) -> UsageError:
    """The one line that says what the file holds in place of this training, and the way out."""
    line = " ".join(what.split())[:300]
    return UsageError(f"{path} must be a checkpoint of this training, got {line}: move it away or delete it")
