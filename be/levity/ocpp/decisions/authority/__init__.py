"""Levity's own certificate authority for charge points (OCPP 1.6 security whitepaper, A02, A03).

`signing` is values in, values out; `key_file` keeps the one secret; `authorities` makes and
replaces the authority; `requests` is what people decide, `issuing` what a worker does of it.
"""
