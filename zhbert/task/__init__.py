"""What zhbert can learn: each task binds encoding, model, training and scoring."""
