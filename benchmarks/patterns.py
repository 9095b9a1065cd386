"""Patterns that nothing was fitted on: what do examples of a new trick gain?"""

from __future__ import annotations

from _lines import Line, Section
from _queries import Setting


def run(setting: Setting) -> Section:
    """The gain in uAP by examples, which must be above zero."""
    note = "not available: a search takes no examples yet"
    line = Line("uAP gained by examples, unseen patterns", float("nan"), goal=(">=", 0), note=note)
    return Section("patterns", [line])
