"""Sends: hands complete mails over, one at a time, and says exactly how that went.

``channel.py`` is the interface; ``smtp.py`` (with ``smtp_connection.py`` and ``smtp_reply.py``) and ``files.py`` are
its two forms.  Does not write mails, choose their moment, remember attempts or try again by itself: the pipeline does.
"""
