"""What to do about objects that were refused, by the code of their error.

The message of each says what happened to it; here is what helps all of one cause.
"""

ADVICE = {
    "store": "See the messages: the store answered something unexpected.",
    "store-unreachable": "Resume once the store can be reached.",
    "tls": "Check the store's certificate and the clock of this machine.",
    "credentials-refused": "Check the store's credentials, then resume.",
    "clock-skew": "Set the clock of this machine, then resume.",
    "access-denied": "Grant these keys to the credentials, then resume.",
    "bucket-missing": "Create the bucket, or check its name.",
    "listing-refused": "Check what stands between us and the store: it answered no listing.",
    "throttled": "Resume later.",
    "store-fault": "Resume later; if it goes on, ask the store's operator.",
    "body-truncated": "Resume; if it goes on, look for a proxy that cuts bodies.",
    "request-refused": "See the messages: the store will not do it as it was asked.",
    "object-missing": "They went meanwhile; or a verify finds that they never arrived: sync again.",
    "precondition-failed": "Somebody else wrote there meanwhile: run again.",
    "checksum-refused": "Bytes changed on their way: resume; if it goes on, check the network.",
    "not-supported": "The store cannot do it: see what `lakebed stores` finds of the bucket.",
    "object": "See the messages.",
    "source-changed": "Their publisher replaced them meanwhile: run again.",
    "changed": "The destination holds another revision: see --on-change.",
    "digest-refused": "Ask the publisher, or wait for a new revision; "
    "`lakebed quarantine release` has a pair tried again.",
    "proof-failed": "What was stored is not what was sent, and was removed: resume.",
    "key-unsupported": "Choose another destination, or leave these keys out with --exclude.",
    "object-too-large": "See the messages for the limit; another --mode may have a lane.",
    "no-lane": "Allow another lane with --mode.",
    "disk-full": "Make room for temporary files, or choose a mode without them.",
    "defect": "A defect of Lakebed: please report it with the message.",
}
"""By `code`; what is not here speaks for itself in its messages."""


def advice(code: str) -> str:
    return ADVICE.get(code, ADVICE["object"])
