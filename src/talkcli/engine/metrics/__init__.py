"""The metrics, one per file with its definition, unit and source."""
