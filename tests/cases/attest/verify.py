"""Verifies an envelope with implementations that are not ours, and prints the statement.

securesystemslib checks the signature (DSSE), in-toto-attestation the statement and SLSA's summary, strictly: a field that
its definitions do not have is an error. Arguments: the envelope's file, the public key as OpenSSH writes it, its
fingerprint.
"""

import base64
import json
import sys

from google.protobuf import json_format
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

path, line, fingerprint = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    envelope = Envelope.from_dict(json.load(file))

# string "ssh-ed25519", then the key: 4 + 11 + 4 bytes before it.
point = base64.b64decode(line.split()[1])[19:]
key = SSlibKey(fingerprint, "ed25519", "ed25519", {"public": point.hex()})
accepted = envelope.verify([key], 1)
assert list(accepted) == [fingerprint], accepted
assert envelope.payload_type == "application/vnd.in-toto+json"

Statement.copy_from_pb(json_format.Parse(envelope.payload, statement_pb2.Statement())).validate()
predicate = json.loads(envelope.payload)["predicate"]
# The package's own definition has one level in place of a list, and no version of the verifier: it is held against that of
# SLSA 1.0 but for these two.
[level] = predicate.pop("verifiedLevels")
assert isinstance(level, str) and not level.startswith("SLSA_")
assert list(predicate["verifier"].pop("version")) == ["git-gate"]
json_format.ParseDict(predicate, vsa_pb2.VerificationSummary())
print(envelope.payload.decode())
