"""Levity's own certificate authority for charge points (OCPP 1.6 security whitepaper, A02, A03).

`signing` is values in, values out; `key_file` keeps the one secret; `issuing` is what becomes of
requests: approved, signed, sent, renewed, revoked.
"""
