"""From a trained pipeline as the teacher to training data for a student."""
