"""What is suspicious about policies: rules that never decide, patterns that say more than was meant."""
