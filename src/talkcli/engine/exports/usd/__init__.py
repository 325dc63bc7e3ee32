"""Universal Scene Description: heads as skeletons with blend shapes, and vertices over time."""
