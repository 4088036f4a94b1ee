"""What happens to a connector in its days: cars come and go, and now and then something breaks."""

from dataclasses import dataclass, replace
from random import Random

from levity.simulator.charge_point import ChargePoint

__all__ = ["EVERYDAY", "LIVELY", "ONCE", "Act", "Life", "live"]

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens, and when: `kind` is session, fault, power-loss, offline or reboot.

    power-loss, offline and reboot happen in the middle of a session.
    """

    kind: str
    after: float
    """Seconds before it begins."""


@dataclass(frozen=True, slots=True)
class Life:
    """How much happens. Ranges are seconds of simulated time, shares are 0 to 1."""

    pause: Range
    """Between two cars."""
    session: Range
    """How long a car charges, if nothing stops it before."""
    linger: Range
    """How long it stays plugged in afterwards."""
    patience: Range
    """How long a driver waits for the charger to start by itself before showing a card."""
    card_share: float = 0.5
    """Drivers who show their card at once."""
    unplug_share: float = 0.3
    """Sessions that end because the cable is pulled, not at the charger."""
    fault_share: float = 0.05
    """Of all happenings; the rest are sessions."""
    power_loss_share: float = 0.04
    """Of the sessions; likewise below."""
    offline_share: float = 0.06
    reboot_share: float = 0.03
    repair: Range = (10.0, 30.0)
    outage: Range = (10.0, 60.0)
    tags: int = 40
    """How many different cards there are."""
    sessions: int | None = None
    """Cars per connector; None for no end."""


LIVELY = Life(pause=(3.0, 25.0), session=(25.0, 150.0), linger=(2.0, 10.0), patience=(4.0, 8.0))
"""Something to see in every minute, with power and energy as they would be."""

EVERYDAY = Life(
    pause=(600.0, 14_400.0),
    session=(1_200.0, 21_600.0),
    linger=(60.0, 7_200.0),
    patience=(10.0, 30.0),
    fault_share=0.01,
    power_loss_share=0.005,
    offline_share=0.02,
    reboot_share=0.005,
    repair=(120.0, 3_600.0),
    outage=(30.0, 1_800.0),
)
"""A car park; meant for compressed time."""

ONCE = replace(
    LIVELY,
    pause=(0.0, 2.0),
    session=(10.0, 20.0),
    fault_share=0.0,
    power_loss_share=0.0,
    offline_share=0.0,
    reboot_share=0.0,
    sessions=1,
)
"""One plain session, then no more."""


async def live(
    charge_point: ChargePoint,
    number: int,
    life: Life,
    chance: Random,
    *,
    first: tuple[Act, ...] = (),
) -> None:
    """Let one connector live: these acts `first`, then by chance, until `life.sessions`."""
    done = 0
    script = list(first)
    while life.sessions is None or done < life.sessions:
        act = script.pop(0) if script else _next_act(life, chance)
        await charge_point.clock.sleep(act.after)
        if act.kind == "fault":
            code = chance.choice(("GroundFailure", "ConnectorLockFailure", "OverCurrentFailure"))
            charge_point.fault(code, number)
            await charge_point.clock.sleep(chance.uniform(*life.repair))
            charge_point.recover(number)
        else:
            await _session(charge_point, number, life, chance, act.kind)
            done += 1


def _next_act(life: Life, chance: Random) -> Act:
    after = chance.uniform(*life.pause)
    if chance.random() < life.fault_share:
        return Act("fault", after)
    dice = chance.random()
    for kind, share in (
        ("power-loss", life.power_loss_share),
        ("offline", life.offline_share),
        ("reboot", life.reboot_share),
    ):
        if dice < share:
            return Act(kind, after)
        dice -= share
    return Act("session", after)


async def _session(
    charge_point: ChargePoint, number: int, life: Life, chance: Random, incident: str
) -> None:
    clock = charge_point.clock
    tag = f"CARD{chance.randrange(life.tags):04d}"
    has_card = chance.random() < life.card_share
    patience = chance.uniform(*life.patience)
    length = chance.uniform(*life.session)
    leaves_by_cable = chance.random() < life.unplug_share
    charge_point.plug_in(number)
    if has_card:
        # Between the plug and the card; within the second in which nobody else would start.
        await clock.sleep(min(patience, 0.8))
        await charge_point.present_tag(tag, number)
    elif not await charge_point.charging(number, within=patience):
        await charge_point.present_tag(tag, number)
    if not await charge_point.charging(number, within=patience):
        charge_point.unplug(number)
        return
    if incident != "session":
        await charge_point.not_charging(number, within=length / 3)
        match incident:
            case "power-loss":
                charge_point.lose_power()
            case "offline":
                charge_point.go_offline(chance.uniform(*life.outage))
            case "reboot":
                await charge_point.reboot("Reboot")
        length *= 2 / 3
    await charge_point.not_charging(number, within=length)
    if not leaves_by_cable:
        charge_point.stop(number, tag=tag if has_card else None)
        await clock.sleep(chance.uniform(*life.linger))
    charge_point.unplug(number)
