"""The measurements of `talk score`: one file per table, and the parts that tables share."""
