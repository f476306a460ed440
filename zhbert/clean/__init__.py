"""What is wrong with a text, and which texts are there twice: pure functions and arrays. Floor 3."""
