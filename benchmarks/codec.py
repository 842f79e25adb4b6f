"""The bytes of the PEP port: a request recorded from pepcli read, and its answer written, beside the standard library.

The yardsticks do less, in C and Rust: json reads and writes the same tree, cryptography reads the certificates in it.
"""

import base64
import json
from dataclasses import replace
from pathlib import Path

from cryptography import x509

from argus_py.hessian import base64_lines, messages
from benchmarks.tables import Row, microseconds, show

_RECORDED = Path(__file__).parent.parent / "tests/vectors/pep/cases/c-req-certchain-proxy.json"


def main() -> None:
    case = json.loads(_RECORDED.read_text())
    body = case["request"].encode("latin-1")
    tree = case["decoded_request"]
    request = messages.read_request(base64_lines.decode(body))
    recorded_answer = messages.read_response(base64_lines.decode(case["response"].encode("latin-1")))
    answer = replace(recorded_answer, request=request)
    chain = request.subjects[0].attributes[0].values[0].encode()
    json_body = base64.encodebytes(json.dumps(tree).encode())

    def read() -> None:
        messages.read_request(base64_lines.decode(body))

    def write() -> None:
        base64_lines.encode(messages.write_response(answer))

    def read_and_write() -> None:
        read()
        write()

    def read_json() -> None:
        json.loads(base64.decodebytes(json_body))

    def write_json() -> None:
        base64.encodebytes(json.dumps(tree).encode())

    def read_and_write_json() -> None:
        read_json()
        write_json()

    def read_certificates() -> None:
        x509.load_pem_x509_certificates(chain)

    rows = [
        Row("read the request; json reads its tree", *microseconds(read, read_json)),
        Row("write the answer with the request in it; json writes the tree", *microseconds(write, write_json)),
        Row("both; json does both", *microseconds(read_and_write, read_and_write_json)),
        Row("both; cryptography reads the certificates", *microseconds(read_and_write, read_certificates)),
    ]
    show(f"A request of {len(body):,} octets and its answer, microseconds", "hessian", "yardstick", rows)
