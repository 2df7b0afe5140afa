"""What all kinds share: their contract, the zones they speak of, how evidence is tested."""
