"""The settings of the OCPP app, their defaults and their meaning (docs/extending.md lists them)."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

__all__ = ["DEFAULTS", "DEFAULT_OCPP_MIDDLEWARE", "call_timeout", "setting"]

DEFAULT_OCPP_MIDDLEWARE: tuple[str, ...] = (
    "levity.ocpp.middleware.registration.RegistrationRequired",
    "levity.ocpp.middleware.auto_remote_start.AutoRemoteStart",
    "levity.ocpp.middleware.authorization.AuthorizeIdTags",
    "levity.ocpp.middleware.orphaned_transactions.OrphanedTransactions",
)

DEFAULTS: dict[str, Any] = {
    # Dotted paths, or (path, options); the first is the outermost.
    "OCPP_MIDDLEWARE": DEFAULT_OCPP_MIDDLEWARE,
    # Seconds between heartbeats, unless the charge point has its own.
    "OCPP_HEARTBEAT_INTERVAL": 300,
    # Seconds to wait for a charger's answer. Mennekes Amtron takes more than 60 now and then.
    "OCPP_CALL_TIMEOUT": 60,
    # Seconds for which a card that was authorised, or a RemoteStartTransaction that was accepted,
    # keeps the automatic start away, where the charger has not told its ConnectionTimeOut.
    "OCPP_CONNECTION_TIMEOUT": 120,
    # Requests that may wait for the end of a command in one web process: half of its threads.
    "OCPP_WAITING_REQUESTS": 2,
    # What to do with a charge point that nobody has seen before: accept, pending or reject.
    "OCPP_UNKNOWN_CHARGE_POINTS": "accept",
    # The security profile of new charge points: 0 open, 1 key, 2 key over TLS, 3 certificate. Above
    # 0 nobody is added by connecting: the onboarding doctor lists who knocked.
    "OCPP_SECURITY_PROFILE": 0,
    # Hosts inside a network to which chargers may be sent for firmware and uploads: exact names,
    # addresses, or networks such as 192.168.1.0/24.
    "OCPP_LOCATION_HOSTS": (),
    # When a certificate that a charger asks for is signed: "triggered" by itself where a Call of
    # ours asked for it and the charger has proved over TLS who it is, else after a person's
    # approval; "approval" after a person's approval always.
    "OCPP_SIGN_CERTIFICATES": "triggered",
    # Days for which a charger's certificate is good, and before its end the days from which on the
    # charger is asked to have a new one made; 0 asks nobody.
    "OCPP_CERTIFICATE_DAYS": 365,
    "OCPP_CERTIFICATE_RENEWAL_DAYS": 30,
    # The key of our own certificate authority; empty: certificate_authority.key in DATA_DIR. And
    # the passphrase with which it is encrypted, if it is.
    "OCPP_CA_KEY_FILE": "",
    "OCPP_CA_PASSPHRASE": "",
    # Ask a charger once, half a minute after it has booted with new firmware, for the configuration
    # keys on which other decisions depend; never those whose quirk profile forbids it.
    "OCPP_READ_CONFIGURATION": True,
    # Functions that are called with the sessions that changed: dotted paths.
    "OCPP_SESSIONS_CHANGED": (),
    # The recorder of events for webhooks, MQTT and the event feed: a dotted path; empty: none.
    "OCPP_EVENT_RECORDER": "",
    # Who may charge, unless the charge point or its site has a rule of its own: anonymous (every
    # tag), known (known tags only), record (every tag; unknown ones are noted for approval).
    "OCPP_AUTHORIZATION": "anonymous",
    # Seconds after which a charge point that is not registered yet asks again.
    "OCPP_PENDING_INTERVAL": 60,
    # Days after which messages, connection and status history are deleted; 0 keeps them for ever.
    "OCPP_MESSAGE_RETENTION_DAYS": 90,
    # Whole days after which messages move out of rows of their own into one compressed block a
    # charge point and day, where pages and exports find them as before; 0 never moves them.
    "OCPP_MESSAGE_ROW_DAYS": 2,
    # Years after which the messages of which sessions are made are deleted, too: those that begin
    # and end them, and their samples. A bill must be traceable for that long; 0 keeps them for
    # ever.
    "OCPP_LEDGER_FRAMES_YEARS": 10,
    # Days after the end of a session after which its meter values move out of rows into one
    # compressed trace, where everything finds them as before; 0 never moves them.
    "OCPP_METER_VALUE_ROW_DAYS": 2,
    # Days without a sign of the charger after which its running sessions are ended at their last
    # sample; 0 leaves them running for ever.
    "OCPP_ABANDONED_AFTER_DAYS": 7,
    # Profiles of chargers that Levity does not know: QuirkProfile objects or dotted paths to them.
    "OCPP_QUIRK_PROFILES": (),
    # W of one connector, where neither charge point nor connector says: a register that rises
    # faster is not believed.
    "OCPP_MAX_POWER": 43_000,
    # Seconds between any two frames to one charger, whatever it says in between. 0 leaves it to the
    # edge, which keeps a CALLRESULT and a Call behind it apart (Grizzl-E 5.62x closes with 1002
    # when they arrive in one TCP segment) and never delays an ordinary answer.
    "OCPP_FRAME_GAP": 0.0,
    # Seconds between websocket pings; 0 is off. Grizzl-E (0.5) sends invalid pongs.
    "OCPP_PING_INTERVAL": 0,
    # Seconds that handlers and middleware may take for one frame; then it is parked. 0 is no limit.
    # Less than the 20 s for which an edge holds what else is in the batch.
    "OCPP_FRAME_TIME_LIMIT": 10,
    # Seconds without a sign of life after which an edge, and what hangs on it, counts as gone. With
    # the 5 s between two rounds of housekeeping: offline within 30 s.
    "OCPP_EDGE_TIMEOUT": 25,
    # Postgres plans the statements of the pipeline once a connection. Off behind a pooler that
    # gives each transaction another connection (pgbouncer in transaction mode).
    "OCPP_PREPARED_STATEMENTS": True,
    # So many new charge points an hour are let in, from private and from public addresses; more are
    # kept as pending. 0 is no limit; this machine has none.
    "OCPP_NEW_PER_HOUR": 1000,
    "OCPP_NEW_PER_HOUR_PUBLIC": 20,
    # The tag with which AutoRemoteStart starts. At most 18 characters: some chargers (Ocular)
    # give a 20-character tag back with two more.
    "OCPP_AUTO_REMOTE_START_ID_TAG": "anonymous",
}


def setting(name: str) -> Any:
    """The site's value of an OCPP setting, else the default."""
    if name not in _read:
        # Django looks a missing setting up with an exception, and this is asked for every frame.
        _read[name] = getattr(settings, name, DEFAULTS[name])
    return _read[name]


_read: dict[str, Any] = {}


@receiver(setting_changed, dispatch_uid="levity.ocpp.conf")
def _forget(*, setting: str, **_: Any) -> None:
    """Tests change settings."""
    _read.pop(setting, None)


def call_timeout(own: int | None) -> timedelta:
    """How long to wait for a charger's answer; `own` is its own value, if it has one."""
    return timedelta(seconds=own or setting("OCPP_CALL_TIMEOUT"))
