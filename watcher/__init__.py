"""trialwatch: watches ClinicalTrials.gov records for the people who answer for them."""
