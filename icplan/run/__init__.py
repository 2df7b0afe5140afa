"""What happens in time: observe, lock, apply, wait, verify. Nothing is decided about plans."""
