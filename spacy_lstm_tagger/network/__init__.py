"""The PyTorch networks and their thinc wrappers: the only folder that imports torch."""
