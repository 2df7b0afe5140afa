"""icplan: plan, apply and verify the interconnection of OVN availability zones."""

__version__ = "0.1.0"
