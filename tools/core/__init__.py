"""What the tools stand on: units, spread, the reference library, estimates, errors."""
