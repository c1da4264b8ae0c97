"""The race's job on Quix Streams, exactly once: a credit in, decided on the account's row, its event out.

Runs in an environment of its own, which holds what requirements.lock pins and nothing of the product.
Arguments: bootstrap, topic of commands, topic of events, consumer group, state folder, commit ms.
"""

import sys
from typing import Any
from uuid import uuid4

from quixstreams import Application, State  # type: ignore[import-not-found]

Body = dict[str, Any]


def decide(command: Body, _key: bytes, time_ms: int, _headers: Any, state: State) -> Body:
    """Returns the event."""
    balance, sequence = state.get("row") or (0, 0)
    balance, sequence = balance + command["amount"], sequence + 1
    state.set("row", (balance, sequence))
    return {
        "type": "credited",
        "version": 1,
        "id": str(uuid4()),
        "account_id": command["account_id"],
        "occurred_at": time_ms,
        "sequence": sequence,
        "causation_id": command["id"],
        "command_id": command["id"],
        "correlation_id": command["correlation_id"],
        "amount": command["amount"],
        "balance": balance,
    }


def main() -> None:
    bootstrap, commands, events, group, folder, commit_ms = sys.argv[1:]
    app = Application(
        bootstrap,
        consumer_group=group,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=int(commit_ms) / 1_000,
        state_dir=folder,
        loglevel="WARNING",
    )
    decided = app.dataframe(app.topic(commands)).apply(decide, stateful=True, metadata=True)
    decided.to_topic(app.topic(events))
    app.run()


if __name__ == "__main__":
    main()
