"""Great Expectations is imported without what no suite uses, and everything of it still works."""

from __future__ import annotations

import subprocess
import sys

from loaders.version import PROJECT_ROOT

SCRIPT = """
import sys
from loaders.gx_import import import_great_expectations
gx = import_great_expectations()
loaded = [name for name in ("altair", "scipy.stats") if name in sys.modules]
from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as module
entropy, chart = module.stats.entropy([0.5, 0.5], [0.5, 0.5]), module.alt.Chart
import altair
import scipy.stats
print(gx.__name__, loaded, float(entropy), chart is altair.Chart, scipy.stats.entropy is module.stats.entropy)
"""


def test_what_no_suite_uses_is_imported_when_it_is_used() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "great_expectations [] 0.0 True True\n", done.stderr
