"""`python -m zhbert` is the command line."""

from zhbert.app.cli import main

main()
