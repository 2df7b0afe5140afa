"""What the rows of OVN's databases mean, as typed facts. Pure; knows no file and makes no plan."""
