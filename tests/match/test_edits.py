"""Named edits say what was done, with numbers, and nothing about an untouched copy."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
import skimage.data
from photographs import photographs, reduced
from PIL import Image as Pillow

from originlens.core import geometry
from originlens.core.evidence import Edit
from originlens.core.image import Image
from originlens.match import edits

Pixels = np.ndarray
Matrix = np.ndarray
IDENTITY = np.eye(3)


PICTURES = photographs(480)


@pytest.fixture(params=sorted(PICTURES))
def picture(request: pytest.FixtureRequest) -> Pixels:
    return PICTURES[request.param]


def saved(pixels: Pixels, quality: int = 90) -> Image:
    buffer = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(pixels)).save(buffer, "JPEG", quality=quality)
    return Image(buffer.getvalue(), path="query.jpg")


def explained(query: Image, original: Pixels, transform: Matrix) -> edits.Explanation:
    return edits.explain(query, original, original.shape[:2], transform)


def named(query: Image, original: Pixels, transform: Matrix = IDENTITY) -> dict[str, Edit]:
    return {e.name: e for e in explained(query, original, transform).edits}


def test_a_re_saved_copy_is_at_most_recompressed(picture: Pixels) -> None:
    for quality in (75, 90):
        assert set(named(saved(picture, quality), picture)) <= {"recompress"}


def test_the_same_picture_has_no_edit(picture: Pixels) -> None:
    found = explained(Image.from_array(picture), picture, IDENTITY)
    assert found == edits.Explanation((), None)


def test_heavy_compression_is_recompression_only(picture: Pixels) -> None:
    assert set(named(saved(picture, 12), picture)) == {"recompress"}


def test_crop_box_is_in_full_size_asset_pixels(picture: Pixels) -> None:
    h, w = picture.shape[:2]
    left, top, right, bottom = w // 8, h // 5, w - w // 10, h - h // 12
    query = saved(picture[top:bottom, left:right])
    # The asset is 3 times as large as the proxy that is compared.
    full = (3 * h, 3 * w)
    shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]])
    transform = shift @ geometry.scaling(full, (h, w))
    found = edits.explain(query, picture, full, transform)
    crop = next(e for e in found.edits if e.name == "crop")
    assert crop.frame == "asset"
    assert crop.box == pytest.approx((3 * left, 3 * top, 3 * right, 3 * bottom), abs=3)
    assert crop.value == pytest.approx((right - left) * (bottom - top) / (w * h), abs=0.01)
    assert found.direction == "query-from-asset"


def test_a_crop_that_was_indexed_is_told_from_a_border(picture: Pixels) -> None:
    h, w = picture.shape[:2]
    asset = picture[h // 6 : h - h // 6, w // 5 : w - w // 6]
    transform = np.array([[1, 0, w // 5], [0, 1, h // 6], [0, 0, 1.0]])
    found = explained(saved(picture), asset, transform)
    assert {e.name for e in found.edits} <= {"crop", "recompress"}
    assert found.direction == "asset-from-query"


def test_mirror_and_quarter_turn(picture: Pixels) -> None:
    h, w = picture.shape[:2]
    mirror = np.array([[-1, 0, w - 1], [0, 1, 0], [0, 0, 1.0]])
    assert set(named(saved(picture[:, ::-1]), picture, mirror)) == {"mirror"}
    flip = np.array([[1, 0, 0], [0, -1, h - 1], [0, 0, 1.0]])
    found = named(saved(picture[::-1]), picture, flip)
    assert set(found) == {"mirror"}
    assert "top to bottom" in found["mirror"].explanation
    turned = named(saved(np.rot90(picture, -1)), picture, geometry.orientation(6, (h, w)))
    assert set(turned) == {"rotate"}
    assert turned["rotate"].value == 90.0
    assert "clockwise" in turned["rotate"].explanation


def test_rotation_by_an_angle_and_its_filled_corners(picture: Pixels) -> None:
    h, w = picture.shape[:2]
    # Positive angles of OpenCV turn counter-clockwise.
    matrix = np.vstack([cv2.getRotationMatrix2D((w / 2, h / 2), 12, 1.0), [0, 0, 1]])
    found = named(saved(cv2.warpPerspective(picture, matrix, (w, h))), picture, matrix)
    assert found["rotate"].value == pytest.approx(-12, abs=0.2)
    assert "counter-clockwise" in found["rotate"].explanation


def test_scale_and_stretch(picture: Pixels) -> None:
    h, w = picture.shape[:2]
    small = cv2.resize(picture, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    found = explained(saved(small), picture, geometry.scaling((h, w), small.shape[:2]))
    scale = next(e for e in found.edits if e.name == "scale")
    assert scale.value == pytest.approx(0.5, abs=0.01)
    assert found.direction == "query-from-asset"
    wide = cv2.resize(picture, (round(w * 1.3), h), interpolation=cv2.INTER_CUBIC)
    stretch = named(saved(wide), picture, geometry.scaling((h, w), wide.shape[:2]))["stretch"]
    assert stretch.value == pytest.approx(1.3, abs=0.02)


def test_perspective(picture: Pixels) -> None:
    h, w = picture.shape[:2]
    corners = np.array([[0, 0], [w - 1, 0], [w - 1, h - 1], [0, h - 1]], dtype=np.float32)
    there = corners + np.array([[0.08 * w, 0], [-0.08 * w, 0], [0, 0], [0, 0]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, there)
    found = named(saved(cv2.warpPerspective(picture, matrix, (w, h))), picture, matrix)
    assert found["perspective"].value > 0.01


def test_border_box_and_share(picture: Pixels) -> None:
    h, w = picture.shape[:2]
    query = cv2.copyMakeBorder(picture, 30, 30, 40, 40, cv2.BORDER_CONSTANT, value=(250, 250, 245))
    place = np.array([[1, 0, 40], [0, 1, 30], [0, 0, 1.0]])
    found = explained(saved(query), picture, place)
    border = next(e for e in found.edits if e.name == "border")
    assert border.box == pytest.approx((40, 30, 40 + w, 30 + h), abs=2)
    assert border.value == pytest.approx(1 - w * h / ((w + 80) * (h + 60)), abs=0.01)
    assert found.direction == "query-from-asset"


def test_embedding_in_a_host() -> None:
    asset = reduced(PICTURES["astronaut"], 260)
    query = cv2.resize(skimage.data.coffee(), (800, 600))
    query[150 : 150 + asset.shape[0], 400 : 400 + asset.shape[1]] = asset
    place = np.array([[1, 0, 400], [0, 1, 150], [0, 0, 1.0]])
    found = explained(saved(query), asset, place)
    embed = next(e for e in found.edits if e.name == "embed")
    assert embed.box == pytest.approx((400, 150, 400 + asset.shape[1], 150 + asset.shape[0]), abs=2)
    assert found.direction == "query-from-asset"


def test_global_colour_greyscale_blur_sharpening_noise(rng: np.random.Generator) -> None:
    picture = PICTURES["coffee"]
    darker = np.clip(picture * 0.6, 0, 255).astype(np.uint8)
    assert "darker" in named(saved(darker), picture)["recolour"].explanation
    assert set(named(saved(255 - picture), picture)) <= {"negative", "recompress"}
    assert "negative" not in named(saved(darker), picture)
    grey = np.dstack([cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)] * 3)
    found = explained(saved(grey), picture, IDENTITY)
    assert [e.name for e in found.edits] == ["greyscale"]
    assert found.direction == "query-from-asset"
    assert explained(saved(picture), grey, IDENTITY).direction == "asset-from-query"
    soft = cv2.GaussianBlur(picture, (0, 0), 3.0)
    blur = named(saved(soft), picture)["blur"]
    assert 2.0 < blur.value < 4.5
    sharp = np.clip(2.5 * picture - 1.5 * cv2.GaussianBlur(picture, (0, 0), 1.5), 0, 255)
    assert "sharpen" in named(Image.from_array(sharp.astype(np.uint8)), picture)
    grain = np.clip(picture + rng.normal(0, 20, picture.shape), 0, 255).astype(np.uint8)
    assert "noise" in named(Image.from_array(grain), picture)


def test_regions_are_named_with_their_boxes() -> None:
    picture = PICTURES["chelsea"]
    text = picture.copy()
    cv2.putText(text, "BREAKING NEWS", (60, 200), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (255, 255, 0), 4)
    found = named(saved(text), picture)["text"]
    left, top, right, bottom = found.box
    assert 45 < left < 80
    assert 150 < top < 180
    assert right > 300
    assert 195 < bottom < 215
    sticker = picture.copy()
    cv2.circle(sticker, (300, 150), 40, (20, 40, 230), -1)
    overlay = named(saved(sticker), picture)["overlay"]
    assert overlay.box == pytest.approx((260, 110, 340, 190), abs=12)
    hidden = picture.copy()
    hidden[80:200, 150:300] = cv2.GaussianBlur(picture, (0, 0), 9)[80:200, 150:300]
    assert set(named(saved(hidden), picture)) == {"blur"}
    tinted = picture.copy()
    tinted[80:200, 150:300] = np.clip(
        picture[80:200, 150:300] * np.array([0.5, 1.0, 1.0]) + [0, 40, 0], 0, 255
    )
    assert "recolour" in named(saved(tinted), picture)


@pytest.mark.parametrize(
    ("query", "asset"), [((1, 1), (1, 1)), ((3, 900), (5, 1500)), ((40, 40), (4, 4))]
)
def test_odd_sizes_do_not_fail(
    query: tuple[int, int], asset: tuple[int, int], rng: np.random.Generator
) -> None:
    q = Image.from_array(rng.integers(0, 256, (*query, 3), dtype=np.uint8))
    a = rng.integers(0, 256, (*asset, 3), dtype=np.uint8)
    found = edits.explain(q, a, asset, geometry.scaling(asset, query))
    assert all(e.explanation for e in found.edits)


def test_every_edit_survives_json() -> None:
    picture = PICTURES["rocket"]
    query = picture[30:, 50:].copy()
    query[60:120, 80:160] = (250, 10, 10)
    transform = np.array([[1, 0, -50], [0, 1, -30], [0, 0, 1.0]])
    found = edits.named_edits(saved(query), picture, picture.shape[:2], transform)
    assert len(found) >= 2
    assert tuple(Edit.from_dict(e.to_dict()) for e in found) == found
    assert edits.direction(saved(query), picture, picture.shape[:2], transform) is not None


def test_a_singular_transform_is_refused() -> None:
    picture = PICTURES["rocket"]
    with pytest.raises(ValueError, match="homography"):
        edits.explain(Image.from_array(picture), picture, picture.shape[:2], np.zeros((3, 3)))
