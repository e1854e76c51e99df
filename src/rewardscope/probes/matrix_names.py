"""What a weight is, read from its name: its layer and its kind."""

import re

OUTSIDE = "outside"
"""Layer of weights that are in none: embeddings, the last norm, the head."""
UNKNOWN = "unknown"
"""Kind of a weight whose name is not recognised."""
NORM = re.compile(r"norm|(^|_)ln(_|\d|$)")
EMBEDDING = re.compile(r"embed|^wte$|^wpe$")
HEAD = {"lm_head", "embed_out", "score"}
IN_ATTENTION = {"dense", "c_proj"}
"""Names that mean o in an attention block and down elsewhere."""
KINDS: dict[str, set[str]] = {
    "q": {"q_proj", "query", "wq", "q", "q_lin", "to_q"},
    "k": {"k_proj", "key", "wk", "k", "k_lin", "to_k"},
    "v": {"v_proj", "value", "wv", "v", "v_lin", "to_v"},
    "qkv": {"qkv_proj", "query_key_value", "c_attn", "wqkv", "qkv"},
    "o": {"o_proj", "out_proj", "wo", "out_lin", "to_out"},
    "gate": {"gate_proj", "w1"},
    "up": {"up_proj", "w3", "c_fc", "fc1", "fc_in", "dense_h_to_4h"},
    "gate and up": {"gate_up_proj"},
    "down": {"down_proj", "w2", "fc2", "fc_out", "dense_4h_to_h"},
    "router": {"gate", "router"},
}
"""Kind -> last names of the modules that are it, over the families of transformers."""
KIND_OF = {name: kind for kind, names in KINDS.items() for name in names}


def layer_of(name: str) -> str:
    """The first number in the name; ``outside`` where there is none.

    >>> layer_of("model.layers.12.mlp.up_proj.weight"), layer_of("lm_head.weight")
    ('12', 'outside')
    """
    return next((part for part in name.split(".") if part.isdigit()), OUTSIDE)


def kind_of(name: str) -> str:
    """q, k, v, o, gate, up, down, norm, embedding, head ..., followed by ``bias`` for one;
    ``unknown`` where the name says nothing.

    >>> kind_of("transformer.h.0.attn.c_proj.weight"), kind_of("A_log")
    ('o', 'unknown')
    >>> kind_of("model.layers.1.self_attn.q_proj.bias")
    'q bias'
    """
    *parents, last = name.split(".")
    bias = " bias" if last == "bias" and parents else ""
    if last in ("weight", "bias") and parents:
        *parents, last = parents
    module = last.lower()
    if NORM.search(module):
        return "norm" + bias
    if module in HEAD:
        return "head" + bias
    if EMBEDDING.search(module):
        return "embedding" + bias
    if module in IN_ATTENTION:
        return ("o" if any("att" in parent.lower() for parent in parents) else "down") + bias
    kind = KIND_OF.get(module)
    return UNKNOWN if kind is None else kind + bias
