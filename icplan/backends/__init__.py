"""The places where bytes leave the program. They execute values and decide nothing about plans."""
