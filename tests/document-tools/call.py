"""Takes a token and asks for a card's state, with the generated client."""

import sys

from xieka import ApiClient, Configuration
from xieka.api.business_api import BusinessApi
from xieka.models.card_state import CardState
from xieka.models.success_code import SuccessCode

base, client_id, client_secret, eid = sys.argv[1:]
with ApiClient(Configuration(host=base)) as client:
    issued = BusinessApi(client).token(client_id=client_id, client_secret=client_secret)
with ApiClient(Configuration(host=base, access_token=issued.token)) as client:
    status = BusinessApi(client).write_status(eid=eid)
assert status.code is SuccessCode.OK
assert status.eid == eid
state: CardState = status.card_status
print(state.value)
