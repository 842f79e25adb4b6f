"""Asks PEP daemons over JSON (POST /v1/authorize): may this subject do that, and under which local account?

    argus = Argus(["https://argus1.example.org:8154", "https://argus2.example.org:8154"], credential=Credential.proxy())
    account = argus.authorize(Certificates.from_file(payload_proxy), resource, action).mapped()

Only a Permit permits: ``mapped`` gives an account or raises, and every failure is an exception of a kind in ``errors``.
For asyncio there is ``asynchronous.AsyncArgus``. The module starts quickly, as worker nodes run it once per payload;
that is why it has nothing but the standard library, and ``asynchronous`` a door of its own.
"""

from argus_py.client.accounts import LocalAccount, UnusableAccount, resolve
from argus_py.client.answer import Account, Authorization, Group, NoAccount, NotAuthorized
from argus_py.client.argus import Argus, Attempt, NoAnswer, QuestionRefused
from argus_py.client.exchange import UnusableEndpoint
from argus_py.client.question import Certificates, Named, PrivateKeyGiven, UnusableSubject
from argus_py.client.tls import Credential, UnusableCredential

__all__ = [
    "Account",
    "Argus",
    "Attempt",
    "Authorization",
    "Certificates",
    "Credential",
    "Group",
    "LocalAccount",
    "Named",
    "NoAccount",
    "NoAnswer",
    "NotAuthorized",
    "PrivateKeyGiven",
    "QuestionRefused",
    "UnusableAccount",
    "UnusableCredential",
    "UnusableEndpoint",
    "UnusableSubject",
    "resolve",
]
