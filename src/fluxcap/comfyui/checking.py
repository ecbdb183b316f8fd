"""Before anything is rendered: the server's nodes and files, and whether the LoRAs' keys belong to the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fluxcap.comfyui.graphs import Picture, api
from fluxcap.comfyui.loras import fit, header, other_model
from fluxcap.comfyui.offers import Offers, fitted, missing, offers, spelling
from fluxcap.comfyui.server import Server, is_local
from fluxcap.comfyui.tables import tables, target
from fluxcap.errors import FluxcapError

_MOST = 4  # missing things that are told


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Pictures that the server can make, with the names as it spells them. ``unread`` are LoRAs whose keys nobody could read."""

    pictures: tuple[Picture, ...]
    notices: tuple[str, ...]
    unread: tuple[str, ...]


def check(server: Server, pictures: Sequence[Picture], files: Mapping[str, Path] | None = None) -> Checked:
    """Look whether the server has what the pictures need; ``files`` are LoRAs that are at hand, by the name on the server.

    Raises ``FluxcapError`` for what is missing, and for a LoRA that would change nothing.
    """
    server.version()
    there = offers(server.object_info(_classes(pictures)))
    notices: dict[str, None] = {}
    found: list[Picture] = []
    faults: dict[str, None] = {}
    for picture in pictures:
        named = replace(picture, lora=_lora(picture.lora, there))
        named, told = fitted(named, there)
        notices |= dict.fromkeys(told)
        needs = tables().graph[target(picture.target).graph].needs
        faults |= dict.fromkeys(missing(api(named), there, needs))
        found.append(named)
    if faults:
        shown = list(faults)[:_MOST]
        more = f"; and {len(faults) - _MOST} more" if len(faults) > _MOST else ""
        raise FluxcapError("; ".join(shown) + more, "bring or update it there, then run the same command again")
    at_hand = {spelled: path for name, path in (files or {}).items() if (spelled := _lora(name, there))}
    unread: list[str] = []
    for lora, target_id in dict.fromkeys((one.lora, one.target) for one in found if one.lora):
        told_of = _about(server, lora, target_id, at_hand)
        unread += [lora] if told_of is None else []
        notices |= {told_of: None} if told_of else {}
    return Checked(pictures=tuple(found), notices=tuple(notices), unread=tuple(unread))


def _classes(pictures: Iterable[Picture]) -> list[str]:
    graphs = {target(one.target).graph for one in pictures}
    lora = any(one.lora for one in pictures)
    nodes = (item for graph in sorted(graphs) for item in tables().graph[graph].nodes.items())
    return list(dict.fromkeys(node.name for name, node in nodes if lora or name != "lora"))


def _lora(name: str, there: Offers) -> str:
    offer = there.get("LoraLoaderModelOnly")
    return (spelling(name, offer.choices.get("lora_name", ())) or name) if name and offer else name


def _about(server: Server, lora: str, target_id: str, files: Mapping[str, Path]) -> str | None:
    """What there is to say of a LoRA; None where its keys cannot be read. Raises ``FluxcapError`` where it is of no use."""
    path = files.get(lora) or _on_this_machine(server, lora)
    if path is None or path.suffix != ".safetensors":
        other = other_model(server.lora_metadata(lora), target_id)
        if other:
            raise FluxcapError(
                f"{lora} was trained for {other}, not for {target_id}", "name another --lora or --target"
            )
        return None
    shapes, _ = header(path)
    found = fit(shapes, target_id)
    told = found.told(path.name, target_id)
    if found.useless:
        raise FluxcapError(told, "ComfyUI would make the pictures without it; name another --lora or --target")
    return told


def _on_this_machine(server: Server, lora: str) -> Path | None:
    if not is_local(server.url):
        return None
    for folder in server.folders("loras"):
        path = Path(folder) / lora.replace("\\", "/")
        try:
            if path.is_file():
                return path
        except OSError:  # a name that this system does not know
            continue
    return None
