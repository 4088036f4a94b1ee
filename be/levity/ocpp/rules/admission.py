"""Whether a handshake may pass: the rules of the security profiles. No I/O, no clock.

A verdict names its reason by a word of `reasons.py`; what the charger is told says no more than
that it is not let in, so that nobody learns which identities exist or what they need.
"""

from dataclasses import replace

from levity.ocpp.chargers.security import keys
from levity.ocpp.chargers.security.basic import read_basic
from levity.ocpp.chargers.security.certificates import CertificateError, read_certificate
from levity.ocpp.rules import lockout
from levity_ws.frozen import frozen
from levity_ws.rpc.envelope import Authenticate

__all__ = ["PASSED", "CredentialState", "Guesses", "Verdict", "judge"]


@frozen
class CredentialState:
    """What is known of a charge point's credentials."""

    profile: int
    """0 to 3, see `SecurityProfile`."""
    last_address: str = ""
    """From where it was let in the last time."""
    digest: str = ""
    next_digest: str = ""
    """Of a key that was sent to the charger and may be in use there."""
    next_profile: int | None = None
    allow_short: bool = False
    certificate_name: str = ""
    """The common name of its certificate, where that is not its identity."""
    revoked: frozenset[str] = frozenset()
    """Serial numbers of certificates that are presented just now, and are revoked here."""


@frozen
class Guesses:
    """Wrong keys from one address; see `lockout`."""

    forgotten_at: float = 0.0
    insistent_forgotten_at: float = 0.0
    """The same for keys that came again while none was looked at."""
    last_guess: str = ""
    waiting: lockout.Waiting = ()
    """Keys that were not looked at; those of all identities stand with the address."""


@frozen
class Verdict:
    """What became of a handshake."""

    reason: str = ""
    """Empty: it may pass. Else a word of `reasons.py`."""
    detail: str = ""
    """For the operator; never the key."""
    guess: str = ""
    """Not empty: this counts as a wrong guess, and is recognised by this."""
    is_insistent: bool = False
    """The guess was looked at because it came again."""
    waits: str = ""
    """Not empty: it was not looked at, and is recognised by this when it comes again."""
    key: bytes | None = None
    """The key that was presented, where it was the wrong one. Never written anywhere."""
    retry_after: float = 0.0
    promotes_key: bool = False
    """It came with the key that was on its way: the old one is dead."""
    raises_to: int | None = None
    """It came with the higher profile that it had accepted."""

    def __repr__(self) -> str:
        return f"Verdict({self.reason or 'passed'})"


PASSED = Verdict()
UNKNOWN = CredentialState(1)
"""An identity that nobody knows is asked for a key that nobody has."""


def judge(
    event: Authenticate,
    known: CredentialState | None,
    mine: Guesses,
    from_address: Guesses,
    pepper: str,
) -> Verdict:
    """Whether this handshake meets the charge point's profile; `known` None: no such charger.

    `mine` are the wrong guesses for this identity from this address, `from_address` those for
    all identities. `pepper` is a secret of this installation.
    """
    credential = UNKNOWN if known is None else known
    raised = credential.next_profile
    if raised is not None and raised > credential.profile:
        higher = _judge(event, credential, raised, mine, from_address, pepper)
        if not higher.reason:
            return Verdict(promotes_key=higher.promotes_key, raises_to=raised)
        if higher.guess:
            # The key is wrong at any profile: one guess, not two.
            return higher
    verdict = _judge(event, credential, credential.profile, mine, from_address, pepper)
    if known is None and verdict.reason in ("key", "no-key-set", "no-key"):
        return replace(verdict, reason="unknown")
    return verdict


def _judge(
    event: Authenticate,
    credential: CredentialState,
    profile: int,
    mine: Guesses,
    from_address: Guesses,
    pepper: str,
) -> Verdict:
    if profile == 0:
        return PASSED
    if profile >= 2 and not event.secure:
        return Verdict("no-tls", f"profile {profile} requires TLS")
    if profile == 3:
        return _judge_certificate(event, credential)
    return _judge_key(event, credential, mine, from_address, pepper)


def _judge_certificate(event: Authenticate, credential: CredentialState) -> Verdict:
    if event.certificate_verified in ("", "NONE"):
        return Verdict("no-certificate")
    if event.certificate_verified != "SUCCESS":
        # nginx: "FAILED:" and why.
        return Verdict("certificate", event.certificate_verified.partition(":")[2][:200])
    try:
        shown = read_certificate(event.certificate)
    except CertificateError as error:
        return Verdict("certificate", str(error)[:200])
    wanted = credential.certificate_name
    # The one of before is issued to its identity, and is good until it has the new one.
    if shown.name.lower() not in (event.charge_point.lower(), wanted.lower() or None):
        needed = f", and should be issued to “{wanted[:64]}”" if wanted else ""
        return Verdict("certificate-name", f"it is issued to “{shown.name[:64]}”{needed}")
    if shown.serial_number in credential.revoked:
        return Verdict("certificate", "it was revoked here")
    if shown.ends_at < event.at:
        # A resumed TLS session: the proxy has looked when it began.
        return Verdict("certificate", "it has expired")
    return PASSED


def _judge_key(
    event: Authenticate,
    credential: CredentialState,
    mine: Guesses,
    from_address: Guesses,
    pepper: str,
) -> Verdict:
    if not event.authorization:
        return Verdict("no-key")
    basic = read_basic(event.authorization, event.charge_point)
    if basic is None:
        return Verdict("header")
    guess = keys.same_guess(basic.password, pepper)
    # Others behind the same address never lock out who was let in from there before.
    is_at_home = credential.last_address == event.remote
    buckets = (mine,) if is_at_home else (mine, from_address)
    pause = max(lockout.wait(item.forgotten_at, event.at) for item in buckets)
    is_insistent = pause > 0 and guess != mine.last_guess
    if is_insistent:
        mark = keys.same_try(event.charge_point, basic.password, pepper)
        longer = max(lockout.wait(item.insistent_forgotten_at, event.at) for item in buckets)
        if longer or all(mark != item for item, _ in from_address.waiting):
            # Not looked at, whether it is right or wrong.
            again = min(pause, longer or lockout.AGAIN_AFTER)
            return Verdict("locked", waits=mark, retry_after=again)
    # All of it is computed whatever the first of it says: no charger answers sooner than another.
    is_long = credential.allow_short or len(keys.canonical(basic.password)) >= keys.SHORTEST
    is_current = keys.matches(basic.password, credential.digest)
    is_next = keys.matches(basic.password, credential.next_digest)
    if basic.is_identity and is_long and (is_current or is_next):
        return Verdict(promotes_key=is_next and not is_current)
    counted = "" if guess == mine.last_guess else guess
    if not basic.is_identity:
        said = f"its user name is “{basic.username}”"
        return Verdict("username", said, counted, is_insistent, key=basic.password)
    reason = "key" if credential.digest or credential.next_digest else "no-key-set"
    return Verdict(reason, "", counted, is_insistent, key=basic.password)
