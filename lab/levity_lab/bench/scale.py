"""Does a message cost more with thousands of chargers connected, or beside millions of rows?"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from statistics import median

import psycopg2

from levity_lab.bench.figures import Round, system_cpu
from levity_lab.bench.rounds import held, load_round
from levity_lab.bench.stage import Stage, another_database
from levity_lab.bench.systems import System, fleet, migrated

__all__ = ["FULL", "Scale", "measure_scale", "scale_json", "scale_table"]

CONNECTED = 9_800
MESSAGES = 1_000_000
TRANSACTIONS = 100_000
FULL = "Levity-full"


@dataclass(frozen=True, slots=True)
class Scale:
    """Closed-loop rounds of 200 chargers: alone, among thousands, and beside millions of rows."""

    connected: int
    """More chargers, which only hang on the edge."""
    messages: int
    transactions: int
    plain: tuple[Round, ...]
    crowded: tuple[Round, ...]
    full: tuple[Round, ...]
    edge_mb: float
    """Resident memory of the edge with all of them connected."""

    @property
    def crowded_ratio(self) -> float:
        """CPU of a message among thousands of chargers, as a multiple of that alone."""
        return _cost(self.crowded) / _cost(self.plain)

    @property
    def full_ratio(self) -> float:
        """The same beside millions of rows."""
        return _cost(self.full) / _cost(self.plain)


def _cost(rounds: tuple[Round, ...]) -> float:
    return median(system_cpu(one) for one in rounds)


def measure_scale(
    stage: Stage, *, workers: int, rounds: int, seconds: float, say: Callable[[str], None]
) -> Scale:
    """Rounds of the three in turns, so that whatever else the machine does hits all of them."""
    found: dict[str, list[Round]] = {"plain": [], "crowded": [], "full": []}
    edge_mb = 0.0

    def take(what: str, on: Stage, system: System) -> None:
        one = load_round(on, system, charge_points=200, seconds=seconds, rate=None)
        found[what].append(one)
        say(f"{what}: {one.rate:,.0f} msg/s, p99 {one.p99_ms:.0f} ms, {system_cpu(one):.3f} ms CPU")

    with _full_database(stage, say) as full_stage, contextlib.ExitStack() as stack:
        plain = stack.enter_context(fleet(stage, "Levity", workers))
        full = stack.enter_context(fleet(full_stage, FULL, workers))
        for _ in range(rounds):
            take("plain", stage, plain)
            take("full", full_stage, full)
            say(f"connecting {CONNECTED:,} more")
            with held(stage, plain, CONNECTED, "CROWD"):
                take("crowded", stage, plain)
                edge_mb = max(edge_mb, found["crowded"][-1].memory_mb["edge"])
    return Scale(
        connected=CONNECTED,
        messages=MESSAGES,
        transactions=TRANSACTIONS,
        plain=tuple(found["plain"]),
        crowded=tuple(found["crowded"]),
        full=tuple(found["full"]),
        edge_mb=edge_mb,
    )


@contextlib.contextmanager
def _full_database(stage: Stage, say: Callable[[str], None]) -> Iterator[Stage]:
    with another_database(stage, "levity_bench_full") as url:
        full = replace(stage, database_url=url)
        migrated(full)
        say(f"storing {MESSAGES:,} messages and {TRANSACTIONS:,} transactions")
        with contextlib.closing(psycopg2.connect(url)) as database:
            database.autocommit = True
            with database.cursor() as cursor:
                for statement in FILL:
                    cursor.execute(statement, {"m": MESSAGES, "t": TRANSACTIONS})
        yield full


# A thousand chargers, a year of sessions, and what they said: four messages and as many samples a
# session are kept here, the oldest first, as a database grows by itself.
FILL = (
    # Django's defaults are not the database's.
    """DO $$ DECLARE c record; BEGIN
       FOR c IN SELECT table_name, column_name, CASE
               WHEN data_type IN ('character varying', 'text') THEN ''
               WHEN data_type = 'boolean' THEN 'false'
               WHEN data_type = 'jsonb' THEN '{}' ELSE '0' END AS value
           FROM information_schema.columns
           WHERE table_name LIKE 'ocpp\\_%%' AND is_nullable = 'NO' AND column_default IS NULL
               AND is_identity = 'NO' AND data_type NOT LIKE 'timestamp%%' AND data_type <> 'uuid'
       LOOP EXECUTE format('ALTER TABLE %%I ALTER %%I SET DEFAULT %%L',
           c.table_name, c.column_name, c.value); END LOOP; END $$""",
    """INSERT INTO ocpp_chargepoint (identity, registration, created_at)
       SELECT 'OLD-' || n, 'Accepted', now() FROM generate_series(1, 1000) n""",
    """INSERT INTO ocpp_transaction (charge_point_id, evse, connector, state, id_tag, started_at,
           start_received_at, stopped_at, meter_start, meter_stop, energy)
       SELECT c.id, 0, 1, 'stopped', 'TAG' || n %% 500, t, t,
           t + interval '2 hours', n, n + 9000, 9000
       FROM generate_series(1, %(t)s) n
       JOIN ocpp_chargepoint c ON c.identity = 'OLD-' || 1 + n %% 1000,
       LATERAL (SELECT now() - interval '1 year' + n * interval '5 minutes' AS t) _""",
    """INSERT INTO ocpp_message (charge_point_id, connection, seq, sender, unique_id, action,
           request, response, error_code, error_description, received_at, answered_at)
       SELECT c.id, md5((n / 1000)::text)::uuid, n, 'cp', 'old-' || n, 'MeterValues',
           repeat('x', 300), '[3,"old",{}]', '', '', t, t
       FROM generate_series(1, %(m)s) n
       JOIN ocpp_chargepoint c ON c.identity = 'OLD-' || 1 + n %% 1000,
       LATERAL (SELECT now() - interval '90 days' + n * interval '7 seconds' AS t) _""",
    """INSERT INTO ocpp_sampleshape (id, names)
       VALUES (1, '[["Energy.Active.Import.Register","","","","","Wh"]]')""",
    """INSERT INTO ocpp_metervalue_recent (charge_point_id, evse, connector, transaction_id,
           sampled_at, received_at, shape_id, raw_values)
       SELECT t.charge_point_id, 0, 1, t.id, t.started_at + k * interval '15 minutes',
           t.started_at, 1, '1'
       FROM ocpp_transaction t, generate_series(1, 4) k""",
    "ANALYZE",
)


def scale_table(scale: Scale) -> str:
    """For people."""
    plain, crowded, full = _cost(scale.plain), _cost(scale.crowded), _cost(scale.full)
    rows = f"{scale.messages:,} messages and {scale.transactions:,} transactions"
    lines = [
        f"CPU of a message, 200 chargers in closed loop: {plain:.3f} ms",
        f"  with {scale.connected:,} more chargers connected: {crowded:.3f} ms,",
        f"    {scale.crowded_ratio:.2f} times (target 1.3); the edge has {scale.edge_mb:.0f} MB",
        f"  beside {rows}: {full:.3f} ms, {scale.full_ratio:.2f} times (target 1.2)",
    ]
    errors = sum(one.call_errors for one in (*scale.plain, *scale.crowded, *scale.full))
    return "\n".join([*lines, f"  CALLERRORs: {errors}"])


def scale_json(scale: Scale) -> dict[str, object]:
    """For machines."""
    ratios = {"crowded_ratio": scale.crowded_ratio, "full_ratio": scale.full_ratio}
    return {**asdict(scale), **ratios}
