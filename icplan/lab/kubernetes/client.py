"""The lab's own few lines of the Kubernetes API over HTTPS; shares nothing with icplan's client."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from icplan.errors import IcplanError
from icplan.lab.programs import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = dict[str, Any]

_JSON_PATCH = "application/json-patch+json"
_MERGE_PATCH = "application/merge-patch+json"


class ApiError(IcplanError):
    """The API server answered, and refused.

    Attributes:
        status: the HTTP status, such as 403.
        reason: Kubernetes' one word for it, such as "Forbidden".
    """

    def __init__(self, thing: str, place: str, status: int, reason: str, message: str) -> None:
        super().__init__(
            thing,
            place=place,
            cause=f"{status} {reason}: {message}",
            cure="see the API server's log in the zone's folder",
        )
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ApiClient:
    """A user of an API server; opens a connection for each call, so threads may share it.

    Attributes:
        host: where the server listens.
        port: its port.
        token: the user's bearer token.
        authority: the certificate that the server's must be signed with, as PEM text.
    """

    host: str
    port: int
    token: str
    authority: str

    @classmethod
    def from_kubeconfig(cls, file: Path) -> Self:
        """The user of a kubeconfig file that the lab has written (JSON, with a token)."""
        data = json.loads(file.read_text())
        cluster = data["clusters"][0]["cluster"]
        host, _, port = cluster["server"].removeprefix("https://").rpartition(":")
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        return cls(host, int(port), data["users"][0]["user"]["token"], authority)

    @property
    def address(self) -> str:
        """The server's address, as kubeconfig files have it."""
        return f"https://{self.host}:{self.port}"

    def get(self, path: str) -> Json:
        """Read an object.

        Raises:
            ApiError: the server refused (404: there is none).
            IcplanError: the server cannot be reached.
        """
        return self.call("GET", path)

    def get_if_exists(self, path: str) -> Json | None:
        """Read an object; none when there is no such object."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(self, path: str, *, labels: str = "", fields: str = "") -> list[Json]:
        """Read all objects of a collection that match the selectors."""
        selectors = {"labelSelector": labels, "fieldSelector": fields}
        query = urlencode({key: value for key, value in selectors.items() if value})
        items = self.call("GET", f"{path}?{query}" if query else path)["items"]
        return list(items)

    def create(self, path: str, body: Json) -> Json:
        """Make an object in a collection (409: it exists)."""
        return self.call("POST", path, body)

    def replace(self, path: str, body: Json) -> Json:
        """Put an object in the place of what is there."""
        return self.call("PUT", path, body)

    def patch(self, path: str, change: Json | Sequence[Json]) -> Json:
        """Change an object: by a JSON Patch when given a sequence, else by a merge patch."""
        kind = _MERGE_PATCH if isinstance(change, dict) else _JSON_PATCH
        return self.call("PATCH", path, change, kind)

    def delete(self, path: str) -> None:
        """Delete an object at once."""
        self.call("DELETE", path, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})

    def call(
        self,
        method: str,
        path: str,
        body: Json | Sequence[Json] | None = None,
        content_type: str = "application/json",
    ) -> Json:
        """Do one request and return the answer.

        Raises:
            ApiError: the server refused.
            IcplanError: the server cannot be reached, or does not answer in time.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json"} | self.authorization
        if data is not None:
            headers["Content-Type"] = content_type
        status, text = self._exchange(method, path, data, headers)
        try:
            answer = json.loads(text)
        except ValueError:
            answer = {"message": text.decode(errors="replace").strip()}
        if status >= 400:
            reason, message = answer.get("reason", ""), answer.get("message", "")
            raise ApiError(f"{method} {path}", self.address, status, reason, message)
        return dict(answer)

    def ready(self) -> bool:
        """Whether the server says that it is ready."""
        try:
            status, _ = self._exchange("GET", "/readyz", None, self.authorization, timeout=5)
        except IcplanError:
            return False
        return status == 200

    @property
    def authorization(self) -> dict[str, str]:
        """The header that says who we are."""
        return {"Authorization": f"Bearer {self.token}"}

    def secure(self) -> ssl.SSLContext:
        """What a connection to the server must be checked against."""
        return ssl.create_default_context(cadata=self.authority)

    def _exchange(
        self,
        method: str,
        path: str,
        data: bytes | None,
        headers: Mapping[str, str],
        timeout: float = TIMEOUT_SECONDS,
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(
            self.host, self.port, timeout=timeout, context=self.secure()
        )
        try:
            connection.request(method, path, data, dict(headers))
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise IcplanError(
                f"{method} {path}",
                place=self.address,
                cause=str(error) or type(error).__name__,
                cure="see the API server's log in the zone's folder",
            ) from error
        finally:
            connection.close()
