"""Which machines may messages for targets be sent to?  Pure: an address in, a reason or nothing out.

Whoever can make a setting, or a name's owner, must not make this program talk to what only it can reach: the machine
itself, its network, the services that clouds offer to their machines.  So the address is judged that a connection was
really made to, whatever it was called: a name may mean something else each time it is looked up, and an address has
many spellings.

Does not look names up or connect.  Sources: the IANA registries of special-purpose addresses (IPv4 and IPv6, read
2026-11-22); ``ipaddress`` knows most of them.
"""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PUBLIC_PORTS = (443, 8443)  # of other machines: what else listens somewhere is no webhook
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # an IPv4 address in its last 32 bits
# Neither of ``ipaddress``'s kinds, or not in all of its versions.
_ELSEWHERE = (
    ipaddress.ip_network("100.64.0.0/10"),  # shared by a provider's customers; clouds use it for their own services
    ipaddress.ip_network("168.63.129.16/32"),  # Azure's services for its machines
    ipaddress.ip_network("192.0.0.0/24"),
    ipaddress.ip_network("192.88.99.0/24"),  # 6to4 relays, withdrawn
    ipaddress.ip_network("::/96"),  # IPv4 addresses, withdrawn
    ipaddress.ip_network("64:ff9b:1::/48"),  # NAT64 inside a network
    ipaddress.ip_network("5f00::/16"),
    ipaddress.ip_network("fec0::/10"),  # site-local, withdrawn
)


def why_refused(address: str, *, allow_private: bool) -> str | None:
    """Return why nothing may be sent to an address, in words without the address; None = it may.

    Args:
        address: as the socket names its peer; a zone behind "%" does not matter.
        allow_private: whether the target may be this machine, or one of its network.
    """
    try:
        peer = _innermost(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return "is no address of the Internet"
    if peer.is_multicast or peer.is_unspecified or peer == ipaddress.ip_address("255.255.255.255"):
        return "is an address of no single machine"
    if allow_private:
        return None
    if peer.is_loopback:
        return "is this machine itself"
    if peer.is_link_local:
        return "is an address of the local link, where clouds offer their services"
    if not peer.is_global or peer.is_reserved or any(peer in network for network in _ELSEWHERE):
        return "is an address of a private network"
    return None


def is_this_machine(address: str) -> bool:
    """Return whether a socket's peer is the machine itself."""
    return _innermost(ipaddress.ip_address(address.partition("%")[0])).is_loopback


def _innermost(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address
