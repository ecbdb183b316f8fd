"""Make src/fluxcap/data/face_template.csv: the mean of many face meshes, made symmetrical, and the table of mirror twins.

    python tools/make_face_template.py FOLDER_OF_PORTRAITS

Each face is measured as it is and mirrored; the meshes are laid over each other (generalised Procrustes), averaged, twins are
found as mutual nearest neighbours under reflection, and the mean is made exactly symmetrical. No picture can be recovered from it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from fluxcap.measure.detect import find_faces
from fluxcap.measure.headpose import fit
from fluxcap.measure.mesh import SIZE, plain_mesh, square_of, square_of_detection
from fluxcap.measure.nets import Nets, models_folder
from fluxcap.measure.pixels import Pyramid, unit

ROOT = Path(__file__).resolve().parents[1]
OUTER_EYES = (33, 263)
TOP, CHIN = 10, 152


def meshes(folder: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Meshes of large, certain faces: as they are, and as the mirrored crop gives them, laid back."""
    nets, out, others = Nets(models_folder()), [], []
    for path in sorted(folder.iterdir()):
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        image.thumbnail((1024, 1024))
        pyramid = Pyramid(np.asarray(image))
        for found in find_faces(nets, pyramid)[:1]:
            mesh = plain_mesh(nets, pyramid, square_of_detection(found))
            points = mesh.points
            mesh = plain_mesh(nets, pyramid, square_of(points, points[33], points[263]))
            if mesh.score > 0.9 and mesh.width > 100:
                out.append(mesh.points)
                square = square_of(mesh.points, mesh.points[33], mesh.points[263])
                crop = pyramid.crop(square, SIZE, border=cv2.BORDER_REPLICATE, mirrored=True)
                raw = nets.run("face_landmark", unit(crop), 0)[0].reshape(-1, 3).astype(np.float64) / SIZE
                raw[:, 0] = 1.0 - raw[:, 0]
                others.append(square.to_picture(raw))
    return out, others


def lay_over(faces: list[np.ndarray], mean: np.ndarray) -> list[np.ndarray]:
    """Each face turned, scaled and shifted onto the mean."""
    out = []
    for face in faces:
        scale, rotation, shift = fit(face, mean)
        out.append(scale * face @ rotation.T + shift)
    return out


def settle(mean: np.ndarray) -> np.ndarray:
    """Upright, centred between the outer eye corners, eye distance 1, forehead over chin (x right, y down, z away)."""
    left, right = mean[OUTER_EYES[0]], mean[OUTER_EYES[1]]
    across = (right - left) / np.linalg.norm(right - left)
    down = mean[CHIN] - mean[TOP]
    down -= across * (down @ across)
    down /= np.linalg.norm(down)
    frame = np.stack([across, down, np.cross(across, down)])
    return (mean - (left + right) / 2) @ frame.T / np.linalg.norm(right - left)


def main() -> None:
    """Write the template."""
    faces, others = meshes(Path(sys.argv[1]))
    mean = settle(faces[0])
    for _ in range(20):
        mean = settle(np.mean(lay_over(faces, mean), axis=0))
    # a point of the mirrored picture lies where its twin lies in the picture itself
    spread = np.zeros((len(mean), len(mean)))
    for face, other in zip(faces, others, strict=True):
        width = np.ptp(face[:, 0])
        spread += (((other[:, None] - face[None]) / width) ** 2).sum(axis=2)
    twin = (spread + spread.T).argmin(axis=1)
    odd = [i for i, j in enumerate(twin) if twin[j] != i]
    if odd:
        raise SystemExit(f"no clear twin for {odd}")
    mean = settle((mean + mean[twin] * [-1.0, 1.0, 1.0]) / 2)
    mean = (mean + mean[twin] * [-1.0, 1.0, 1.0]) / 2
    lines = [
        f"# Mean face: tools/make_face_template.py over {len(faces)} faces. twin,x,y,z; eye distance 1; x right, y down, z away",
        *(f"{twin[i]},{x + 0.0:.4f},{y + 0.0:.4f},{z + 0.0:.4f}" for i, (x, y, z) in enumerate(mean)),
    ]
    (ROOT / "src/fluxcap/data/face_template.csv").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
