"""Fetches: the registry's API, politeness, guards.  Does not decide what a record means and does not store it.

Source of the contract: the OpenAPI document of the ClinicalTrials.gov API, version 2.0.5, and its observed behaviour,
as ``docs/registry.md`` states them.
"""
