"""Entry points: the commands of the package."""
