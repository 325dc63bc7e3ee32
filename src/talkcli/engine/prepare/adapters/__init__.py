"""One file per kind of data set: what its files mean, as sources of clips."""
