"""Documents in, documents and shards out: cards, formats, building. Nothing here imports torch."""
