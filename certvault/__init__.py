"""The vault: licenses, catalog, seals, names of keys, PKI, status, audit, database.

Knows no web and no key bytes. Enter through :func:`certvault.bootstrap.create_vault` and
:func:`certvault.bootstrap.open_vault`; everything else hangs on the :class:`certvault.vault.Vault` they return.
"""
