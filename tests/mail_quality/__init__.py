"""How good the mails are, judged by others' programs, on every kept digest and one that has no room for all it tells.

    python -m tests.mail_quality            everything, 100,000 subjects
    python -m tests.mail_quality --quick    the size that the tests run

HTML (vnu), support by mail programs (caniemail), accessibility, width and requests (axe, Chromium), spam (SpamAssassin,
local tests only).  ``npm install`` in this folder, Java, Chromium and SpamAssassin make all of it possible; what is not
there is named and left out, or fails the run where ``TRIALWATCH_REQUIRE_MAIL_JUDGES=1`` says that it must be there.
"""
