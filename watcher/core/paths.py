"""Where the fields stand that more than one module looks at.  Constants only.

Dotted, with "[]" for "some item of this list".  A path that one module needs stands there.
"""

from typing import Final

COLLABORATORS: Final = "protocolSection.sponsorCollaboratorsModule.collaborators[]"
ELIGIBILITY_CRITERIA: Final = "protocolSection.eligibilityModule.eligibilityCriteria"
INTERVENTION_TYPE: Final = "protocolSection.armsInterventionsModule.interventions[].type"
INVESTIGATOR: Final = "protocolSection.sponsorCollaboratorsModule.responsibleParty.investigatorFullName"
LEAD_SPONSOR: Final = "protocolSection.sponsorCollaboratorsModule.leadSponsor.name"
LOCATIONS: Final = "protocolSection.contactsLocationsModule.locations[]"
CITY: Final = LOCATIONS + ".city"
COUNTRY: Final = LOCATIONS + ".country"
PATHS_REMEMBERED: Final = 2_048  # by what tells the same of a path each time; the schema has 345
REFERENCES: Final = "protocolSection.referencesModule.references[]"
