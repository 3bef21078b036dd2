"""`python -m spacy lstm-tagger export`: a trained pipeline for ONNX Runtime, without torch."""

from pathlib import Path
from typing import Any

import spacy
import typer
from spacy.language import Language
from wasabi import msg

from . import lstm_tagger_cli
from .output import check_new, save_pipeline

REQUIREMENT = "onnxruntime>=1.16"


@lstm_tagger_cli.command("export")
def export_cli(
    model: str = typer.Argument(..., help="Name or path of a trained pipeline"),
    output: Path = typer.Argument(..., help="The directory to write", file_okay=False),
    precision: str = typer.Option("float32", "--precision", "-p", help="float32 or int8"),
) -> None:
    """Write a pipeline whose lstm_tagger runs on ONNX Runtime and needs no torch.

    The tags stay the same but for rounding. The pipeline loads with spacy.load() and packages
    with `spacy package`; it cannot be trained.
    """
    if precision not in ("float32", "int8"):
        msg.fail(f"--precision is '{precision}', but must be float32 or int8", exits=1)
    check_new(output)
    try:
        nlp = spacy.load(model)
        names = [name for name in nlp.pipe_names if _exportable(nlp, name)]
        if not names:
            raise ValueError(
                f"It has the components {nlp.pipe_names}, none of which has the model "
                "spacy-lstm-tagger.LSTMTagger.v1."
            )
        for name in names:
            _replace(nlp, name, quantized=precision == "int8")
    except (OSError, ValueError) as error:
        msg.fail(f"Cannot export the pipeline '{model}'", str(error), exits=1)
    except ImportError as error:
        msg.fail("Exporting needs onnx and onnxruntime", str(error), exits=1)
    requirements = nlp.meta.setdefault("requirements", [])
    if REQUIREMENT not in requirements:
        requirements.append(REQUIREMENT)
    save_pipeline(nlp, output)
    msg.good(f"Wrote {output}: {', '.join(names)} in {precision}")


def _exportable(nlp: Language, name: str) -> bool:
    model = nlp.get_pipe_config(name).get("model", {})
    return model.get("@architectures") == "spacy-lstm-tagger.LSTMTagger.v1"


def _replace(nlp: Language, name: str, *, quantized: bool) -> None:
    """Put the exported tagger in the place of the trained one."""
    from ..runtime.onnx_graph import embed_graph, encode_graph

    trained, config = nlp.get_pipe(name), dict(nlp.get_pipe_config(name))
    settings = config.pop("model")
    exported = {
        "@architectures": "spacy-lstm-tagger.OnnxTagger.v1",
        "max_characters": settings["max_characters"],
        "affixes": settings["affix_width"] > 0,
        "include_static_vectors": settings["include_static_vectors"],
        "predict_pos": settings.get("predict_pos", False),
    }
    config.pop("factory")
    nlp.replace_pipe(name, "lstm_tagger", config={**config, "model": exported})
    tagger = nlp.get_pipe(name)
    tagger.cfg.update(trained.cfg)
    features, network = _layers(trained.model)
    weights = {k: values.numpy() for k, values in network.shims[0].module.state_dict().items()}
    onnx_features, onnx_network = _layers(tagger.model)
    onnx_features.attrs["vocabulary"] = features.attrs["vocabulary"]
    onnx_network.shims[0].set_graphs(
        {
            "embed": embed_graph(weights, small=quantized),
            "encode": encode_graph(weights, cell=settings["cell"], quantized=quantized),
        }
    )
    for node in (onnx_network, tagger.model):
        node.set_dim("nO", len(tagger.labels), force=True)


def _layers(model: Any) -> tuple[Any, Any]:
    features, network = model.layers
    return features, network
