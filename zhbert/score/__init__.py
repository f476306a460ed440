"""From gold examples and predictions to a report: nothing here needs a model.

    gold + predictions ─judge▶ Counts ─interval▶ figures ─report▶ report.json + report.html

Every figure is a function of summed per-example counts (`counts.py`), so a slice, a bootstrap
draw and a swap between two systems are one operation: sum some rows, apply the metric.
"""
