"""Version of the documents that `talk score` makes; `docs/score-report.schema.json` describes them."""

from __future__ import annotations

# A reader of reports can rely on all that an earlier document of this version has. A new key leaves the
# number; a key that goes away or changes its meaning raises it.
SCHEMA = 1
