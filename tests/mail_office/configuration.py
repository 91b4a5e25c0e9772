"""What a private Postfix and Dovecot are told: one folder, one domain, this machine only.

Postfix takes mail for every address of the domain and hands it to Dovecot, except for names that say otherwise: it
passes mail to ``lost-…`` and ``full-…`` on to another server, which refuses it, so that it comes back.
"""

from dataclasses import dataclass
from pathlib import Path

DOMAIN = "office.test"
PASSWORD = "secret"
LOST, FULL = "lost", "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    smtp: int  # clear, for anybody on this machine
    submission: int  # STARTTLS and login
    submissions: int  # TLS and login
    imap: int  # STARTTLS
    imaps: int
    lmtp: int
    elsewhere: int  # the server of those whose mail comes back


def write_configuration(folder: Path, ports: Ports) -> None:
    """Write everything that the two servers read, beside the certificates."""
    for name in ("postfix", "queue", "data", "dovecot", "mail"):
        (folder / name).mkdir()
    (folder / "postfix/master.cf").write_text(_MASTER.format(folder=folder, ports=ports))
    (folder / "postfix/main.cf").write_text(_MAIN.format(folder=folder, domain=DOMAIN, ports=ports))
    (folder / "postfix/boxes").write_text(f"/@{DOMAIN.replace('.', '[.]')}$/ here\n")
    elsewhere = f"smtp:[127.0.0.1]:{ports.elsewhere}"
    (folder / "postfix/transports").write_text(f"/^({LOST}|{FULL})-/ {elsewhere}\n")
    (folder / "postfix/refusals").write_text(
        f"/^{LOST}-/ 550 5.1.1 no such user here\n/^{FULL}-/ 552 5.2.2 this mailbox is full\n"
    )
    (folder / "dovecot/dovecot.conf").write_text(_DOVECOT.format(folder=folder, ports=ports, password=PASSWORD))


_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/postfix/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.{domain}
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = regexp:{folder}/postfix/boxes
virtual_transport = lmtp:inet:127.0.0.1:{ports.lmtp}
transport_maps = regexp:{folder}/postfix/transports
recipient_delimiter = +
local_transport = error:5.1.2 nothing is delivered on this machine
default_transport = error:5.1.2 nothing leaves this machine
relay_transport = error:5.1.2 nothing leaves this machine
smtpd_tls_chain_files = {folder}/server.pem
smtpd_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_relay_restrictions = permit_mynetworks,permit_sasl_authenticated,reject_unauth_destination
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 2000
smtpd_client_connection_count_limit = 0
message_size_limit = 10240000
in_flow_delay = 0
"""

_MASTER = """\
127.0.0.1:{ports.smtp} inet n - n - - smtpd
127.0.0.1:{ports.submission} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes -o smtpd_tls_auth_only=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
127.0.0.1:{ports.submissions} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
127.0.0.1:{ports.elsewhere} inet n - n - - smtpd
  -o myhostname=elsewhere.test
  -o smtpd_recipient_restrictions=check_recipient_access,regexp:{folder}/postfix/refusals,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
smtp unix - - n - - smtp
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

_DOVECOT = """\
base_dir = {folder}/dovecot/run
state_dir = {folder}/dovecot/state
log_path = {folder}/dovecot/log
instance_name = {folder.name}
protocols = imap lmtp
listen = 127.0.0.1
ssl = required
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.pem
mail_location = maildir:{folder}/mail/%u
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
auth_mechanisms = plain login
auth_failure_delay = 0 s
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {ports.imap}
  }}
  inet_listener imaps {{
    port = {ports.imaps}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {ports.lmtp}
  }}
}}
service auth {{
  unix_listener {folder}/queue/private/auth {{
    mode = 0666
  }}
}}
"""
