"""Documents in an S3-compatible bucket: ``s3://bucket/prefix?endpoint=https://host&region=name``.

Credentials come from where every S3 client takes them (environment, shared file, instance role), never from the URL.
The only module that imports boto3.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from certvault.errors import SettingsError, StorageFullError, StorageUnavailableError

_FULL = {"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull"}


class S3Store:
    """Blobs as objects below a prefix of one bucket. S3 writes an object wholly or not at all."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        options = parse_qs(parts.query)
        if parts.scheme != "s3" or not parts.netloc or parts.username is not None:
            raise SettingsError(
                "对象存储须写成 s3://bucket/prefix?endpoint=URL，不含凭据",
                "a store in S3 is written s3://bucket/prefix?endpoint=URL, without credentials",
            )
        self._bucket = parts.netloc
        self._prefix = parts.path.strip("/")
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=options.get("endpoint", [None])[0],
            region_name=options.get("region", ["us-east-1"])[0],
            config=Config(
                connect_timeout=5,
                read_timeout=30,
                retries={"max_attempts": 3, "mode": "standard"},
                s3={"addressing_style": "path"},
            ),
        )

    def put(self, name: str, content: bytes) -> None:
        with _translated():
            self._client.put_object(Bucket=self._bucket, Key=self._key(name), Body=content)

    def get(self, name: str) -> bytes:
        with _translated():
            content: bytes = self._client.get_object(Bucket=self._bucket, Key=self._key(name))["Body"].read()
            return content

    def delete(self, name: str) -> None:
        with _translated():
            self._client.delete_object(Bucket=self._bucket, Key=self._key(name))

    def names(self) -> Iterator[str]:
        with _translated():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._prefix}/" if self._prefix else ""
            )
            for page in pages:
                for item in page.get("Contents", ()):
                    yield str(item["Key"]).rpartition("/")[2]

    def check(self) -> None:
        with _translated():
            self._client.head_bucket(Bucket=self._bucket)

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _FULL:
            raise StorageFullError("no space left for documents") from error
        raise StorageUnavailableError(f"the document store refused: {code}") from error
    except BotoCoreError as error:
        raise StorageUnavailableError(f"the document store does not answer ({type(error).__name__})") from error
