"""What Kube-OVN's interconnection controller does, as cases that any controller can be put to."""
