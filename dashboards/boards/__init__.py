"""The dashboards, one file each, and what they share.

Rules that hold for every panel:
- Each selector has `job=~"$job", operation=~"$operation"`, and each result keeps `job` and `operation`: operations are shown side
  by side, never added up.
- Names are joined from the info series; links and variables use ids.
- Windows of `increase()` are those of the KPI (20m, 30m, 1h) and at least four polls long; a ratio needs a minimum volume, so
  that closed hours are gaps rather than noise.
- Current values are instant queries: the last point of a range query may be hours old.
"""
