"""A charge point simulator: plays chargers over real websockets, their bad habits included.

Layers, each usable alone: `profiles` and `makes` (habits as data), `connector` and `meter`
(what happens at the socket, sans-I/O), `answers` (replies to the central system, pure), `outbox`
(order and retries), `charge_point` (one charger that lives), `fleet` (many), `load` (full speed).
Needs websockets and orjson; neither Django nor the rest of Levity.
"""
