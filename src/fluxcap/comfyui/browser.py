"""The same graph as a workflow that the browser opens (UI format): nodes with places, links, and values in their declared order. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from fluxcap.comfyui.graphs import Api, Picture, api, placed
from fluxcap.comfyui.tables import tables
from fluxcap.comfyui.wording import escape_for_browser

_COLUMN, _GAP = 480, 60
"""Distance of columns and gap between rows, in the browser's pixels."""

_UNSAID = {"+fixed": "fixed"}


def workflow(picture: Picture, prefix: str = "fluxcap/picture") -> dict[str, Any]:
    """The workflow; errors as in ``graphs.api``. Texts are escaped for the browser, which has rules of its own."""
    graph = api(picture, prefix)
    ids = {name: number for number, name in enumerate(graph, start=1)}
    places = _places(picture)
    links = _links(graph, ids)
    leaving: dict[tuple[str, int], list[int]] = defaultdict(list)
    for number, (source, output, _, _, _) in links.items():
        leaving[source, output].append(number)
    arriving = {(name, key): number for number, (_, _, name, key, _) in links.items()}
    nodes = []
    for order, (name, node) in enumerate(graph.items()):
        known = tables().node[node["class_type"]]
        nodes.append(
            {
                "id": ids[name],
                "type": node["class_type"],
                "title": node["_meta"]["title"],
                "pos": places[name],
                "size": list(known.size),
                "flags": {},
                "order": order,
                "mode": 0,
                "inputs": [
                    {"name": key, "type": kind, "link": arriving.get((name, key))} for key, kind in known.links.items()
                ],
                "outputs": [
                    {"name": kind, "type": kind, "slot_index": slot, "links": leaving[name, slot]}
                    for slot, kind in enumerate(known.outputs)
                ],
                "properties": {"Node name for S&R": node["class_type"]},
                "widgets_values": [
                    _UNSAID[key] if key in _UNSAID else _shown(key, node["inputs"][key], picture)
                    for key in known.widgets
                ],
            }
        )
    return {
        "last_node_id": len(nodes),
        "last_link_id": len(links),
        "nodes": nodes,
        "links": [
            [number, ids[source], output, ids[name], list(_inputs(graph, name)).index(key), kind]
            for number, (source, output, name, key, kind) in links.items()
        ],
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
    }


def _shown(key: str, value: Any, picture: Picture) -> Any:
    """Texts as the browser wants them; all else as it is."""
    texts = {"clip_l": picture.prompt.clip, "t5xxl": picture.prompt.t5, "text": picture.prompt.t5}
    return escape_for_browser(texts[key]) if key in texts and value else value


def _inputs(graph: Api, name: str) -> Mapping[str, str]:
    return tables().node[graph[name]["class_type"]].links


def _links(graph: Api, ids: Mapping[str, int]) -> dict[int, tuple[str, int, str, str, str]]:
    """Link id -> source, its output, target node, its input, and the type."""
    found = [
        (*node["inputs"][key], name, key, kind)
        for name, node in graph.items()
        for key, kind in _inputs(graph, name).items()
    ]
    assert all(source in ids for source, *_ in found)
    return dict(enumerate(found, start=1))


def _places(picture: Picture) -> dict[str, list[int]]:
    """Columns from left to right; in a column each node stands below the one before."""
    nodes = placed(picture)
    found: dict[str, list[int]] = {}
    below: dict[int, int] = defaultdict(int)
    for name, node in sorted(nodes.items(), key=lambda item: item[1].at):
        column = node.at[0]
        found[name] = [column * _COLUMN, below[column]]
        below[column] += tables().node[node.name].size[1] + _GAP
    return found
