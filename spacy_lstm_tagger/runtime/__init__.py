"""Prediction on ONNX Runtime, without torch."""
