"""The configuration keys that a simulated charger has."""

from levity.simulator.profiles import Profile

__all__ = ["FIXED_KEYS", "configuration_keys"]

FIXED_KEYS = frozenset({"NumberOfConnectors", "SupportedFeatureProfiles"})
"""Read-only."""


def configuration_keys(profile: Profile) -> dict[str, str]:
    """The keys as they stand when the charger leaves the factory."""
    return {
        "HeartbeatInterval": "300",
        "MeterValueSampleInterval": f"{profile.sample_interval:.0f}",
        "MeterValuesSampledData": ",".join(
            sample.measurand or "Energy.Active.Import.Register" for sample in profile.samples
        ),
        "ConnectionTimeOut": f"{profile.connection_timeout:.0f}",
        "TransactionMessageAttempts": f"{profile.retry.attempts}",
        "TransactionMessageRetryInterval": f"{profile.retry.interval:.0f}",
        "AuthorizeRemoteTxRequests": str(profile.remote_start.authorizes).lower(),
        "StopTransactionOnInvalidId": str(profile.stops_on_invalid_id).lower(),
        "NumberOfConnectors": f"{profile.connectors}",
        "SupportedFeatureProfiles": ",".join(profile.feature_profiles),
        **profile.configuration,
    }
