"""What is predicted, one file for each output."""
