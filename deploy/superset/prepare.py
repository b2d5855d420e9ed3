"""Make Superset's own database, an administrator and the dashboard: `python -m tools.superset` runs this there.

In: the bundle as an argument, and one line of JSON on standard input: ``password`` and ``is_new``. A password in
arguments or variables could be seen by others. Out: the address of the dashboard, on the last line.
"""

import json
import sys
from pathlib import Path
from zipfile import ZipFile

USER = "admin"


def main() -> None:
    """Bring the database up to date, set the password and import the bundle."""
    task = json.loads(sys.stdin.readline())
    # Superset reads its settings when it is imported.
    from superset.app import create_app

    app = create_app()
    with app.app_context():
        if task["is_new"]:
            _make_database()
        _make_administrator(task["password"])
        with app.test_request_context():
            print(json.dumps({"dashboard": _import_bundle(Path(sys.argv[1]))}))


def _make_database() -> None:
    """As `superset db upgrade` and `superset init`, without starting Python for each."""
    from flask_migrate import upgrade
    from superset import appbuilder, security_manager

    upgrade()
    appbuilder.add_permissions(update_perms=True)
    security_manager.sync_role_definitions()


def _make_administrator(password: str) -> None:
    from superset import security_manager

    user = security_manager.find_user(USER)
    if user is None:
        role = security_manager.find_role("Admin")
        made = security_manager.add_user(USER, "Gongkai", "公开", "admin@localhost", role, password=password)
        if not made:
            sys.exit("Superset refused to make the administrator")
    else:
        security_manager.reset_password(user.id, password)


def _import_bundle(path: Path) -> str:
    """Make database, datasets, charts and dashboard as the bundle has them; whatever was changed by hand is undone."""
    from flask import g
    from superset import security_manager
    from superset.commands.importers.v1.assets import ImportAssetsCommand
    from superset.commands.importers.v1.utils import get_contents_from_bundle

    g.user = security_manager.find_user(USER)
    with ZipFile(path) as bundle:
        contents = get_contents_from_bundle(bundle)
        slug = next(name for name in bundle.namelist() if "/dashboards/" in name)
    ImportAssetsCommand(contents).run()
    return f"/superset/dashboard/{Path(slug).stem}/"


if __name__ == "__main__":
    main()
