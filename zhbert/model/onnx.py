"""A task model that ONNX Runtime carries out: what predicting asks of a model, without transformers' class.

- The folder is one of `zhbert onnx`. Only its graph is loaded: no model of torch is made beside it.
- The graph takes (rows, tokens), also of a model that compares options, and gives tensors under the names
  that transformers gives them, so that the tasks cannot tell who has said them.
- It runs on the CPU, on as many threads as torch would take (`OMP_NUM_THREADS`, `torch.set_num_threads`).
- Padding does not reach what is said of text, but for one thing: with weights of eight bits the scale of what
  they are multiplied with is that of the whole batch, so the last digits depend on what is read together.
"""

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import torch
from torch import Tensor
from transformers import PreTrainedConfig

from zhbert.errors import ModelError

Backend = Literal["torch", "onnx", "onnx-int8"]
GRAPHS: dict[str, str] = {"onnx": "model.onnx", "onnx-int8": "model-int8.onnx"}
_QUIET = 3  # errors only, of ONNX Runtime's levels


def graph_of(folder: Path, backend: Backend) -> Path:
    """Return the graph of a folder for a backend, or say what to do where there is none.

    >>> graph_of(Path("ner"), "onnx-int8")
    Traceback (most recent call last):
    zhbert.errors.ModelError: ner: no model-int8.onnx in it (make it: zhbert onnx --model … --int8 -o …)
    """
    path = folder / GRAPHS[backend]
    if not path.is_file():
        option = " --int8" if backend == "onnx-int8" else ""
        remedy = f"make it: zhbert onnx --model …{option} -o …"
        raise ModelError(f"no {path.name} in it", where=folder, remedy=remedy)
    return path


def needed(package: str) -> Any:
    """Return a package that only ONNX needs."""
    try:
        return import_module(package)
    except ImportError as error:
        name = package.partition(".")[0]
        raise ModelError(f"{name} is not installed", remedy="pip install 'zhbert[onnx]'") from error


class OnnxModel:
    """A graph to call as one calls a model of transformers."""

    device = torch.device("cpu")

    def __init__(self, path: Path, config: PreTrainedConfig) -> None:
        runtime = needed("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = _QUIET
        options.enable_mem_pattern = False  # every batch has another shape
        try:
            self._session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # it raises types of its own for whatever is wrong in the file
            why = next(filter(None, str(error).splitlines()), type(error).__name__)
            raise ModelError(f"not a graph that ONNX Runtime loads: {why}", where=path) from error
        self.path, self.config, self.name_or_path = path, config, str(path.parent)
        self._inputs = {one.name for one in self._session.get_inputs()}
        self._outputs = [one.name for one in self._session.get_outputs()]
        self.by_token = {o.name for o in self._session.get_outputs() if "tokens" in o.shape}

    def eval(self) -> "OnnxModel":
        """Return itself: a graph is never trained."""
        return self

    def parameters(self) -> list[Tensor]:
        """Return nothing: the weights are ONNX Runtime's."""
        return []

    def __call__(self, **tensors: Tensor) -> SimpleNamespace:
        """Return what the model says of a padded batch."""
        given = {name: tensor.numpy() for name, tensor in tensors.items() if name in self._inputs}
        said = self._session.run(None, given)
        return SimpleNamespace(**{n: torch.from_numpy(v) for n, v in zip(self._outputs, said, strict=True)})
