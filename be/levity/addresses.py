"""Where chargers find this Levity: the address that people type into them."""

import contextlib
import ipaddress
import os
import socket
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from levity import environment

__all__ = [
    "EXAMPLE",
    "PLACEHOLDER",
    "Address",
    "charger_addresses",
    "is_beside_us",
    "local_addresses",
]

# One name everywhere for what people choose, and one example.
PLACEHOLDER, EXAMPLE = "CHARGE_POINT_ID", "garage-1"
# Networks inside this machine: of containers and virtual machines. No charger is in them.
INSIDE = ("docker", "br-", "veth", "virbr", "lxc", "cni", "podman", "vmnet")
# ioctl(2) of Linux: an interface's address, and its flags; the flag that it is up.
SIOCGIFADDR, SIOCGIFFLAGS, IFF_UP = 0x8915, 0x8913, 0x1

IF_INET6 = "/proc/net/if_inet6"
"""Where Linux lists its addresses: each with its index and the length of its prefix, in
hexadecimal (proc(5))."""


@dataclass(frozen=True, slots=True)
class Address:
    """Up to the slash behind which the charger's name stands."""

    scheme: str
    bare: str
    """Without the scheme, as the Grizzl-E wants it: host:port/ws/."""
    note: str = ""

    @property
    def url(self) -> str:
        """With the scheme."""
        return f"{self.scheme}://{self.bare}"


def charger_addresses(
    called: str,
    environ: Mapping[str, str],
    *,
    port: int,
    secure: bool = False,
    same_port: bool = False,
) -> list[Address]:
    """The addresses for chargers, the best one first; never empty.

    `called` is the host and port by which a browser has found this page. Chargers connect to the
    same port where there is TLS or a proxy in front (`same_port`), else to `port`. A name that
    only this machine or this network's browsers know (localhost, an ssh tunnel's end, box.local)
    is no use to a charger: then it is this machine's address in each of its networks.
    """
    scheme = "wss" if secure else "ws"
    host = _host_of(called)
    name = environment.public_name(environ, socket.gethostname())
    found: list[Address] = []

    def add(host: str, note: str = "") -> None:
        shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
        authority = shown if secure or same_port else f"{shown}:{port}"
        if (secure or same_port) and host == _host_of(called):
            authority = called
        if all(each.bare != f"{authority}/ws/" for each in found):
            found.append(Address(scheme, f"{authority}/ws/", note))

    if not _is_here_only(host):
        add(host)
    if name and name != host:
        add(name, "by the name in HOSTNAME")
    if not secure and not same_port:
        here = local_addresses()
        for address in here:
            add(address, "" if len(here) == 1 else "in one of this machine's networks")
    if not _is_an_address(host) and _is_here_only(host) and not _is_loopback(host):
        add(host, "by name, for chargers that can resolve names in the network")
    if not found and same_port:
        add(host, f"with this computer's network address instead of {host}")
    elif not found:
        add(host, "this machine has no network: chargers can't reach it yet")
    return found


def local_addresses() -> list[str]:
    """This machine's IPv4 addresses in its networks, the one that leads out first."""
    found = []
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Connecting a datagram socket sends nothing; it only chooses the way out.
        probe.connect(("192.0.2.1", 9))
        found.append(probe.getsockname()[0])
    if sys.platform == "linux":
        found += _of_interfaces()
    return [
        address
        for address in dict.fromkeys(found)
        if not address.startswith(("127.", "0.", "169."))
    ]


def is_beside_us(address: str, listed: str = IF_INET6) -> bool:
    """True for an IPv6 address in one of the networks in which this machine is itself."""
    try:
        wanted = ipaddress.IPv6Address(address.partition("%")[0])
        lines = Path(listed).read_text(encoding="ascii").splitlines()
        own = [line.split()[:3] for line in lines]
        return any(
            # One that the router has given (DHCPv6) is told without its network.
            wanted in ipaddress.IPv6Network((int(place, 16), min(int(length, 16), 64)), False)
            for place, _, length in own
            if place != "0" * 31 + "1"
        )
    except (OSError, ValueError):
        return False


def _of_interfaces() -> list[str]:
    import fcntl  # there is none on Windows

    found = []
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            if name.startswith(INSIDE):
                continue
            with contextlib.suppress(OSError):  # one without an IPv4 address
                asked = struct.pack("256s", os.fsencode(name)[:15])
                flags = struct.unpack("H", fcntl.ioctl(probe, SIOCGIFFLAGS, asked)[16:18])[0]
                if flags & IFF_UP:
                    packed = fcntl.ioctl(probe, SIOCGIFADDR, asked)[20:24]
                    found.append(socket.inet_ntoa(packed))
    return found


def _host_of(called: str) -> str:
    """Without the port; IPv6 addresses without their brackets."""
    if called.startswith("["):
        return called[1:].partition("]")[0]
    return called.rsplit(":", 1)[0] if called.count(":") == 1 else called


def _is_an_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    if _is_an_address(host):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def _is_here_only(host: str) -> bool:
    """True if a charger would find itself under it, or nothing."""
    if _is_loopback(host):
        return True
    return not _is_an_address(host) and ("." not in host or host.endswith(".local"))
