"""Encoders, heads and the one folder that holds a model."""
