"""A target as in the template and documentation of the Meltano SDK: batches, with the SDK's validation.

python template_target.py --config config.json < messages.jsonl
"""

from __future__ import annotations

import json
from typing import Any

import requests
from singer_sdk import BatchSink, Target
from singer_sdk import typing as th


class XeroSink(BatchSink):
    """Sends fifty records in a request."""

    max_size = 50

    def process_batch(self, context: dict[str, Any]) -> None:
        """Send them."""
        name = self.stream_name.capitalize()
        answer = requests.post(
            f"{self.config['api_url']}/api.xro/2.0/{name}?summarizeErrors=false",
            data=json.dumps({name: context["records"]}, default=str),
            headers={
                "Authorization": f"Bearer {self.config['access_token']}",
                "Content-Type": "application/json",
            },
            timeout=60,
        )
        answer.raise_for_status()


class TargetTemplate(Target):
    """The target."""

    name = "target-template"
    default_sink_class = XeroSink
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("access_token", th.StringType, required=True, secret=True),
    ).to_dict()


if __name__ == "__main__":
    TargetTemplate.cli()
