"""Training: gold annotation to gradients, augmentation, soft targets, rehearsal."""
