"""Wires that break: what goes over them is there once, whatever dies on either side."""
