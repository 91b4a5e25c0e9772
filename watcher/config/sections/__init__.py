"""The sections of the settings: every option with its unit, default and reason, one module for each matter."""
