"""Environment families stepped in batches, and the shifts and sequences that make worlds change."""
