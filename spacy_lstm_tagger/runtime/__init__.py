"""Predicting without torch, on ONNX Runtime."""
