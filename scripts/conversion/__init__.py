"""Weights of any source to weights/NAME.safetensors, and models of other frameworks to ONNX."""
