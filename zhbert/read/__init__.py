"""What people have, as records: files of every kind and packing, every complaint with its place. Floor 3."""
