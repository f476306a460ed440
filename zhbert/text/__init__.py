"""Pure text, floor 2: normalising, sentences, words and tags; every answer is a range of characters."""
