"""What Schemathesis needs to know besides the document: records as lines, workbooks as they are, and the credential
of each path."""

import json
import os

import schemathesis

CREDENTIALS = json.loads(os.environ["XIEKA_CREDENTIALS"])


@schemathesis.serializer("application/x-ndjson", "application/jsonl")
def lines(context, value):
    return json.dumps(value, ensure_ascii=False).encode()


@schemathesis.serializer("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
def workbook(context, value):
    data = getattr(value, "data", value)
    return data if isinstance(data, bytes) else str(data).encode()


@schemathesis.auth(cache_by_key=lambda case, context: case.operation.path)
class Credential:
    def get(self, case, context):
        # Whoever signs in has none yet.
        return CREDENTIALS.get(case.operation.path, "")

    def set(self, case, data, context):
        if data:
            case.headers["Authorization"] = f"Bearer {data}"
