"""From text to token ids, floor 3: tokenizers, alignment, windows, shards and masking."""
