"""Which picture plays which part: originals, distractors, negatives, hosts, hard negatives.

``val`` is for development: its originals are ``photos/`` of the validation split. ``test`` is for
reports: its originals are the full-size pictures that nothing was fitted or chosen on.
"""

from __future__ import annotations

import csv
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

#: Sources full of similar but different pictures: good hard negatives, bad random ones.
SIMILAR = ("houses", "appimage_shots", "trashnet", "clothing_new")
#: Full-size pictures of the test split that are never indexed and serve as hosts and donors.
RESERVED_HOSTS = 36


def shared_data() -> Path | None:
    """The data's folder, in ``$ORIGINLENS_SHARED`` or ``../shared``; says so where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    data = Path(os.environ.get("ORIGINLENS_SHARED", beside)) / "data"
    if (data / "manifest.csv").is_file():
        return data
    print(f"{data}: no data here; set ORIGINLENS_SHARED", file=sys.stderr)
    return None


@dataclass(frozen=True)
class Corpus:
    """The parts that the pictures of one split play; all lists are absolute paths, seeded order."""

    data: Path
    split: str
    seed: int

    @cached_property
    def _rows(self) -> list[dict[str, str]]:
        with (self.data / "manifest.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def _photos(self, split: str, *, similar: bool) -> list[str]:
        rows = [r for r in self._rows if r["task"] == "photos" and r["split"] == split]
        kept = [r for r in rows if (r["path"].split("/")[1] in SIMILAR) == similar]
        return self._paths(kept)

    def _paths(self, rows: list[dict[str, str]]) -> list[str]:
        """Paths of the rows in seeded order, byte-equal files once."""
        unique = {r["sha256"]: r["path"] for r in reversed(rows)}
        names = sorted(unique.values())
        order = np.random.default_rng([self.seed, len(names)]).permutation(len(names))
        return [str(self.data / names[i]) for i in order]

    def _full_size(self) -> list[str]:
        prefixes = ("real/", "copydet/dreambooth_subjects/", "forgery/casia1/original/",
                    "forgery/psbattles/original/")  # fmt: skip
        return self._paths([r for r in self._rows if r["path"].startswith(prefixes)])

    @cached_property
    def originals(self) -> list[str]:
        """What is indexed and edited: about 350 pictures."""
        if self.split == "test":
            return [p for p in self._full_size() if p not in set(self.hosts)]
        return self._photos("val", similar=False)[:350]

    @cached_property
    def hosts(self) -> list[str]:
        """Unrelated pictures, never indexed: hosts, donors and neighbours of composed queries."""
        photos = self._photos("train", similar=False)[-150:]
        if self.split == "test":
            real = [p for p in self._full_size() if f"{self.data}/real/" in p]
            return real[:RESERVED_HOSTS] + photos[: 2 * RESERVED_HOSTS]
        return photos

    @cached_property
    def distractors(self) -> list[str]:
        """Everything else that may be indexed: photos of the training split, then of the others."""
        views = [path for paths in self.subjects.values() for path in paths]
        used = {*self.hosts, *self.negatives, *self.originals, *views}
        pool = [
            *self._photos("train", similar=False),
            *self._photos("train", similar=True),
            *self._photos("val", similar=False),
            *self._photos("val", similar=True),
        ]
        pool = [p for p in pool if p not in used]
        order = np.random.default_rng([self.seed, 1]).permutation(len(pool))
        return [pool[i] for i in order]

    @cached_property
    def negatives(self) -> list[str]:
        """1 000 photos that are not indexed anywhere, of sources without look-alikes.

        Those that nothing was fitted on come first (test split), then validation, then training.
        """
        train = self._photos("train", similar=False)
        val = [p for p in self._photos("val", similar=False) if p not in set(self.originals)]
        if self.split == "test":
            pool = [*self._photos("test", similar=False), *val, *train]
        else:
            pool = [*val, *train]
        return [p for p in pool if p not in set(self.hosts)][:1000]

    @cached_property
    def unfitted(self) -> list[str]:
        """All pictures of the split: the originals and every photo, in seeded order."""
        photos = [*self._photos(self.split, similar=False), *self._photos(self.split, similar=True)]
        return list(dict.fromkeys([*self.originals, *photos]))

    @cached_property
    def unrelated(self) -> list[str]:
        """1 000 negatives for an index of distractors alone: least-used pictures first.

        The full-size originals serve too (of hard-negative subjects one view each, the others
        would not be independent), then photos of the test, validation and training split.
        """
        if self.split != "test":
            return self.negatives
        first_views = {views[0] for views in self.subjects.values()}
        full = [p for p in self.originals if "/dreambooth_subjects/" not in p or p in first_views]
        photos = self._photos("test", similar=False)
        return [*photos, *full, *(p for p in self.negatives if p not in set(photos))][:1000]

    def crowd(self, size: int) -> list[str]:
        """Up to ``size`` pictures to index, none of them in ``negatives`` or ``unrelated``."""
        rows = [r for r in self._rows if r["path"].startswith(("audit/", "ai/midj", "ai/dmin"))]
        extra = self._paths(rows)
        if self.split == "test":
            extra = [*self._photos("test", similar=True), *extra]
        return [*self.distractors, *extra][:size]

    @cached_property
    def subjects(self) -> dict[str, list[str]]:
        """Views of one subject in several photos: hard negatives for each other.

        For ``val`` there are no such labelled views in ``photos/``; look-alikes of one source stand
        in, each source being a subject of a few dozen "views".
        """
        if self.split == "test":
            folder = self.data / "copydet" / "dreambooth_subjects"
            return {
                subject.name: sorted(str(p) for p in subject.iterdir() if p.is_file())
                for subject in sorted(folder.iterdir())
            }
        photos = self._photos("val", similar=True)
        names = {source: [p for p in photos if f"/{source}/" in p] for source in SIMILAR}
        return {source: views[:25] for source, views in names.items()}

    @cached_property
    def forgeries(self) -> list[tuple[str, str, str | None]]:
        """Edits made by people: (edited, original, mask or None); test split only."""
        if self.split != "test":
            return []
        casia = self.data / "forgery" / "casia1"
        found: list[tuple[str, str, str | None]] = []
        for path in sorted((casia / "tampered").iterdir()):
            original, mask = casia / "original" / path.name, casia / "mask" / path.name
            if original.is_file() and mask.is_file():
                found.append((str(path), str(original), str(mask)))
        battles = self.data / "forgery" / "psbattles"
        by_number = {p.name.split("_")[0]: str(p) for p in (battles / "original").iterdir()}
        for path in sorted((battles / "forged").iterdir()):
            original_path = by_number.get(path.name.split("_")[0])
            if original_path is not None:
                found.append((str(path), original_path, None))
        return found
