"""Remote signing as the Cloud Signature Consortium's API has it: version 2.0 at ``/csc/v2``, 1.0.4 at ``/csc/v1``.

The two differ in names (``hashes`` and ``hashAlgorithmOID`` are ``hash`` and ``hashAlgo`` in version 1) and in the
shape of a credential; what is done is the same. Callers come with a bearer token of this vault (service authorization
``external``) or with a client certificate that the reverse proxy vouches for (``TLS``); OAuth 2.0 is not offered.
"""
