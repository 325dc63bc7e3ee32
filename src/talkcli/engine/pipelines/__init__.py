"""The jobs of the commands, one file each: they connect parts, and contain no maths and no printing."""
