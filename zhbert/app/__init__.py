"""The only place that wires things: stages, recipes, the pipeline, the command line."""
