"""What was read of a watermark: bits and whole payloads."""

from __future__ import annotations

import numpy as np
import pytest

from originlens.bench.metrics.bit_accuracy import BitAccuracy
from originlens.bench.metrics.payload_exactness import PayloadExactness
from originlens.core import stats
from originlens.core.errors import UsageError


def test_bit_accuracy_by_hand() -> None:
    sent = np.array([[0, 1, 1, 0], [1, 1, 1, 1]])
    read = np.array([[0, 1, 1, 1], [1, 1, 0, 0]], bool)
    assert BitAccuracy().measure(sent, read) == pytest.approx((0.75 + 0.5) / 2)
    assert BitAccuracy().measure(sent, 1 - sent) == 0
    assert BitAccuracy().units(sent, read) == 2


def test_bits_of_one_message_count_as_one_observation() -> None:
    # Messages are read in full or at chance; their bits are no independent trials.
    rng = np.random.default_rng(0)
    sent = rng.random((40, 200)) < 0.5
    lost = np.arange(40) % 2 == 0
    read = np.where(lost[:, None], rng.random(sent.shape) < 0.5, sent)
    low, high = BitAccuracy().interval(sent, read, rng=np.random.default_rng(1))
    as_bits = stats.clopper_pearson(int((sent == read).sum()), sent.size)
    assert high - low > 5 * (as_bits[1] - as_bits[0])


@pytest.mark.parametrize(
    ("sent", "read"),
    [([[0, 1]], [[0, 0.5]]), ([[0, 1]], [[0]]), ([0, 1], [0, 1]), (np.zeros((0, 4)),) * 2],
)
def test_what_are_no_bits_is_refused(sent: object, read: object) -> None:
    with pytest.raises(UsageError):
        BitAccuracy().measure(sent, read)


def test_payloads_are_read_exactly_or_not() -> None:
    sent, read = [b"ab", b"cd", b"ef", b"gh"], [b"ab", b"cD", None, b"gh"]
    metric = PayloadExactness()
    assert metric.measure(sent, read) == 0.5
    assert metric.interval(sent, read, rng=np.random.default_rng(0)) == stats.clopper_pearson(2, 4)
    with pytest.raises(UsageError, match="payloads"):
        metric.measure(sent, read[:2])
    # Nothing sent and nothing read is no success.
    assert metric.measure([None], [None]) == 0
