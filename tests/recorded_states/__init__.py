"""icplan on the states that Kube-OVN's real controllers left: what it plans, says and verifies."""
