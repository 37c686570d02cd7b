"""Mutation test of lib/: make small changes to the code, and count those that the tests notice.

    python -m tools.mutants                                       400 mutants, 15 of each module
    python -m tools.mutants --only=lib/state.py --size=15 --tests=tests/unit

The changes are mutmut's, chosen by a seed. Each mutant is tested alone in a copy of the tree, and
counts as killed if pytest fails or exceeds the time limit. Survivors are printed as diffs.
"""

from __future__ import annotations

import argparse
import difflib
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from libcst import BaseNumber, Module
from mutmut.mutation.file_mutation import Mutation, create_mutations

from tests.runner.checkout import ROOT, check_out

PER_MODULE = 15
TESTS = "tests/unit tests/integration tests/simulation"
# 4 GiB, because a mutant that loops may use up the memory.
PYTEST = ("sh", "-c", 'ulimit -v 4194304; exec "$@"', "sh", sys.executable, "-Bm", "pytest", "-xq")


class Mutant(NamedTuple):
    """A module before and after one change."""

    module: str
    before: Module
    change: Mutation

    def code(self) -> str:
        """Return the module after the change."""
        after = self.before.deep_replace(self.change.original_node, self.change.mutated_node)
        return str(self.before.code_for_node(after))

    def diff(self) -> str:
        """Return the change as a unified diff."""
        old, new = self.before.code.splitlines(), self.code().splitlines()
        lines = difflib.unified_diff(old, new, self.module, self.module, n=1, lineterm="")
        return "\n".join(lines) + "\n"


def sample(modules: list[str], size: int, seed: int) -> list[Mutant]:
    """Return mutants of each module, and more of any module until there are enough."""
    chosen, rest = list[Mutant](), list[Mutant]()
    for module in modules:
        before, changes, *_ = create_mutations(module, (ROOT / module).read_text("utf-8"))
        # Outside of functions, most changes are of type aliases, which do nothing at run time.
        found = [
            Mutant(module, before, change)
            for change in changes
            if change.contained_by_top_level_function
            or isinstance(change.original_node, BaseNumber)
        ]
        random.Random(f"{seed} {module}").shuffle(found)  # noqa: S311 no secret
        chosen += found[:PER_MODULE]
        rest += found[PER_MODULE:]
    random.Random(seed).shuffle(rest)  # noqa: S311 no secret
    chosen += rest[: max(0, size - len(chosen))]
    random.Random(seed).shuffle(chosen)  # noqa: S311 no secret
    return chosen


def passes(mutant: Mutant | None, tests: list[str], seconds: float) -> bool:
    """Return whether the tests pass within the time, in a copy of the tree with the mutant."""
    with tempfile.TemporaryDirectory() as folder:
        check_out(Path(folder))
        if mutant:
            Path(folder, mutant.module).write_text(mutant.code(), "utf-8")
        command = ["timeout", "--signal=KILL", str(seconds), *PYTEST, *tests]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=False)
    if mutant:
        outcome = "killed" if done.returncode else f"survived\n{mutant.diff()}"
        print(f"{mutant.module}: {outcome}", flush=True)
    return done.returncode == 0


def main() -> int:
    """Print the survivors, and a table by module."""
    parser = argparse.ArgumentParser(description="Mutation test of lib/.")
    parser.add_argument("--size", type=int, default=400, help="fewest mutants (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="chooses the mutants (%(default)s)")
    parser.add_argument("--only", default="lib/", help="start of the modules' paths (%(default)s)")
    parser.add_argument("--tests", default=TESTS, help="arguments for pytest (%(default)s)")
    options = parser.parse_args()
    tests = options.tests.split()
    paths = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "lib").rglob("*.py"))
    modules = [path for path in paths if "_vendor" not in path and path.startswith(options.only)]
    chosen = sample(modules, options.size, options.seed)
    start = time.monotonic()
    if not passes(None, tests, seconds=3600):
        raise SystemExit("mutants: the tests fail without a change")
    limit = 10 + 3 * (time.monotonic() - start)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = pool.map(lambda mutant: passes(mutant, tests, limit), chosen)
        survivors = list(itertools.compress(chosen, outcomes))
    print("| module | mutants | killed |\n|---|---|---|")
    total, alive = (Counter(mutant.module for mutant in some) for some in (chosen, survivors))
    for module in total:
        print(f"| {module} | {total[module]} | {1 - alive[module] / total[module]:.0%} |")
    print(f"| all | {len(chosen)} | {1 - len(survivors) / len(chosen):.1%} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
