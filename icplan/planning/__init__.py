"""From the file and a snapshot to a plan: pure, sees every kind and all zones, writes nothing."""
