"""Files that users give, whatever state they are in: opened, recognised, decoded."""
