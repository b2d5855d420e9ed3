"""Dagster as the scheduler of ``gongkai refresh``: the extra ``dagster``, started by ``make dagster``.

One step runs the project's own refresh, so the run lock is held from the first write to the last and every rule is
the command's. What Dagster shows (assets, materialisations, asset checks) is read from the record that the refresh
itself keeps in schema ``quality``. Nothing of the refresh is written a second time here.
"""
