"""Signs and checks with the official Python libraries: one JSON question a line on stdin, one answer a line on stdout,
behind a line that says "ready"."""

import base64
import datetime
import json
import sys

import standardwebhooks
import stripe
import svix.webhooks
from slack_sdk.signature import SignatureVerifier


class Stripe:
    def __init__(self, secret):
        self.secret = secret

    def sign(self, event_id, time, body):
        header = stripe.WebhookSignature.generate_signature_header(body, self.secret, time)
        return {"stripe-signature": header}

    def verify(self, headers, body):
        tolerance = stripe.Webhook.DEFAULT_TOLERANCE
        stripe.WebhookSignature.verify_header(body, headers.get("stripe-signature"), self.secret, tolerance)


class Slack:
    def __init__(self, secret):
        self.verifier = SignatureVerifier(secret)

    def sign(self, event_id, time, body):
        signature = self.verifier.generate_signature(timestamp=str(time), body=body)
        return {"x-slack-request-timestamp": str(time), "x-slack-signature": signature}

    def verify(self, headers, body):
        if not self.verifier.is_valid_request(body, headers):
            raise ValueError("is_valid_request says no")


class Standard:
    """The two libraries of this kind differ in their names only."""

    def __init__(self, webhook, prefix):
        self.webhook, self.prefix = webhook, prefix

    def sign(self, event_id, time, body):
        at = datetime.datetime.fromtimestamp(time, tz=datetime.timezone.utc)
        values = {"id": event_id, "timestamp": str(time), "signature": self.webhook.sign(event_id, at, body)}
        return {f"{self.prefix}-{part}": value for part, value in values.items()}

    def verify(self, headers, body):
        self.webhook.verify(body, headers)


LIBRARIES = {
    "slack_sdk": Slack,
    "standardwebhooks": lambda secret: Standard(standardwebhooks.Webhook(secret), "webhook"),
    "stripe": Stripe,
    "svix": lambda secret: Standard(svix.webhooks.Webhook(secret), "svix"),
}

print("ready", flush=True)
for line in sys.stdin:
    question = json.loads(line)
    body = base64.b64decode(question["body"]).decode()
    library = LIBRARIES[question["library"]](question["secret"])
    if question["do"] == "sign":
        answer = {"headers": library.sign(question["id"], question["time"], body)}
    else:
        try:
            library.verify(question["headers"], body)
            answer = {"genuine": True}
        except Exception as error:
            answer = {"genuine": False, "why": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
