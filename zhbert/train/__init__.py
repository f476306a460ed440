"""One readable loop for pretraining and fine-tuning, with its schedule and checkpoints."""
