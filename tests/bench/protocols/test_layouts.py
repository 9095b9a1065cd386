"""Every shipped layout on a tiny tree of the documented shape, row by row."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from originlens.bench.protocols.layouts import load, names
from originlens.bench.protocols.manifest import COLUMNS, Manifest, Row
from originlens.core.errors import ReadError, UsageError

Tree = dict[str, str]

DISC21: Tree = {
    "images/queries/Q00000.jpg": "",
    "images/queries/Q00003.jpg": "",
    "images/references/R326040.jpg": "",
    "images/train/T000000.jpg": "",
    "list_files/public_ground_truth.csv": "query_id,reference_id\nQ00000,\nQ00003,R326040\n",
    "README.md": "",
}
COPYDAYS: Tree = {
    "original/200000.jpg": "",
    "strong/200001.jpg": "",
    "jpegqual/3/200000.jpg": "",
    "crops/80/200100.jpg": "",
}
CASIA: Tree = {
    "Au/Au_ani_00001.jpg": "",
    "Tp/Tp_D_CRN_S_N_cha00063_art00014_11818.jpg": "",
    "Tp/Tp_S_NRN_M_N_pla00020_pla00020_10988.tif": "",
    "CASIA 2 Groundtruth/Tp_D_CRN_S_N_cha00063_art00014_11818_gt.png": "",
    "CASIA 1.0 dataset/Au/Au_pla_0005.jpg": "",
    "CASIA 1.0 dataset/Modified Tp/Tp/Sp/Sp_D_CND_A_pla0005_pla0023_0281.jpg": "",
    "CASIA 1.0 groundtruth/Sp/Sp_D_CND_A_pla0005_pla0023_0281_gt.png": "",
    "Tp/Thumbs.db": "",
}
GENIMAGE: Tree = {
    "Stable Diffusion V1.5/train/ai/044_sdv5_00002.png": "",
    "imagenet_ai_0419_sdv4/train/ai/033_sdv4_00001.png": "",
    "imagenet_ai_0419_sdv4/train/nature/n01440764_10026.JPEG": "",
    "BigGAN/imagenet_ai_0419_biggan/val/ai/101_biggan_1.png": "",
    "BigGAN/imagenet_ai_0419_biggan/val/nature/ILSVRC2012_val_00000001.JPEG": "",
}
PAIRS = [["071", "054"], ["720", "672"]]
FACEFORENSICS: Tree = {
    "original_sequences/youtube/c23/images/071/0000.png": "",
    "original_sequences/youtube/c23/videos/071.mp4": "",
    "original_sequences/youtube/c23/frames/054/000.png": "",
    "original_sequences/actors/c23/images/01__exit_phone_room/0000.png": "",
    "manipulated_sequences/Deepfakes/c23/images/071_054/0000.png": "",
    "manipulated_sequences/Deepfakes/c23/masks/071_054/0000.png": "",
    "manipulated_sequences/Face2Face/c40/frames/672_720/000.png": "",
    "manipulated_sequences/DeepFakeDetection/c23/images/01_02__exit_phone_room/0000.png": "",
    "splits/train.json": json.dumps(PAIRS[:1]),
    "splits/val.json": json.dumps([]),
    "splits/test.json": json.dumps(PAIRS[1:]),
}
CIFAKE: Tree = {
    "train/REAL/0000.jpg": "",
    "train/FAKE/0000 (2).jpg": "",
    "test/REAL/0001.jpg": "",
    "test/FAKE/0001.jpg": "",
}
DEEPFAKEFACE: Tree = {
    "wiki/01/1001_1950-01-01_2010.jpg": "",
    "text2img/01/1001_1950-01-01_2010.jpg": "",
    "inpainting/01/1001_1950-01-01_2010.jpg": "",
    "insight/01/1001_1950-01-01_2010.jpg": "",
    "wiki.zip": "",
}
DF40: Tree = {
    "FaceForensics++/original_sequences/youtube/c23/frames/001/000.png": "",
    "Celeb-DF-v2/Celeb-real/frames/id0_0000/000.png": "",
    "DF40/simswap/ff/frames/001_870/000.png": "",
    "DF40/blendface/cdf/frames/id0_id1_0000/000.png": "",
    "DF40/MidJourney/fake/1.png": "",
    "DF40/MidJourney/real/1.png": "",
    "DF40_train/StyleGAN2/001/seed0188.png": "",
    "DF40_train/simswap/frames/993_989/131.png": "",
    "splits/test.json": json.dumps([["870", "001"]]),
}
FORGERYNET: Tree = {
    "Training/image/train_release/6/c1/f1/frame00049.jpg": "",
    "Training/spatial_localize/train_release/6/c1/f1/frame00049.png": "",
    "Training/image_list.txt": "train_release/6/c1/f1/frame00049.jpg 1 2 4\n"
    "train_release/6/c9/f1/frame00001.jpg 1 2 4\n",
    "Validation/image/val_perturb_release/19/c2/frame00001.jpg": "",
    "Validation/image_list.txt": "val_perturb_release/19/c2/frame00001.jpg 0 0 0\n",
}
DEEPERFORENSICS: Tree = {
    "manipulated_videos/end_to_end/000_M101/0000.png": "",
    "manipulated_videos/end_to_end_level_3/010_W004/0000.png": "",
    "source_videos/M101/light_up/neutral/frame.png": "",
    "original_sequences/youtube/c23/images/000/0000.png": "",
    "lists/manipulated_videos_lists/manipulated_videos_end_to_end_list.txt": (
        "end_to_end/000_M101.mp4\n"
    ),
    "lists/splits/train.txt": "000_M101.mp4\n",
    "lists/splits/test.txt": "010_W004.mp4\n",
}
VCT2: Tree = {
    "COCO_AI/real/000000000139.jpg": "",
    "COCO_AI/sd21/000000000139.png": "",
    "Twitter_AI/midjourney6/17.png": "",
}
MVTEC: Tree = {
    "bottle/train/good/000.png": "",
    "bottle/test/good/000.png": "",
    "bottle/test/broken_large/000.png": "",
    "bottle/ground_truth/broken_large/000_mask.png": "",
    "bottle/license.txt": "",
}


def r(path: str, label: str, **cells: str) -> Row:
    known = {name: cells.pop(name, "") for name in COLUMNS[2:]}
    return Row(path, label, **known, extra=cells)


FF = "manipulated_sequences"
EXPECTED: dict[str, tuple[Tree, list[Row]]] = {
    "disc21": (
        DISC21,
        [
            r("images/queries/Q00000.jpg", "query", group="Q00000", split="test", reference=""),
            r(
                "images/queries/Q00003.jpg",
                "query",
                group="R326040",
                split="test",
                reference="R326040",
            ),
            r(
                "images/references/R326040.jpg",
                "reference",
                group="R326040",
                split="test",
                reference="",
            ),
            r("images/train/T000000.jpg", "train", split="train", reference=""),
        ],
    ),
    "copydays": (
        COPYDAYS,
        [
            r(
                "crops/80/200100.jpg",
                "query",
                source="Copydays",
                generator="crop",
                group="2001",
                split="test",
                amount="80",
            ),
            r(
                "jpegqual/3/200000.jpg",
                "query",
                source="Copydays",
                generator="jpeg",
                group="2000",
                split="test",
                amount="3",
            ),
            r("original/200000.jpg", "reference", source="Copydays", group="2000", split="test"),
            r(
                "strong/200001.jpg",
                "query",
                source="Copydays",
                generator="strong",
                group="2000",
                split="test",
                amount="",
            ),
        ],
    ),
    "casia": (
        CASIA,
        [
            r(
                "Au/Au_ani_00001.jpg",
                "real",
                source="CASIA",
                group="ani00001",
                category="ani",
                donor="",
            ),
            r(
                "CASIA 1.0 dataset/Au/Au_pla_0005.jpg",
                "real",
                source="CASIA",
                group="pla0005",
                category="pla",
                donor="",
            ),
            r(
                "CASIA 1.0 dataset/Modified Tp/Tp/Sp/Sp_D_CND_A_pla0005_pla0023_0281.jpg",
                "spliced",
                mask="CASIA 1.0 groundtruth/Sp/Sp_D_CND_A_pla0005_pla0023_0281_gt.png",
                source="CASIA",
                generator="spliced",
                group="pla0023",
                category="pla",
                donor="pla0005",
            ),
            r(
                "Tp/Tp_D_CRN_S_N_cha00063_art00014_11818.jpg",
                "spliced",
                mask="CASIA 2 Groundtruth/Tp_D_CRN_S_N_cha00063_art00014_11818_gt.png",
                source="CASIA",
                generator="spliced",
                group="art00014",
                category="art",
                donor="cha00063",
            ),
            r(
                "Tp/Tp_S_NRN_M_N_pla00020_pla00020_10988.tif",
                "copy-moved",
                source="CASIA",
                generator="copy-moved",
                group="pla00020",
                category="pla",
                donor="pla00020",
            ),
        ],
    ),
    "genimage": (
        GENIMAGE,
        [
            r(
                "BigGAN/imagenet_ai_0419_biggan/val/ai/101_biggan_1.png",
                "fake",
                source="ImageNet",
                generator="biggan",
                split="test",
                part="biggan",
            ),
            r(
                "BigGAN/imagenet_ai_0419_biggan/val/nature/ILSVRC2012_val_00000001.JPEG",
                "real",
                source="ImageNet",
                group="ILSVRC2012_val_00000001",
                split="test",
                part="biggan",
            ),
            r(
                "Stable Diffusion V1.5/train/ai/044_sdv5_00002.png",
                "fake",
                source="ImageNet",
                generator="sdv5",
                split="train",
                part="sdv5",
            ),
            r(
                "imagenet_ai_0419_sdv4/train/ai/033_sdv4_00001.png",
                "fake",
                source="ImageNet",
                generator="sdv4",
                split="train",
                part="sdv4",
            ),
            r(
                "imagenet_ai_0419_sdv4/train/nature/n01440764_10026.JPEG",
                "real",
                source="ImageNet",
                group="n01440764_10026",
                split="train",
                part="sdv4",
            ),
        ],
    ),
    "faceforensics": (
        FACEFORENSICS,
        [
            r(
                f"{FF}/DeepFakeDetection/c23/images/01_02__exit_phone_room/0000.png",
                "fake",
                source="actors",
                generator="DeepFakeDetection",
                group="actor-01",
                quality="c23",
                video="01_02__exit_phone_room",
            ),
            r(
                f"{FF}/Deepfakes/c23/images/071_054/0000.png",
                "fake",
                mask=f"{FF}/Deepfakes/c23/masks/071_054/0000.png",
                source="youtube",
                generator="Deepfakes",
                group="071",
                split="train",
                quality="c23",
                video="071_054",
            ),
            r(
                f"{FF}/Face2Face/c40/frames/672_720/000.png",
                "fake",
                source="youtube",
                generator="Face2Face",
                group="720",
                split="test",
                quality="c40",
                video="672_720",
            ),
            r(
                "original_sequences/actors/c23/images/01__exit_phone_room/0000.png",
                "real",
                source="actors",
                group="actor-01",
                quality="c23",
                video="01__exit_phone_room",
            ),
            r(
                "original_sequences/youtube/c23/frames/054/000.png",
                "real",
                source="youtube",
                group="071",
                split="train",
                quality="c23",
                video="054",
            ),
            r(
                "original_sequences/youtube/c23/images/071/0000.png",
                "real",
                source="youtube",
                group="071",
                split="train",
                quality="c23",
                video="071",
            ),
        ],
    ),
    "cifake": (
        CIFAKE,
        [
            r(
                "test/FAKE/0001.jpg",
                "fake",
                source="CIFAR-10",
                generator="stable-diffusion-1.4",
                split="test",
            ),
            r("test/REAL/0001.jpg", "real", source="CIFAR-10", split="test"),
            r(
                "train/FAKE/0000 (2).jpg",
                "fake",
                source="CIFAR-10",
                generator="stable-diffusion-1.4",
                split="train",
            ),
            r("train/REAL/0000.jpg", "real", source="CIFAR-10", split="train"),
        ],
    ),
    "deepfakeface": (
        DEEPFAKEFACE,
        [
            r(
                f"{folder}/01/1001_1950-01-01_2010.jpg",
                label,
                source="IMDB-WIKI",
                generator=generator,
                group="01/1001_1950-01-01_2010",
            )
            for folder, label, generator in (
                ("inpainting", "fake", "stable-diffusion-inpainting"),
                ("insight", "fake", "insightface"),
                ("text2img", "fake", "stable-diffusion-1.5"),
                ("wiki", "real", ""),
            )
        ],
    ),
    "df40": (
        DF40,
        [
            r(
                "Celeb-DF-v2/Celeb-real/frames/id0_0000/000.png",
                "real",
                source="cdf",
                group="cdf-id0",
                split="test",
                forgery="",
            ),
            r(
                "DF40/MidJourney/fake/1.png",
                "fake",
                source="MidJourney",
                generator="MidJourney",
                split="test",
                forgery="synthesis",
            ),
            r("DF40/MidJourney/real/1.png", "real", source="MidJourney", split="test", forgery=""),
            r(
                "DF40/blendface/cdf/frames/id0_id1_0000/000.png",
                "fake",
                source="cdf",
                generator="blendface",
                group="cdf-id0",
                split="test",
                forgery="swap",
            ),
            r(
                "DF40/simswap/ff/frames/001_870/000.png",
                "fake",
                source="ff",
                generator="simswap",
                group="ff-870",
                split="test",
                forgery="swap",
            ),
            r(
                "DF40_train/StyleGAN2/001/seed0188.png",
                "fake",
                source="ff",
                generator="StyleGAN2",
                group="ff-870",
                split="train",
                forgery="synthesis",
            ),
            r(
                "DF40_train/simswap/frames/993_989/131.png",
                "fake",
                source="ff",
                generator="simswap",
                group="ff-993",
                split="train",
                forgery="swap",
            ),
            r(
                "FaceForensics++/original_sequences/youtube/c23/frames/001/000.png",
                "real",
                source="ff",
                group="ff-870",
                split="test",
                forgery="",
            ),
        ],
    ),
    "forgerynet": (
        FORGERYNET,
        [
            r(
                "Training/image/train_release/6/c1/f1/frame00049.jpg",
                "fake",
                mask="Training/spatial_localize/train_release/6/c1/f1/frame00049.png",
                generator="method-4",
                group="c1",
                split="train",
                three_way="2",
                sixteen_way="4",
                release="train_release",
            ),
            r(
                "Validation/image/val_perturb_release/19/c2/frame00001.jpg",
                "real",
                group="c2",
                split="val",
                three_way="0",
                sixteen_way="0",
                release="val_perturb_release",
            ),
        ],
    ),
    "deeperforensics": (
        DEEPERFORENSICS,
        [
            r(
                "manipulated_videos/end_to_end/000_M101/0000.png",
                "fake",
                source="FaceForensics++",
                generator="DF-VAE",
                group="M101",
                split="train",
                variant="end_to_end",
                target="000",
            ),
            r(
                "manipulated_videos/end_to_end_level_3/010_W004/0000.png",
                "fake",
                source="FaceForensics++",
                generator="DF-VAE",
                group="W004",
                split="test",
                variant="end_to_end_level_3",
                target="010",
            ),
            r(
                "original_sequences/youtube/c23/images/000/0000.png",
                "real",
                source="FaceForensics++",
                group="M101",
                split="train",
                variant="",
                target="000",
            ),
        ],
    ),
    "vct2": (
        VCT2,
        [
            r(
                "COCO_AI/real/000000000139.jpg",
                "real",
                source="coco",
                group="coco-000000000139",
                split="test",
            ),
            r(
                "COCO_AI/sd21/000000000139.png",
                "fake",
                source="coco",
                generator="stable-diffusion-2.1",
                group="coco-000000000139",
                split="test",
            ),
            r(
                "Twitter_AI/midjourney6/17.png",
                "fake",
                source="twitter",
                generator="midjourney-6",
                group="twitter-17",
                split="test",
            ),
        ],
    ),
    "mvtec-ad": (
        MVTEC,
        [
            r(
                "bottle/test/broken_large/000.png",
                "anomalous",
                mask="bottle/ground_truth/broken_large/000_mask.png",
                source="bottle",
                generator="broken_large",
                split="test",
                defect="broken_large",
            ),
            r("bottle/test/good/000.png", "good", source="bottle", split="test", defect=""),
            r("bottle/train/good/000.png", "good", source="bottle", split="train", defect=""),
        ],
    ),
}


def grow(folder: Path, tree: Tree) -> Path:
    for path, text in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_every_shipped_layout_is_tested() -> None:
    assert set(names()) == set(EXPECTED)


@pytest.mark.parametrize("name", names())
def test_a_tree_becomes_these_rows(name: str, tmp_path: Path) -> None:
    tree, expected = EXPECTED[name]
    applied = load(name).apply(grow(tmp_path, tree))
    assert list(applied.manifest.rows) == expected
    assert applied.manifest.missing() == ()


@pytest.mark.parametrize("name", names())
def test_a_layout_tells_its_sources_and_its_doubts(name: str) -> None:
    declared = load(name).declared
    assert declared.pages
    assert all(page.startswith("https://") for page in declared.pages)
    assert declared.paper
    assert declared.licence
    assert declared.tree.strip()


def test_what_is_no_row_is_told(tmp_path: Path) -> None:
    applied = load("disc21").apply(grow(tmp_path, DISC21))
    assert applied.ignored == ("README.md",)
    assert applied.unmatched == {}
    applied = load("forgerynet").apply(grow(tmp_path / "f", FORGERYNET))
    assert applied.unmatched == {"list": 1}


def test_the_case_of_letters_does_not_matter(tmp_path: Path) -> None:
    tree = {"TRAIN/real/1.JPG": "", "Train/Fake/1.Png": ""}
    applied = load("cifake").apply(grow(tmp_path, tree))
    assert [(row.label, row.split) for row in applied.manifest] == [
        ("real", "train"),
        ("fake", "train"),
    ]


def test_groups_of_pairs_do_not_leak_between_splits(tmp_path: Path) -> None:
    applied = load("faceforensics").apply(grow(tmp_path, FACEFORENSICS))
    assert applied.manifest.leaks() == ()


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    grow(tmp_path, CIFAKE)
    (tmp_path / "train/REAL/9999.jpg").symlink_to("nowhere.jpg")
    applied = load("cifake").apply(tmp_path)
    assert applied.ignored == ("train/REAL/9999.jpg",)


def test_a_folder_of_another_shape_is_refused_with_the_tree(tmp_path: Path) -> None:
    grow(tmp_path, {"holiday/beach.jpg": ""})
    with pytest.raises(UsageError, match=r"(?s)no file fits the layout cifake.*train/REAL"):
        load("cifake").apply(tmp_path)
    with pytest.raises(ReadError, match="no such folder"):
        load("cifake").apply(tmp_path / "none")
    with pytest.raises(UsageError, match="no layout 'imagenet': use one of casia"):
        load("imagenet")


def test_a_broken_list_is_named(tmp_path: Path) -> None:
    tree = FACEFORENSICS | {"splits/train.json": "[["}
    with pytest.raises(UsageError, match=r"train\.json: not JSON"):
        load("faceforensics").apply(grow(tmp_path, tree))
    tree = DISC21 | {"list_files/public_ground_truth.csv": "query_id,reference_id\nQ1\n"}
    with pytest.raises(UsageError, match="record 1 has 1 cells, expected query_id, reference_id"):
        load("disc21").apply(grow(tmp_path / "d", tree))


GOOD = """
title = "Mine"
pages = ["https://example.org"]
tree = "x/1.png"
[[rows]]
files = '(?P<kind>\\w+)/\\d+<image>'
label = "{kind|kinds}"
[maps.kinds]
x = "real"
"" = "fake"
"""


def test_a_user_may_bring_a_layout(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    grow(tmp_path / "data", {"x/1.png": "", "y/2.webp": ""})
    applied = load(str(tmp_path / "mine.toml")).apply(tmp_path / "data")
    assert [row.label for row in applied.manifest] == ["real", "fake"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title =", "name =", "title missing"),
        ("label =", "lable =", r"\[\[rows\]\]: unknown key 'lable': use extra, files"),
        ("{kind|kinds}", "{sort}", "names 'sort', which nothing defines"),
        ("{kind|kinds}", "{kind|sorts}", "uses the map 'sorts', which is absent"),
        ("(?P<kind>", "((?P<kind>", "is no regular expression"),
        ('"Mine"', '"Mine', "not TOML"),
        ("files =", "#", "a table lacks 'files'"),
    ],
)
def test_a_mistake_in_a_layout_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    (tmp_path / "mine.toml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(UsageError, match=message):
        load(str(tmp_path / "mine.toml"))


def test_the_example_of_the_guide_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Path(__file__).parents[3] / "docs/how-to/add-a-layout.md"
    text = page.read_text(encoding="utf-8")
    shape, toml, code = (
        re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)[1]  # type: ignore[index]
        for language in ("text", "toml", "python")
    )
    tree = {line.split()[0]: "" for line in shape.splitlines()}
    grow(tmp_path / "example-set", tree | {"scenes.csv": "photo,scene\n0001,7\n"})
    (tmp_path / "example.toml").write_text(toml)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert capsys.readouterr().out == "4 rows; ignored: notes.txt\n"
    rows = Manifest.read(tmp_path / "example.csv").rows
    assert rows[0].path == "example-set/images/held_out/0002.jpg"
    assert [(row.generator, row.group, row.split) for row in rows] == [
        ("", "0002", "test"),
        ("flux", "0002", "test"),
        ("", "scene-7", "train"),
        ("stable-diffusion-xl", "scene-7", "train"),
    ]
    assert rows[1].mask == "example-set/masks/0002_flux.png"
