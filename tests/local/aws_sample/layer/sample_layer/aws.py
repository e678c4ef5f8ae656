"""Two calls to AWS without boto3, which would be most of the time that building this sample takes."""

import hashlib
import hmac
import json
import os
import time
import urllib.request
from typing import Any
from urllib.parse import quote, urlsplit


def put_object(bucket: str, key: str, body: bytes) -> None:
    url = f"{os.environ['AWS_ENDPOINT_URL']}/{quote(bucket)}/{quote(key)}"
    _send("PUT", url, "s3", body, {})


def call(service: str, operation: str, members: dict[str, Any]) -> None:
    """An operation of a service that speaks JSON."""
    headers = {"x-amz-target": f"Amazon{service.upper()}.{operation}", "content-type": "application/x-amz-json-1.0"}
    _send("POST", f"{os.environ['AWS_ENDPOINT_URL']}/", service, json.dumps(members).encode(), headers)


def _send(method: str, url: str, service: str, body: bytes, headers: dict[str, str]) -> None:
    """Signed with Signature Version 4."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    digest = hashlib.sha256(body).hexdigest()
    parts = urlsplit(url)
    signed = {
        **headers,
        "host": parts.netloc,
        "x-amz-content-sha256": digest,
        "x-amz-date": now,
        "x-amz-security-token": os.environ["AWS_SESSION_TOKEN"],
    }
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    canonical = "\n".join([method, parts.path, "", lines, names, digest])
    scope = f"{now[:8]}/{os.environ['AWS_REGION']}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{os.environ['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    signed["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    request = urllib.request.Request(url, body, signed, method=method)
    with urllib.request.urlopen(request, timeout=30):
        pass
