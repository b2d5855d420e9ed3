"""``python -m loaders.site``: write the site of the work file anew, say after ``make docs``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from loaders.errors import GongkaiError
from loaders.settings import shown
from loaders.site import write_work_site
from loaders.warehouse import Warehouse


def main() -> int:
    """Write the site of the warehouse that ``GONGKAI_WAREHOUSE`` names, and say where it is."""
    warehouse = Warehouse(Path(os.environ.get("GONGKAI_WAREHOUSE") or "warehouse").absolute())
    try:
        site = write_work_site(warehouse)
    except GongkaiError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"wrote {shown(site / 'index.html')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
