"""The OVSDB client against real servers, and against servers that misbehave."""
