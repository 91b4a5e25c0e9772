"""How much a difference weighs: what a step of a record is, and the rules that look at values and circumstances."""
