"""The plan engine's values. Pure: values in, values out; knows no YAML, no OVN and no kind."""
