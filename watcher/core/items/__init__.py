"""Which item of a list is which item of its successor: by identity, by place, by name, by likeness.  Pure."""
