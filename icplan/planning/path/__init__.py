"""The way between two subnets, link by link, up to where it ends. Pure; sends no packet."""
