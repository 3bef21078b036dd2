"""What only learning needs: gold annotation to gradients, augmentation, soft targets."""
