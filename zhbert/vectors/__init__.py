"""Texts as vectors: computed, kept, searched, grouped and shown."""
